"""`sohistio env …`: the environments as their files have them; no cluster is asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sohistio.commands.edited_file import own_root
from sohistio.commands.env_diff import diff_environments
from sohistio.commands.env_init import init_environments
from sohistio.commands.examples import examples
from sohistio.commands.options import Folder, Form, output_format
from sohistio.commands.registration import app, register_all, words_of_group
from sohistio.errors import UsageError
from sohistio.system.streams import work_begins

if TYPE_CHECKING:
    from sohistio.environments.load import Summary


class DocumentFormat(StrEnum):
    """How a document is printed; `table`, which SOHISTIO_OUTPUT may say for all commands, is YAML."""

    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


@examples(
    "sohistio env list",
    "sohistio env list --output json",
)
def list_environments(
    form: Form,
    environments: Folder = None,
) -> None:
    """List the environments. Works too where a variable is not set or a file is not valid."""
    from sohistio.environments.load import environment_names, find_environments_root, shown, summary_of
    from sohistio.environments.root import TO_COPY, is_bundled
    from sohistio.output.console import console, say
    from sohistio.output.fitted import Fitted
    from sohistio.output.tables import show

    root = find_environments_root(environments, Path.cwd())
    summaries = [summary_of(name, root, os.environ) for name in environment_names(root)]
    if form.json:
        from sohistio.output.documents import print_answer

        listed = [_summary_json(summary) for summary in summaries]
        print_answer("EnvironmentList", {"folder": str(root.absolute()), "environments": listed})
        return
    rows = [
        (
            summary.name,
            summary.version or "?",
            summary.address or "-",
            summary.gateways,
            summary.cluster or "?",
            "yes" if summary.protected else "no",
        )
        for summary in summaries
    ]
    show(console(), Fitted(("NAME", "VERSION", "ADDRESS", "GATEWAYS", "CLUSTER", "PROTECTED"), rows, gap=2))
    say("")
    say(f"These come with sohistio. {TO_COPY}" if is_bundled(root) else f"From the folder {shown(root)}.")
    if broken := [summary.name for summary in summaries if summary.problems]:
        say(f"Not valid as they are: {', '.join(broken)}. `sohistio env validate` says why.")


@examples(
    "sohistio env show qa",
    "sohistio env show qa --output json",
)
def show_environment(
    name: Annotated[str, typer.Argument(help="Name of the environment")],
    environments: Folder = None,
    output: Annotated[
        DocumentFormat,
        output_format(help="yaml or json."),
    ] = DocumentFormat.YAML,
) -> None:
    """Show an environment as it is in force.

    Merged, with variables filled in, and validated.
    """
    from sohistio.environments.load import find_environments_root, load_environment
    from sohistio.environments.yaml_files import to_yaml
    from sohistio.output.documents import print_answer

    environment = load_environment(name, find_environments_root(environments, Path.cwd()), os.environ)
    if output is not DocumentFormat.JSON:
        typer.echo(to_yaml(environment.document()), nl=False)
        return
    gateways = [{"name": item.name, "namespace": item.namespace, "kind": item.kind} for item in environment.gateways]
    document = {"environment": environment.document(), "gateways": gateways, "digest": environment.digest()}
    print_answer("Environment", document)


@examples(
    "sohistio env validate",
    "sohistio env validate qa prod",
)
def validate_environments(
    names: Annotated[list[str] | None, typer.Argument(help="Names of environments; default: all")] = None,
    environments: Folder = None,
) -> None:
    """Check environments and name everything that is wrong with them. Exit code 2 if anything is."""
    from sohistio.environments.load import environment_names, find_environments_root, problems_of
    from sohistio.environments.yaml_files import invalid

    root = find_environments_root(environments, Path.cwd())
    chosen = list(dict.fromkeys(names or environment_names(root)))
    if not chosen:
        raise UsageError(f"There are no environments in {root}", todo="Add a folder with an environment.yaml to it.")
    problems = {name: problems_of(name, root, os.environ) for name in chosen}
    for line in _columns([(name, _verdict(len(found))) for name, found in problems.items()]):
        typer.echo(line)
    broken = [name for name, found in problems.items() if found]
    if broken:
        what = f"{len(broken)} of {len(chosen)} environments {'is' if len(broken) == 1 else 'are'} not valid"
        raise invalid(what, (problem for found in problems.values() for problem in found))


@examples(
    "sohistio env schema > environments/environment.schema.json",
)
def print_schema() -> None:
    """Print the JSON schema of environment.yaml, for editors."""
    from sohistio.environments.load import layer_schema
    from sohistio.output.documents import json_text

    typer.echo(json_text(layer_schema()))


@examples(
    "sohistio env lock",
    "sohistio env lock --version 1.31.1",
)
def lock_istioctl(
    version: Annotated[
        list[str] | None,
        typer.Option(
            "--version", metavar="X.Y.Z", help="Pin this one (repeatable); default: the environments' versions."
        ),
    ] = None,
    environments: Folder = None,
) -> None:
    """Pin the checksums of istioctl in environments/istioctl.lock.

    For every platform, as the mirror publishes them.
    """
    from sohistio.adapters.releases.lock import lock_versions
    from sohistio.adapters.releases.mirror import Mirror
    from sohistio.environments.load import environment_names, summary_of
    from sohistio.model.versions import Version

    root = own_root(environments, "pin")
    texts = version or [summary_of(name, root, os.environ).version or "" for name in environment_names(root)]
    versions = [Version.parse(text) for text in dict.fromkeys(texts)]
    path = root / "istioctl.lock"
    work_begins()
    report = lock_versions(path, versions, Mirror.choose(None, os.environ), say=lambda line: typer.echo(line, err=True))
    for release, digest_before, digest_now in report.changed:
        typer.echo(
            f"CHANGED {release[0]} {release[1]}: {digest_before} -> {digest_now}: ask why before you commit this"
        )
    for release in report.missing:
        typer.echo(f"not published: {release[0]} {release[1]}")
    typer.echo(f"{path}: {len(report.added)} pinned, {len(report.changed)} changed")


def _verdict(problems: int) -> str:
    return "valid" if not problems else f"not valid: {problems} problem{'s' if problems > 1 else ''}"


def _summary_json(summary: Summary) -> dict[str, Any]:
    return {
        "name": summary.name,
        "version": summary.version,
        "ingressAddress": summary.address,
        "gateways": summary.gateways,
        "cluster": summary.cluster,
        "protected": summary.protected,
        "problems": [str(problem) for problem in summary.problems],
    }


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def group_for(words: Sequence[str] | None = None) -> typer.Typer:
    """`sohistio env`, for the words of a command line as `register_all` takes them."""
    group = app(
        help="Environments: init, list, show, validate, diff, schema, lock.",
        examples=["sohistio env init", "sohistio env list", "sohistio env validate", "sohistio env diff prod dr"],
    )
    commands: dict[str, Callable[..., None]] = {
        "init": init_environments,
        "list": list_environments,
        "show": show_environment,
        "validate": validate_environments,
        "diff": diff_environments,
        "schema": print_schema,
        "lock": lock_istioctl,
    }
    register_all(group, commands, words_of_group(words, "env"))
    return group

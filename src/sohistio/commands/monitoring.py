"""`sohistio monitoring …`: what an existing Prometheus and Grafana need. Files only; no cluster is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Form, change_option
from sohistio.commands.registration import app, register_all, words_of_group
from sohistio.errors import UsageError


@examples(
    "sohistio monitoring dashboards --out dashboards",
)
def write_dashboards(
    form: Form,
    out: Annotated[Path, change_option("--out", metavar="DIR", help="Folder for the files; made if it is not there.")],
) -> None:
    """Write the dashboards for a Grafana of your own. No cluster is touched.

    One JSON file each, to import, to provision or to put under version control: written again they are the same.
    """
    from sohistio.adapters.grafana.written import dashboard_json
    from sohistio.monitoring.dashboards import dashboards
    from sohistio.output.console import say
    from sohistio.output.documents import print_answer

    found = dashboards()
    try:
        out.mkdir(parents=True, exist_ok=True)
        paths = [out / f"{item.uid}.json" for item in found]
        states = [write_dashboard(path, dashboard_json(item)) for path, item in zip(paths, found, strict=True)]
    except OSError as error:
        place = error.filename or out
        raise UsageError(
            f"{place} cannot be written: {error.strerror}", todo="Give --out a folder that you may write to."
        ) from error
    if form.json:
        rows = zip(found, paths, states, strict=True)
        written = [{"title": item.title, "file": str(path), "state": state} for item, path, state in rows]
        print_answer("Dashboards", {"dashboards": written})
        return
    for item, path, state in zip(found, paths, states, strict=True):
        say(f"{state:9}  {path}  {item.title}, {len(item.panels)} panels")


def write_dashboard(path: Path, text: str) -> str:
    """Write the file where it differs; returns `created`, `changed` or `unchanged`. Raises OSError."""
    from sohistio.system.replaced_file import replace_text

    if not path.exists():
        path.write_text(text, encoding="utf-8")
        return "created"
    before = path.read_text(encoding="utf-8", errors="replace")
    if before == text:
        return "unchanged"
    replace_text(path, before, text)
    return "changed"


def group_for(words: Sequence[str] | None = None) -> typer.Typer:
    """`sohistio monitoring`, for the words of a command line as `register_all` takes them."""
    group = app(
        help="For a Grafana of your own: dashboards.", examples=["sohistio monitoring dashboards --out dashboards"]
    )
    commands: dict[str, Callable[..., None]] = {"dashboards": write_dashboards}
    register_all(group, commands, words_of_group(words, "monitoring"))
    return group

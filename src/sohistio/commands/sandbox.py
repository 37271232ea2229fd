"""`sohistio sandbox`: flags in, exit code out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Form
from sohistio.commands.registration import app, register_all, words_of_group
from sohistio.system.streams import work_begins

if TYPE_CHECKING:
    from sohistio.sandbox.lifecycle import Up
    from sohistio.sandbox.status import SandboxStatus

Name = Annotated[str, typer.Option("--name", help="Name of the sandbox; several run side by side.")]


@examples(
    "sohistio sandbox up",
    "sohistio sandbox up --name dr --nodes 5",
    "sohistio sandbox up --traffic --load-balancer-lag 8s",
)
def up(
    name: Name = "local",
    nodes: Annotated[
        int | None, typer.Option("--nodes", min=1, max=100, help="Nodes of the cluster.", show_default="3")
    ] = None,
    traffic: Annotated[
        bool, typer.Option("--traffic", help="Run a real Envoy for each gateway pod, load balancers and backends.")
    ] = False,
    load_balancer_lag: Annotated[
        str,
        typer.Option(
            "--load-balancer-lag", help="With --traffic: load balancers drop an endpoint this late.", show_default="0s"
        ),
    ] = "",
) -> None:
    """Start the sandbox and wait until it is ready.

    What is missing is built first: once, about 12 minutes on 2 cores.
    """
    from sohistio.output.build_progress import build_progress
    from sohistio.sandbox.lifecycle import up as start
    from sohistio.sandbox.traffic.claims import Traffic

    work_begins()
    asked = Traffic(_lag(load_balancer_lag, traffic)) if traffic or load_balancer_lag else None
    _tell(start(name, nodes, build_progress, asked))


@examples(
    "sohistio sandbox down",
    "sohistio sandbox down --name dr",
)
def down(name: Name = "local") -> None:
    """End the sandbox and remove its files.

    The built parts stay in the cache.
    """
    from sohistio.sandbox.lifecycle import down as stop

    work_begins()
    typer.echo(f"The sandbox {name!r} is gone." if stop(name) else f"There is no sandbox {name!r}.")


@examples(
    "sohistio sandbox reset",
)
def reset(name: Name = "local") -> None:
    """Go back to an empty cluster with as many nodes.

    What `sandbox env` printed stays true.
    """
    from sohistio.output.build_progress import build_progress
    from sohistio.sandbox.lifecycle import reset as start_anew

    work_begins()
    _tell(start_anew(name, build_progress))


@examples(
    'eval "$(sohistio sandbox env)"',
)
def env(name: Name = "local") -> None:
    """Print the exports for a shell: eval "$(sohistio sandbox env)"."""
    import shlex

    from sohistio.sandbox.location import sandbox_kubeconfig, sandbox_mirror_url

    typer.echo(f"export KUBECONFIG={shlex.quote(str(sandbox_kubeconfig(name)))}")
    typer.echo(f"export SOHISTIO_ISTIO_MIRROR={sandbox_mirror_url(name)}")


@examples(
    "sohistio sandbox status",
    "sohistio sandbox status --name dr --output json",
)
def status(form: Form, name: Name = "local") -> None:
    """Show each part of the sandbox.

    Exit 1 where a part crashed or the sandbox is not up.
    """
    from sohistio.sandbox.status import as_document, look

    seen = look(name)
    if form.json:
        from sohistio.output.documents import print_answer

        print_answer("SandboxStatus", as_document(seen))
    else:
        _print_table(seen)
    if not seen.well:
        raise typer.Exit(1)


def _lag(text: str, traffic: bool) -> int | None:
    from sohistio.errors import UsageError
    from sohistio.model.durations import seconds_of

    if not text:
        return None
    if not traffic:
        raise UsageError("--load-balancer-lag is for sandboxes with traffic", todo="Add --traffic.")
    try:
        return 0 if text == "0s" else seconds_of(text)
    except ValueError as error:
        raise UsageError(f"--load-balancer-lag {text}: {error}", todo="Give it as 8s or 1m, say.") from error


def _tell(result: Up) -> None:
    name, count = result.record.name, result.record.nodes
    nodes = "1 node" if count == 1 else f"{count} nodes"
    if result.fresh:
        typer.echo(f"The sandbox {name!r} is ready ({nodes}, {result.seconds:.1f} s).")
    else:
        typer.echo(f"The sandbox {name!r} is up already ({nodes}).")
    option = "" if name == "local" else f" --name {name}"
    if result.taken is not None:
        typer.echo(
            f"Another program has port {result.taken}: the release mirror is at {result.record.mirror_url} now. "
            "In shells that have the old address, run the next line again."
        )
    typer.echo(f'Use it with: eval "$(sohistio sandbox env{option})"')


def _print_table(seen: SandboxStatus) -> None:
    from sohistio.output.console import console
    from sohistio.output.fitted import Fitted
    from sohistio.output.tables import show
    from sohistio.sandbox.status import log_end

    option = "" if seen.name == "local" else f" --name {seen.name}"
    if seen.record is None:
        typer.echo(f"There is no sandbox {seen.name!r}. Start it with: sohistio sandbox up{option}")
        return
    typer.echo(f"sandbox {seen.name}: {seen.phase}, {seen.record.nodes} nodes")
    if not seen.parts:
        typer.echo(f"Start it with: sohistio sandbox up{option}")
        return
    rows = [(part.name, part.state, str(part.pid or ""), part.address) for part in seen.parts]
    show(console(), Fitted(("PART", "STATE", "PID", "ADDRESS"), rows, gap=2))
    for line in seen.record.failure:
        typer.echo(f"  {line}")
    for part in seen.parts:
        if part.state == "crashed":
            code = "unknown" if part.exit_code is None else str(part.exit_code)
            typer.echo(f"\n{part.name} crashed, exit code {code}; the end of {part.log}:")
            for line in log_end(part):
                typer.echo(f"  {line}")


def group_for(words: Sequence[str] | None = None) -> typer.Typer:
    """`sohistio sandbox`, for the words of a command line as `register_all` takes them."""
    group = app(
        help="A real API server, istiod and release mirror on this machine.",
        examples=["sohistio sandbox up", 'eval "$(sohistio sandbox env)"', "sohistio sandbox down"],
    )
    commands: dict[str, Callable[..., None]] = {"up": up, "down": down, "status": status, "reset": reset, "env": env}
    register_all(group, commands, words_of_group(words, "sandbox"))
    return group

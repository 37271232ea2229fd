"""`sohistio status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Form, MaybeTarget, output_option

if TYPE_CHECKING:
    from sohistio.planning.session import Where

_USUAL_EVERY = 30


@examples(
    "sohistio status",
    "sohistio status --html fleet.html --watch",
    "sohistio status --env qa --output json",
)
def status(
    target: MaybeTarget,
    cluster: Cluster,
    form: Form,
    all_: Annotated[bool, typer.Option("--all", help="Every environment; so it is without --env.")] = False,
    deadline: Annotated[
        str | None,
        typer.Option("--deadline", metavar="TIME", help="Time that an environment may take; default 90s."),
    ] = None,
    html: Annotated[
        Path | None,
        output_option("--html", metavar="FILE", help="Write a page as well: one file, for any browser."),
    ] = None,
    watch: Annotated[bool, output_option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[
        str | None, output_option("--every", metavar="TIME", help="With --watch: a look each; default 30s.")
    ] = None,
) -> None:
    """Show all environments side by side, or one. Nothing is touched.

    State, version, mode, drift, stale sidecars, gateways, address, certificates, last run; of standbys sync and
    rehearsal. Exit 1 where one could not be read. With --env: all details.
    """
    from sohistio.commands.fleet import Shown, look_once, watch_all

    shown = Shown(form.json, html, single=target.env is not None and not all_)
    limit, pause = _seconds(form, deadline, every, watch=watch)
    places = _places(target, cluster, everything=all_)
    if watch:
        watch_all(places, limit, shown, pause)
        return
    raise typer.Exit(look_once(places, limit, shown))


def _seconds(form: Form, deadline: str | None, every: str | None, *, watch: bool) -> tuple[float | None, int]:
    """The deadline, None for the usual one, and the time between two looks. Raises UsageError."""
    from sohistio.commands.fleet import LEAST_EVERY
    from sohistio.commands.requests import seconds
    from sohistio.errors import UsageError

    pause = seconds("--every", every) or _USUAL_EVERY
    if every is not None and not watch:
        raise UsageError("--every is given without --watch", todo="Give --watch as well, or leave --every out.")
    if pause < LEAST_EVERY:
        raise UsageError(f"--every {every} is too often", todo=f"Give {LEAST_EVERY}s or more: each look asks a lot.")
    if watch and form.json:
        raise UsageError(
            "--watch and --output json exclude each other",
            todo="Run `sohistio status --output json` as often as you need it; a log has a line for each change.",
        )
    return seconds("--deadline", deadline), round(pause)


def _places(target: MaybeTarget, cluster: Cluster, *, everything: bool) -> list[Where]:
    """Raises UsageError."""
    import os

    from sohistio.environments.load import environment_names, find_environments_root, load_environment
    from sohistio.errors import UsageError
    from sohistio.planning.session import Where

    # What only a variable says is no contradiction to what is asked for.
    if everything and target.env == os.environ.get("SOHISTIO_ENV"):
        target = MaybeTarget(None, target.environments)
    if target.env is None and cluster.context == os.environ.get("SOHISTIO_CONTEXT"):
        cluster = Cluster(cluster.kubeconfig, None, cluster.auth)
    root = find_environments_root(target.environments, Path.cwd())
    known = environment_names(root)
    if target.env is not None and everything:
        raise UsageError("--env and --all exclude each other", todo="Give one of them.")
    if target.env is None and cluster.context is not None:
        raise UsageError(
            "--context names one cluster, and all environments are asked for", todo="Give --env with --context."
        )
    if target.env is not None and target.env not in known:
        load_environment(target.env, root, os.environ)  # says what is wrong with the name
    return [
        Where(name, target.environments, None, cluster.kubeconfig, cluster.context, auth=cluster.auth)
        for name in (known if target.env is None else [target.env])
    ]

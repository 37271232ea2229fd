"""`sohistio istioctl`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Release, Target, Tool


@examples(
    "sohistio istioctl --env qa -- proxy-status",
    "sohistio istioctl --env qa -- analyze --all-namespaces",
)
def istioctl(
    target: Target,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    arguments: Annotated[
        list[str], typer.Argument(metavar="ARGS", help="After --: those of istioctl, such as proxy-status.")
    ],
) -> None:
    """Run the pinned istioctl on an environment's cluster.

    Its exit code is passed on. Commands that change the mesh are refused.
    """
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.run.pass_on import istioctl_passed_on

    session = session_of(where_of(target, cluster, release=release, tool=tool))
    raise typer.Exit(istioctl_passed_on(session, arguments))

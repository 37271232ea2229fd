"""`sohistio dashboard`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Target


@examples(
    "sohistio dashboard grafana --env qa",
    "sohistio dashboard prometheus --env local --port 9091",
)
def dashboard(
    page: Annotated[str, typer.Argument(metavar="PAGE", help="grafana, kiali, prometheus or jaeger.")],
    target: Target,
    cluster: Cluster,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", help="Port on this machine; default: its own, or a free one."),
    ] = None,
) -> None:
    """Open a page of monitoring on this machine, until Ctrl-C.

    Through `kubectl port-forward`: it takes your rights in the cluster, and nothing is exposed.
    """
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.output.console import say
    from sohistio.run.dashboard import Page, page_of, show_page

    def opened(found: Page) -> None:
        say(f"{found.part} is at {found.url} (Ctrl-C ends it)")
        if found.login:
            say(found.login)

    session = session_of(where_of(target, cluster))
    show_page(session, page_of(session, page, port), opened)

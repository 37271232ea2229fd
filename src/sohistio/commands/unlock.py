"""`sohistio unlock`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.options import Cluster, Skip, Target


def unlock(
    target: Target,
    cluster: Cluster,
    skip: Skip,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why the lock may be freed; it stays on the Lease.")
    ],
) -> None:
    """Free the lock of a dead run before it expires by itself."""
    from sohistio.adapters.kubernetes.lease import unlock as free_lock
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.output.console import say
    from sohistio.planning.reads import or_refused
    from sohistio.planning.target_cluster import check_right_cluster
    from sohistio.system.streams import work_begins

    session = session_of(where_of(target, cluster, skip=skip))
    check_right_cluster(session, without_record=True)
    work_begins()
    holder = or_refused("the lock could not be freed", lambda: free_lock(session.api, reason))
    say(f"freed; it was held by {holder.identity}" if holder else "the lock was free already")

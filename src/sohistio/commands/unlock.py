"""`sohistio unlock`."""

from __future__ import annotations

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Skip, Target
from sohistio.commands.reason import Reason


@examples(
    "sohistio unlock --env qa --reason 'the agent was shut down during the run'",
)
def unlock(target: Target, cluster: Cluster, skip: Skip, reason: Reason) -> None:
    """Free the lock of a dead run before it expires by itself.

    The reason, which is required here, stays on the Lease.
    """
    from sohistio.adapters.kubernetes.lease import unlock as free_lock
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import UsageError
    from sohistio.output.console import console, say
    from sohistio.planning.reads import or_refused
    from sohistio.planning.target_cluster import check_right_cluster
    from sohistio.run.notify import refusals_sent, unlocked_sent
    from sohistio.system.streams import work_begins

    why = reason.cause.reason
    if not why:
        raise UsageError(
            "unlock needs --reason", todo='Say why the lock may be freed, for whoever finds it: --reason "…".'
        )
    session = session_of(where_of(target, cluster, skip=skip, reason=reason))
    with refusals_sent(session):
        check_right_cluster(session, without_record=True)
        work_begins()
        holder = or_refused("the lock could not be freed", lambda: free_lock(session.api, why))
    say(f"freed; it was held by {holder.identity}" if holder else "the lock was free already")
    if holder and (unsent := unlocked_sent(session)):
        console(stderr=True).print(unsent, style="yellow")

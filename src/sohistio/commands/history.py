"""history and unlock: the record and the lock."""

from __future__ import annotations

from datetime import datetime

from rich.table import Table

from sohistio.adapters.kubernetes.lease import unlock as free_lock
from sohistio.commands.common import console, errors_as_json, print_json, say, session_of
from sohistio.errors import ExitCode, UsageError
from sohistio.model.record import Record, RunEntry, run_document
from sohistio.output.tables import show
from sohistio.plan.plan import SCHEMA_VERSION
from sohistio.planning.reads import or_refused, recorded
from sohistio.planning.session import Where
from sohistio.planning.target_cluster import check_right_cluster
from sohistio.system.streams import work_begins


def history(where: Where, *, json: bool) -> int:
    """`sohistio history`: who changed what, when, from which plan; the newest last."""
    with errors_as_json(json):
        session = session_of(where)
        record = recorded(session) or Record(session.environment.name)
    if json:
        runs = [run_document(run) for run in record.runs]
        print_json(
            {"schemaVersion": SCHEMA_VERSION, "kind": "History", "environment": record.environment, "runs": runs}
        )
        return ExitCode.OK
    if not record.runs:
        say(f"{session.environment.name}: nothing recorded")
        return ExitCode.OK
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="bold")
    for column in ("started", "mode", "from", "to", "outcome", "last step", "who", "plan", "backup"):
        table.add_column(column, no_wrap=column != "backup")
    for run in record.runs:
        last_step = "" if run.outcome == "done" else run.last_step
        row = (_started(run), run.mode, run.from_version or "-", run.to_version or "-", run.outcome, last_step)
        table.add_row(*row, f"{run.who}@{run.host}", run.plan_digest[:12], run.backup)
    show(console(), table)
    return ExitCode.OK


def _started(run: RunEntry) -> str:
    """The time, where it is one: a line of the table begins with it."""
    try:
        datetime.fromisoformat(run.started)
    except ValueError:
        return "?"
    return run.started


def unlock(where: Where, reason: str) -> int:
    """`sohistio unlock`: free the lock of a run that is dead."""
    if not reason.strip():
        raise UsageError("--reason is empty", todo="Say why the lock may be freed: it stays on the Lease.")
    session = session_of(where)
    check_right_cluster(session, without_record=True)
    work_begins()
    holder = or_refused("the lock could not be freed", lambda: free_lock(session.api, reason))
    say(f"freed; it was held by {holder.identity}" if holder else "the lock was free already")
    return ExitCode.OK

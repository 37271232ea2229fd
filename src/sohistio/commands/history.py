"""`sohistio history`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Form, Target, output_option

if TYPE_CHECKING:
    from sohistio.model.record import Record, RunEntry
    from sohistio.output.fitted import Fitted

_COLUMNS = ("started", "mode", "from", "to", "outcome", "last step", "who", "plan")


@examples(
    "sohistio history --env qa",
    "sohistio history --env prod --output json",
    "sohistio history --env prod --export >> audit.jsonl",
)
def history(
    target: Target,
    cluster: Cluster,
    form: Form,
    export: Annotated[bool, output_option("--export", help="All that is known: JSON, a line for each run.")] = False,
) -> None:
    """Show who changed what, when, why, and from which plan."""
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.model.record import Record, run_document
    from sohistio.output.console import console, say
    from sohistio.output.documents import print_answer, print_json_line
    from sohistio.output.tables import show
    from sohistio.planning.reads import recorded

    session = session_of(where_of(target, cluster))
    record = recorded(session) or Record(session.environment.name)
    if record.environment != session.environment.name:
        session.say(f"this cluster is recorded as {record.environment}, not as {session.environment.name}")
    if export:
        for run in record.runs:
            print_json_line("RunRecord", run_document(run))
    elif form.json:
        runs = [run_document(run) for run in record.runs]
        print_answer("History", {"environment": record.environment, "runs": runs})
    elif record.runs:
        show(console(), _table(record))
        # A line each: a table has no room for a sentence, and a folder's name is of no use where it is cut.
        for run in record.runs:
            if run.reason:
                say(f"reason of {_started(run)}: {run.reason}")
            if run.backup:
                say(f"backup of {_started(run)} on {run.host}: {run.backup}")
    else:
        say(f"{session.environment.name}: nothing recorded")


def _table(record: Record) -> Fitted:
    """The newest last."""
    from sohistio.output.fitted import Fitted

    rows = []
    for run in record.runs:
        last_step = "" if run.outcome == "done" else run.last_step
        row = (_started(run), run.mode, run.from_version or "-", run.to_version or "-", run.outcome, last_step)
        rows.append((*row, f"{run.who}@{run.host}", run.plan_digest[:12]))
    return Fitted(_COLUMNS, rows)


def _started(run: RunEntry) -> str:
    """The time, where it is one: a line of the table begins with it."""
    from datetime import datetime

    try:
        datetime.fromisoformat(run.started)
    except ValueError:
        return "?"
    return run.started

"""What `status` and `sync` find, as tables of the summary, issues and variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sohistio.output.devops.agent import current, looked

if TYPE_CHECKING:
    from sohistio.planning.status import EnvironmentStatus
    from sohistio.sync.report import Comparison


def tell_environments(rows: Sequence[EnvironmentStatus]) -> None:
    """Each environment; one that could not be read is an error."""
    agent = current()
    if agent is None:
        return
    from sohistio.output.devops.facts import Issue, IssueType, Section

    looked(rows[0].environment if len(rows) == 1 else "")
    columns = ("environment", "cluster", "installed", "target", "in sync", "last run", "to do")
    agent.facts.sections.append(Section("Environments", columns, tuple(map(_cells, rows))))
    for row in rows:
        if row.problem:
            hint = f" → {row.hint}" if row.hint else ""
            message = f"{row.environment}: {row.problem}{hint}"
            agent.facts.found.append(Issue(IssueType.ERROR, "environment-not-read", message))
    agent.facts.more |= {
        "environments": str(len(rows)),
        "inSync": str(sum(row.in_sync is True for row in rows)),
        "outOfSync": str(sum(row.in_sync is False for row in rows)),
        "notRead": str(sum(bool(row.problem) for row in rows)),
    }


def _cells(row: EnvironmentStatus) -> tuple[str, ...]:
    words = {True: "yes", False: "no", None: "not known"}
    run = row.last_run
    last = f"{run.started[:16].replace('T', ' ')} {run.mode}: {run.outcome} ({run.who})" if run else "-"
    to_do = f"{row.problem}. {row.hint}".strip() if row.problem else row.pending or "-"
    return row.environment, row.cluster, row.installed or "-", row.target or "-", words[row.in_sync], last, to_do


def tell_differences(comparison: Comparison) -> None:
    """What sync reports and does not change; what stops it is an error, what only counts a warning."""
    agent = current()
    if agent is None:
        return
    from sohistio.output.devops.facts import Issue, IssueType, Section

    differences, facts = comparison.differences, agent.facts
    facts.more["differences"] = str(comparison.left)
    if not differences:
        return
    rows = tuple((item.subject.value, item.name, item.what, item.todo) for item in differences)
    title = "Differences that sync does not change"
    facts.sections.append(Section(title, ("about", "name", "what differs", "what to do"), rows))
    for item in differences:
        if item.counts:
            kind = IssueType.ERROR if item in comparison.stopping else IssueType.WARNING
            facts.found.append(Issue(kind, f"difference-{item.subject.value}", f"{comparison.target}: {item.line}"))

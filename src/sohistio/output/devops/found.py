"""What `status` and `sync` find, as tables of the summary, issues and variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sohistio.output.devops.agent import current, looked

if TYPE_CHECKING:
    from sohistio.fleet.row import EnvironmentStatus
    from sohistio.output.devops.facts import Facts
    from sohistio.sync.report import Comparison


def tell_environments(rows: Sequence[EnvironmentStatus]) -> None:
    """Each environment, for the agent, if there is one."""
    if agent := current():
        looked(rows[0].environment if len(rows) == 1 else "")
        add_environments(agent.facts, rows)


def tell_differences(comparison: Comparison) -> None:
    """What sync reports and does not change, for the agent, if there is one."""
    if agent := current():
        add_differences(agent.facts, comparison)


def add_environments(facts: Facts, rows: Sequence[EnvironmentStatus]) -> None:
    """A row for each; one that could not be read is an error."""
    from sohistio.output.devops.facts import Issue, IssueType, Section

    columns = ("environment", "cluster", "installed", "target", "in sync", "last run", "to do")
    facts.sections.append(Section("Environments", columns, tuple(map(_cells, rows))))
    for row in rows:
        if row.problem:
            hint = f" → {row.hint}" if row.hint else ""
            message = f"{row.environment}: {row.problem}{hint}"
            facts.found.append(Issue(IssueType.ERROR, "environment-not-read", message))
    facts.more |= {
        "environments": str(len(rows)),
        "inSync": str(sum(row.in_sync is True for row in rows)),
        "outOfSync": str(sum(row.in_sync is False for row in rows)),
        "notRead": str(sum(bool(row.problem) for row in rows)),
    }


def _cells(row: EnvironmentStatus) -> tuple[str, ...]:
    words = {True: "yes", False: "no", None: "not known"}
    run = row.last_run.entry if row.last_run else None
    last = f"{run.started[:16].replace('T', ' ')} {run.mode}: {run.outcome} ({run.who})" if run else "-"
    to_do = f"{row.problem}. {row.hint}".strip() if row.problem else row.pending or "-"
    return row.environment, row.cluster, row.installed or "-", row.target or "-", words[row.in_sync], last, to_do


def add_differences(facts: Facts, comparison: Comparison) -> None:
    """Each difference that sync does not change: an error where it stops a sync, a warning where it only counts."""
    from sohistio.output.devops.facts import Issue, IssueType, Section
    from sohistio.sync.differences import Subject

    facts.more["differences"] = str(comparison.left)
    if not comparison.differences:
        return
    rows = tuple((item.subject.value, item.name, item.what, item.todo) for item in comparison.differences)
    title = "Differences that sync does not change"
    facts.sections.append(Section(title, ("about", "name", "what differs", "what to do"), rows))
    for item in comparison.differences:
        if item.counts:
            kind = IssueType.ERROR if item in comparison.stopping else IssueType.WARNING
            code = "trust-root" if item.subject is Subject.TRUST_ROOT else item.subject.value
            facts.found.append(Issue(kind, f"difference-{code}", f"{comparison.target}: {item.line}"))

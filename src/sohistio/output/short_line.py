"""A report of checks in one line, to paste into a chat."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.checks.preflight.report import Report, ended
from sohistio.checks.result import CheckResult
from sohistio.model.words import cut, first_names
from sohistio.system.sanitize import one_line

LONGEST = 240
"""Characters of the line, but for names that are longer by themselves."""
_MOST_NAMES = 5
_SHORTEST_MESSAGE = 20


def short_line(report: Report) -> str:
    """`qa: 1 failed (gateway-address: 10.20.20.188 is …), 1 warning (node-pools), 29 passed`.

    Names come first: what failed is said with its messages as far as the line has room for them.
    """
    found = report.names
    named = {
        end: ended(end, names) + (f" ({first_names(names, _MOST_NAMES)})" if end in ("failed", "warning") else "")
        for end, names in found.items()
    }
    line = f"{report.environment}: {', '.join(named.values())}"
    failed = found.get("failed", ())
    if failed and (said := _messages(failed, report.failures, LONGEST - len(line))):
        line = line.replace(named["failed"], f"{ended('failed', failed)} ({said})", 1)
    return line


def _messages(names: Sequence[str], failures: Sequence[CheckResult], room: int) -> str:
    """The failed checks, each with its first message; empty where there is no room for all of them."""
    first = {check.name: one_line(check.for_people) for check in reversed(failures)}
    each = room // len(names) - len(": ")
    if len(names) > _MOST_NAMES or each < _SHORTEST_MESSAGE:
        return ""
    return "; ".join(f"{name}: {cut(first[name], each)}" for name in names)

"""A report of checks in one line, to paste into a chat."""

from __future__ import annotations

from sohistio.checks.preflight.report import Report
from sohistio.model.words import first_names
from sohistio.system.sanitize import one_line

LONGEST = 240
"""Characters of the line, but for names that are longer by themselves."""
_MOST_NAMES = 5
_SHORTEST_MESSAGE = 20


def short_line(report: Report) -> str:
    """`qa: 1 failed (gateway-address: 10.20.20.188 is …), 1 warning (node-pools), 29 passed`.

    Names come first: what failed is said with its messages as far as the line has room for them.
    """
    named = {
        end: f"{len(names)} {end}" + (f" ({first_names(names, _MOST_NAMES)})" if end[:4] in ("fail", "warn") else "")
        for end, names in report.names.items()
    }
    line = f"{report.environment}: {', '.join(named.values())}"
    if report.failures and (said := _messages(report, LONGEST - len(line))):
        failed = f"{len(report.names['failed'])} failed ({said})"
        line = line.replace(named["failed"], failed, 1)
    return line


def _messages(report: Report, room: int) -> str:
    """The failed checks, each with its first message; empty where there is no room for all of them."""
    names = report.names["failed"]
    first = {check.name: one_line(check.message) for check in reversed(report.failures)}
    each = room // len(names) - len(": ")
    if len(names) > _MOST_NAMES or each < _SHORTEST_MESSAGE:
        return ""
    return "; ".join(f"{name}: {_cut(first[name], each)}" for name in names)


def _cut(text: str, most: int) -> str:
    """At the end of a word where one is near."""
    if len(text) <= most:
        return text
    whole, blank, _ = text[: most - 1].rpartition(" ")
    return f"{whole if blank and len(whole) > most // 2 else text[: most - 1]}…"

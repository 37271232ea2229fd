"""A report in one line: names first, bounded."""

from __future__ import annotations

import pytest

from sohistio.checks.preflight.report import Report
from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.output.short_line import LONGEST, short_line

FINE = tuple(passed(f"fine-{number}", "it holds") for number in range(29))
TAKEN = failed("gateway-address", "10.20.20.188 is taken by Service shop/old-gateway", "Free it.")
FEW = warned("node-pools", "3 nodes, 5 are meant", "Change it.")
LONG = failed("permissions", "you lack permission to " + "create leases, " * 40, "Ask for it.")


@pytest.mark.parametrize(
    ("checks", "line"),
    [
        (FINE, "qa: 29 passed"),
        ((*FINE, FEW), "qa: 1 warning (node-pools), 29 passed"),
        (
            (TAKEN, FEW, *FINE),
            "qa: 1 failed (gateway-address: 10.20.20.188 is taken by Service shop/old-gateway), "
            "1 warning (node-pools), 29 passed",
        ),
        (
            (TAKEN, failed("gateway-address", "a second thing", ""), failed("lock", "b\nc", "")),
            "qa: 2 failed (gateway-address: 10.20.20.188 is taken by Service shop/old-gateway; lock: b⏎c)",
        ),
        (
            tuple(failed(f"check-{number}", "no", "") for number in range(8)),
            "qa: 8 failed (check-0, check-1, check-2, check-3, check-4 and 3 more)",
        ),
    ],
)
def test_line(checks: tuple[CheckResult, ...], line: str) -> None:
    assert short_line(Report("qa", checks)) == line


@pytest.mark.parametrize("checks", [(LONG,), (LONG, TAKEN), (LONG, TAKEN, FEW, *FINE)])
def test_a_long_message_is_cut_and_no_name(checks: tuple[CheckResult, ...]) -> None:
    line = short_line(Report("qa", checks))
    assert len(line) <= LONGEST
    assert "…" in line
    assert [check.name for check in checks if not check.name.startswith("fine") and check.name not in line] == []


def test_counts_are_those_of_the_summary() -> None:
    report = Report("qa", (TAKEN, FEW, *FINE))
    assert report.summary() == "qa: 1 failed, 1 warning, 29 passed"

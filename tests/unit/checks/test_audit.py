"""What is reported of stage audit."""

from __future__ import annotations

import pytest

from sohistio.checks.audit import audited
from sohistio.checks.result import Result
from sohistio.model.fault import Severity
from sohistio.model.traffic import DryRun


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, ["not known what the policy would have refused: no Prometheus is named"]),
        (
            (DryRun("a/x", "inbound_8080", 2), DryRun("a/x", "inbound_9090", 1), DryRun("b/y", "outbound_443", 4)),
            [
                "a/x: would have been refused in the last day: 2 at inbound_8080, 1 at inbound_9090",
                "b/y: would have been refused in the last day: 4 at outbound_443",
            ],
        ),
    ],
)
def test_warnings(found: tuple[DryRun, ...] | None, expected: list[str]) -> None:
    results = list(audited(found))
    assert [item.message for item in results] == expected
    assert all(item.severity is Severity.WARNING and item.hint for item in results)
    assert all(item.result is Result.FAILED for item in results)


def test_nothing_would_have_been_refused() -> None:
    (result,) = audited(())
    assert result.result is Result.PASSED

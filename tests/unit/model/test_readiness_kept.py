"""Readiness in the record: what one look replaces, what it keeps, and what is no readiness at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sohistio.checks.preflight.report import Report
from sohistio.checks.result import CheckResult, Result
from sohistio.model.fault import Severity
from sohistio.model.readiness import Outcome, Readiness, ReadinessItem, items_of
from sohistio.model.record import Record
from sohistio.run.readiness import found_in

BEFORE = "2026-11-20T00:00:00+00:00"
NOW = "2026-11-27T00:00:00+00:00"


def checked(name: str, result: Result, severity: Severity = Severity.ERROR) -> CheckResult:
    return CheckResult(name, severity, result, f"{name} " + "x" * 300)


def test_one_look_replaces_all_but_what_was_accepted() -> None:
    known = [ReadinessItem(name, Outcome.FAILED, "", BEFORE) for name in ("dns", "probes", "renamed")]
    report = Report(
        "dr",
        (
            checked("capacity", Result.PASSED),
            checked("capacity", Result.FAILED, Severity.WARNING),
            checked("dns", Result.PASSED),
            checked("probes", Result.SKIPPED),
            checked("hook", Result.SKIPPED),
        ),
    )
    found = found_in(report, frozenset({"probes"}), NOW).after(known)
    assert [(item.name, item.result, item.at) for item in found] == [
        ("capacity", "warning", NOW),
        ("dns", "passed", NOW),
        ("hook", "skipped", NOW),
        ("probes", "failed", BEFORE),
    ]
    assert all(len(item.message) <= 200 for item in found)


def test_it_is_kept_in_the_record() -> None:
    item = ReadinessItem("failover-dns", Outcome.PASSED, "it leads to prod", NOW)
    record = Record("dr", readiness=(item,))
    assert Record.of(record.document()) == record
    older = {key: value for key, value in record.document().items() if key != "readiness"}
    assert Record.of(older) == replace(record, readiness=())
    assert Readiness("dr", (item,)).after((item,)) == (item,)


@pytest.mark.parametrize(
    "value",
    [
        "x",
        ["x"],
        [{"name": "a", "result": "passed", "message": ""}],
        [{"name": "a", "result": "fine", "message": "", "at": NOW}],
        [{"name": "a", "result": "passed", "message": "", "at": "yesterday"}],
        [{"name": 1, "result": "passed", "message": "", "at": NOW}],
    ],
)
def test_what_is_no_readiness(value: object) -> None:
    with pytest.raises(ValueError, match="not a record of sohistio"):
        items_of(value)

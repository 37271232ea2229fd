"""How far a standby is behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sohistio.model.mode import Mode
from sohistio.model.record import Record, RunEntry
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.report import Lag, lag

WEB = ObjectRef("VirtualService", "shop", "web")
ONE = Changes((ObjectChange(WEB, Action.CREATED),))
RUN = RunEntry(
    "1", Mode.SYNC, "dr", "", "", "", "", "ann", "host", "2027-01-01T00:00:00", "2027-01-01T00:01:00", "done"
)
HELD = Difference(Subject.CONFLICT, str(WEB), "x", "y")
OTHER = Difference(Subject.OBJECT, "Gateway shop/web", "x", "y")
LATE = Difference(Subject.NAMESPACE, "late", "x", "y", objects=3)
FILES = Difference(Subject.FILES, "spec", "x", "y")


@pytest.mark.parametrize(
    ("changes", "differences", "runs", "expected"),
    [
        (Changes(), [], (), Lag(0)),
        (ONE, [], (RUN,), Lag(1, RUN)),
        (ONE, [HELD, OTHER, LATE, FILES], (RUN,), Lag(5, RUN)),
        (ONE, [], (replace(RUN, outcome="failed"),), Lag(1)),
        (ONE, [], (RUN, replace(RUN, id="2", outcome="interrupted")), Lag(1, RUN)),
        (ONE, [], (RUN, replace(RUN, id="2", mode=Mode.INSTALL)), Lag(1, RUN)),
    ],
)
def test_lag(changes: Changes, differences: list[Difference], runs: tuple[RunEntry, ...], expected: Lag) -> None:
    assert lag(changes, differences, Record("dr", runs=runs)) == expected


def test_lag_in_words() -> None:
    assert lag(Changes(), [], None).words == "no object differs; never synced"
    assert Lag(1, RUN).words == "1 object differs; last synced 2027-01-01T00:01:00 by ann"
    assert Lag(2).document() == {"objects": 2, "since": None, "lastSync": None}

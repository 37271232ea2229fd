"""Why a plan has nothing to do: one sentence, before the run and after somebody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plans import NOTHING
from sohistio.model.held_back import HeldBack, Why
from sohistio.model.mode import Mode
from sohistio.model.state import ObjectRef
from sohistio.plan.idle import idle_words
from sohistio.plan.plan import Plan

HELD = tuple(HeldBack(ObjectRef("Deployment", "shop", f"w{n}"), Why.WINDOW, "outside its window") for n in range(50))


@pytest.mark.parametrize(
    ("plan", "first", "later"),
    [
        (NOTHING, "up to date", "up to date by now"),
        (replace(NOTHING, mode=Mode.UNINSTALL), "nothing to uninstall", "nothing to uninstall by now"),
        (
            replace(NOTHING, held_back=HELD),
            "50 workloads are not restarted now",
            "what was planned may not be done any more: 50 workloads are not restarted now",
        ),
        (
            replace(NOTHING, mode=Mode.RESTART, held_back=HELD[:1]),
            "1 workload is not restarted now",
            "what was planned may not be done any more: 1 workload is not restarted now",
        ),
    ],
)
def test_why_there_is_nothing_to_do(plan: Plan, first: str, later: str) -> None:
    assert (idle_words(plan), idle_words(plan, any_more=True)) == (first, later)

"""Why a rule is accepted: what --because says, else the run's own reason."""

from __future__ import annotations

import pytest

from sohistio.commands.acceptance import Acceptance, accepted_of
from sohistio.errors import UsageError
from sohistio.planning.failover import Accepted


@pytest.mark.parametrize(
    ("because", "reason", "recorded"),
    [
        ("INC-1", "CHG-2", "hold-down: INC-1"),
        (None, "CHG-2", "hold-down: CHG-2"),
        (" ", "CHG-2", "hold-down: CHG-2"),
    ],
)
def test_what_is_recorded(because: str | None, reason: str, recorded: str) -> None:
    assert accepted_of(Acceptance(["hold-down"], because), reason).line() == recorded


def test_a_reason_alone_accepts_nothing() -> None:
    assert accepted_of(Acceptance(), "CHG-2") == Accepted()


@pytest.mark.parametrize(
    ("acceptance", "words"),
    [
        (Acceptance(["hold-down"]), "--accept needs --because or --reason"),
        (Acceptance(["hold-up"], "x"), "no rule that can be accepted"),
        (Acceptance(None, "x"), "--because says why a rule is accepted, and none is"),
    ],
)
def test_what_is_wrong(acceptance: Acceptance, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        accepted_of(acceptance, "")

"""The mark of a failover as it goes on: since when a stage is, and when the DNS record counts as switched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sohistio.model.failover_mark import FailoverMark, Stage, next_mark

NOW = "2026-11-27T03:00:00+00:00"
BEGUN = "2026-11-27T02:50:00+00:00"
LONG_AGO = "2026-10-01T00:00:00+00:00"
MOVING = FailoverMark(Stage.MOVING, BEGUN, "ada")


@pytest.mark.parametrize(
    ("known", "stage", "switched"),
    [
        pytest.param(replace(MOVING, switched=BEGUN), Stage.ACTIVE, BEGUN, id="as-it-was-switched"),
        pytest.param(MOVING, Stage.ACTIVE, NOW, id="nobody-knows-when"),
        pytest.param(replace(MOVING, switched=LONG_AGO), Stage.ACTIVE, NOW, id="killed-before-it-was-recorded"),
        pytest.param(replace(MOVING, stage=Stage.AWAY, switched=LONG_AGO), Stage.SERVING, NOW, id="a-failback-killed"),
        pytest.param(replace(MOVING, stage=Stage.SERVING), Stage.SERVING, "", id="it-served-before"),
        pytest.param(None, Stage.SERVING, "", id="it-was-never-away"),
        pytest.param(MOVING, Stage.STANDBY, "", id="put-back-as-it-was-found"),
        pytest.param(None, Stage.MOVING, "", id="it-begins"),
    ],
)
def test_when_dns_counts_as_switched(known: FailoverMark | None, stage: Stage, switched: str) -> None:
    assert next_mark(known, stage, "bob", NOW).switched == switched


def test_the_same_stage_keeps_its_time() -> None:
    assert next_mark(MOVING, Stage.MOVING, "bob", NOW) == replace(MOVING, who="bob")
    assert next_mark(MOVING, Stage.ACTIVE, "bob", NOW).since == NOW

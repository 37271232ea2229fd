"""Who owns the gateways' replicas: the manifest or the autoscalers."""

from __future__ import annotations

import pytest

from sides import gateways, mark
from sohistio.failover.standby import rule_of_primary, rule_of_standby
from sohistio.model.failover_mark import FailoverMark, Stage
from sohistio.model.record import Record


@pytest.mark.parametrize(
    ("stage", "pods", "named", "reasons"),
    [
        pytest.param(None, 0, "", [], id="a-standby"),
        pytest.param(None, 0, "prod", [], id="dns-leads-to-prod"),
        pytest.param(Stage.STANDBY, 0, "prod", [], id="after-a-failback"),
        pytest.param(Stage.MOVING, 0, "prod", ["a failover to dr is under way since"], id="moving"),
        pytest.param(
            Stage.ACTIVE, 3, "dr", ["is active since", "DNS leads to dr", "gateways of dr serve"], id="active"
        ),
        pytest.param(None, 0, "dr", ["DNS leads to dr"], id="only-dns"),
        pytest.param(None, 3, "", ["gateways of dr serve: istio-ingressgateway, istio-egressgateway"], id="only-pods"),
        pytest.param(Stage.STANDBY, 3, "prod", ["gateways of dr serve"], id="woken-by-hand"),
        pytest.param(Stage.REHEARSING, 3, "prod", [], id="a-rehearsal-that-was-killed"),
        pytest.param(Stage.REHEARSING, 3, "dr", ["DNS leads to dr"], id="a-rehearsal-and-dns"),
    ],
)
def test_a_standby(stage: Stage | None, pods: int, named: str, reasons: list[str]) -> None:
    rule = rule_of_standby("dr", mark(stage), gateways(pods), named)
    assert rule.off is not bool(reasons)
    assert len(rule.reasons) == len(reasons)
    assert all(word in reason for word, reason in zip(reasons, rule.reasons, strict=True))
    assert bool(rule.notices) is bool(reasons)


@pytest.mark.parametrize(
    ("stage", "pods", "named", "off"),
    [
        pytest.param(None, 3, "prod", False, id="serves"),
        pytest.param(Stage.AWAY, 3, "dr", False, id="left-and-on"),
        pytest.param(Stage.DRAINED, 0, "dr", True, id="drained"),
        pytest.param(Stage.DRAINED, 0, "", True, id="drained-and-dns-is-silent"),
        pytest.param(Stage.DRAINED, 3, "prod", False, id="a-failback-that-was-killed"),
        pytest.param(Stage.DRAINED, 0, "prod", False, id="dns-leads-here-though-drained"),
        pytest.param(Stage.DRAINED, 3, "dr", False, id="woken-though-drained"),
        pytest.param(Stage.RETURNING, 3, "dr", False, id="a-failback-that-has-begun"),
        pytest.param(None, 0, "dr", True, id="the-record-is-lost"),
        pytest.param(None, 0, "", False, id="off-for-no-reason"),
        pytest.param(None, 0, "prod", False, id="off-and-dns-leads-here"),
        pytest.param(Stage.SERVING, 0, "prod", False, id="after-a-failback"),
    ],
)
def test_the_other_side(stage: Stage | None, pods: int, named: str, off: bool) -> None:
    assert rule_of_primary("prod", mark(stage), gateways(pods), named).off is off


def test_the_mark_is_kept_in_the_record() -> None:
    record = Record(
        "dr",
        failover=FailoverMark(Stage.ACTIVE, "2026-11-27T00:19:58+00:00", "ada", "2026-11-27T00:20:00+00:00", "a drill"),
    )
    assert Record.of(record.document()) == record


@pytest.mark.parametrize(
    "values",
    [
        {"stage": "asleep"},
        {"stage": 1},
        {"stage": "active", "who": None},
        {},
        {"stage": "active", "switched": "yesterday"},
        {"stage": "active", "since": "2026-11-27T00:19:58"},
    ],
)
def test_a_mark_that_is_none(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a record of sohistio"):
        FailoverMark.of(values)

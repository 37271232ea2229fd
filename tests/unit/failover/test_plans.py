"""What a failover, a failback and a rehearsal do, by what is done already: tables of step ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sides import EGRESS, INGRESS, gateways, side, world
from sohistio.failover.plans import Move, plan_move, plan_other_side, plan_rehearsal, plan_standing_by
from sohistio.failover.world import World, last_switch
from sohistio.model.failover_mark import Stage
from sohistio.model.mode import Mode
from sohistio.plan.failover_steps import MarkFailover
from sohistio.plan.plan import Plan
from sohistio.plan.risk import Risk
from sohistio.plan.steps import HoldStandby, ScaleUp

TO_DR = Move("dr", Mode.FAILOVER)
TO_PROD = Move("prod", Mode.FAILBACK)
UP = ["gateways/scale-up", "gateways/await"]


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            world(),
            ["begin/moving", *UP, "prove/dr", "dns/switch", "prove-by-name/await", "record/active"],
            id="all-of-it",
        ),
        pytest.param(
            world(stage=Stage.MOVING),
            [*UP, "prove/dr", "dns/switch", "prove-by-name/await", "record/active"],
            id="begun",
        ),
        pytest.param(
            world(dr=3, stage=Stage.MOVING),
            ["prove/dr", "dns/switch", "prove-by-name/await", "record/active"],
            id="scaled",
        ),
        pytest.param(
            world("dr", dr=3, stage=Stage.MOVING), ["prove/dr", "prove-by-name/await", "record/active"], id="switched"
        ),
        pytest.param(world("dr", dr=3, stage=Stage.ACTIVE), [], id="done-already"),
        pytest.param(
            world("dr", dr=3),
            ["begin/moving", "prove/dr", "prove-by-name/await", "record/active"],
            id="the-record-is-lost",
        ),
        pytest.param(
            world("dr", dr=0, stage=Stage.ACTIVE),
            [*UP, "prove/dr", "prove-by-name/await", "record/active"],
            id="somebody-switched-it-off",
        ),
    ],
)
def test_to_the_standby(found: World, expected: list[str]) -> None:
    plan = plan_move(found, TO_DR)
    assert ids(plan) == expected
    assert (plan.environment, plan.cluster, plan.mode) == ("dr", "https://dr", Mode.FAILOVER)
    assert plan.reasons[1:] == found.lines()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            world("dr", dr=3, stage=Stage.ACTIVE, prod_stage=Stage.AWAY),
            ["prove/prod", "dns/switch", "prove-by-name/await", "record/serving"],
            id="prod-was-left-on",
        ),
        pytest.param(
            world("dr", dr=3, prod=0, stage=Stage.ACTIVE, prod_stage=Stage.DRAINED),
            ["begin/returning", *UP, "prove/prod", "dns/switch", "prove-by-name/await", "record/serving"],
            id="prod-was-drained",
        ),
        pytest.param(world("prod", dr=3, stage=Stage.ACTIVE, prod_stage=Stage.SERVING), [], id="done-already"),
    ],
)
def test_back_to_the_primary(found: World, expected: list[str]) -> None:
    plan = plan_move(found, TO_PROD)
    assert ids(plan) == expected
    assert plan.environment == "prod"


def test_both_gateways_are_woken_at_once_to_their_autoscalers_minimum() -> None:
    (scale,) = [step for step in plan_move(world(), TO_DR).steps if isinstance(step, ScaleUp)]
    assert scale.minimums == ((INGRESS, 3), (EGRESS, 3))


def test_only_the_gateway_that_sleeps_is_woken() -> None:
    found = world()
    half = replace(found, standby=replace(found.standby, gateways=(gateways(3)[0], gateways(0)[1])))
    (scale,) = [step for step in plan_move(half, TO_DR).steps if isinstance(step, ScaleUp)]
    assert scale.minimums == ((EGRESS, 3),)


@pytest.mark.parametrize("pods", [0, 1])
def test_without_an_autoscaler_a_gateway_is_scaled_to_the_environments_minimum(pods: int) -> None:
    found = world(stage=Stage.MOVING)
    lone = replace(
        found.standby, gateways=(gateways(pods)[0], gateways(3)[1]), maximums={EGRESS: 10}, minimums={INGRESS: 3}
    )
    (scale,) = [step for step in plan_move(replace(found, standby=lone), TO_DR).steps if isinstance(step, ScaleUp)]
    assert scale.minimums == ((INGRESS, 3),)


def test_a_move_is_watched_where_that_is_asked_for() -> None:
    assert "watch/health" in ids(plan_move(world(), replace(TO_DR, watch=300)))


def test_what_serves_already_can_still_be_watched() -> None:
    plan = plan_move(world("dr", dr=3, stage=Stage.ACTIVE), replace(TO_DR, watch=300))
    assert ids(plan) == ["watch/health"]
    assert not plan.changes_pending


def test_the_switch_is_what_the_plan_calls_dangerous() -> None:
    plan = plan_move(world(), TO_DR)
    assert plan.danger == "moves traffic: app.example.com from 10.1.0.1 to 10.2.0.1"
    assert [step.id for step in plan.steps if step.risk is Risk.DISRUPT] == ["dns/switch"]


def test_a_refused_move_has_no_steps() -> None:
    plan = plan_move(world(), replace(TO_DR, refusal="no"))
    assert (plan.steps, plan.refusal) == ((), "no")


def test_a_rehearsal_proves_both_ways_and_ends_off() -> None:
    assert ids(plan_rehearsal(world())) == [
        "begin/rehearsing",
        *UP,
        "prove/dr",
        "prove/back",
        "gateways-off/hold",
        "record/standby",
    ]


def test_a_rehearsal_that_was_killed_is_ended() -> None:
    found = world(dr=3, stage=Stage.REHEARSING)
    assert ids(plan_standing_by(found, Mode.REHEARSE)) == ["gateways-off/hold", "record/standby"]


@pytest.mark.parametrize(
    ("found", "seconds", "expected"),
    [
        pytest.param(
            world(dr=3, stage=Stage.ACTIVE), 40, ["old-answers/await", "gateways-off/hold", "record/standby"], id="all"
        ),
        pytest.param(world(dr=3, stage=Stage.ACTIVE), 0, ["gateways-off/hold", "record/standby"], id="ttl-is-over"),
        pytest.param(world(dr=0, stage=Stage.ACTIVE), 40, ["record/standby"], id="off-already"),
        pytest.param(world(dr=0, stage=Stage.STANDBY), 0, [], id="done-already"),
        pytest.param(world(dr=0), 0, [], id="never-failed-over"),
    ],
)
def test_the_standby_stands_by_again(found: World, seconds: int, expected: list[str]) -> None:
    assert ids(plan_standing_by(found, Mode.FAILBACK, "", seconds)) == expected


@pytest.mark.parametrize(
    ("found", "drain", "expected"),
    [
        pytest.param(world("dr", dr=3), False, ["record/away"], id="left"),
        pytest.param(
            world("dr", dr=3), True, ["old-answers/await", "gateways-off/hold", "record/drained"], id="drained"
        ),
        pytest.param(world("dr", dr=3, prod_stage=Stage.AWAY), False, [], id="left-already"),
        pytest.param(
            world("dr", dr=3, prod_stage=Stage.AWAY),
            True,
            ["old-answers/await", "gateways-off/hold", "record/drained"],
            id="drained-later",
        ),
        pytest.param(world("dr", dr=3, prod=0, prod_stage=Stage.DRAINED), True, [], id="drained-already"),
        pytest.param(world("dr", dr=3, prod=0, prod_stage=Stage.DRAINED), False, [], id="stays-drained"),
    ],
)
def test_the_side_that_traffic_has_left(found: World, drain: bool, expected: list[str]) -> None:
    plan = plan_other_side(found, Mode.FAILOVER, drain=drain, old_answers=10)
    assert ids(plan) == expected
    off = [step for step in plan.steps if isinstance(step, HoldStandby)]
    assert all(step.gateways == (INGRESS, EGRESS) for step in off)


def test_a_side_in_one_line() -> None:
    assert side("prod", 3, Stage.AWAY).line() == (
        "prod: istio-ingressgateway 3 of 3 ready, istio-egressgateway 3 of 3 ready; address 10.1.0.1; recorded as away"
    )
    assert side("prod", 3, problem="no route").line() == "prod: cannot be read (no route)"


LEFT = "2026-11-26T03:00:00+00:00"


@pytest.mark.parametrize(
    ("found", "switched"),
    [
        pytest.param(world("dr", dr=3, prod_stage=Stage.AWAY), LEFT, id="the-record-is-lost-and-prods-is-there"),
        pytest.param(world("dr", dr=3), "", id="both-are-lost"),
        pytest.param(world("dr", dr=3, stage=Stage.MOVING, prod_stage=Stage.AWAY), "", id="its-own-says-it"),
        pytest.param(world(prod_stage=Stage.SERVING), "", id="it-is-switched-by-this-run"),
    ],
)
def test_a_switch_that_only_the_other_sides_record_knows(found: World, switched: str) -> None:
    marks = [step for step in plan_move(found, TO_DR).steps if isinstance(step, MarkFailover)]
    assert (marks[-1].stage, marks[-1].switched) == (Stage.ACTIVE, switched)
    assert all(not step.switched for step in marks[:-1])
    if switched:
        assert last_switch(found) == switched

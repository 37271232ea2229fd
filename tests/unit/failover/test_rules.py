"""When traffic must not be moved: a table of unsafe starts, each with the rule that stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sides import INGRESS, SETTINGS, SETTINGS_THAT_TELL_NOTHING, SETTINGS_WITHOUT_PROBES, gateways, world
from sohistio.errors import RefusedError
from sohistio.failover.rules import ACCEPTABLE, check_two_clusters, drain_faults, faults_of
from sohistio.failover.world import World
from sohistio.model.failover import FailoverSettings
from sohistio.model.failover_mark import Stage


def with_dr(**changes: object) -> World:
    found = world()
    return replace(found, standby=replace(found.standby, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "settings", "since", "rules"),
    [
        pytest.param(world(), SETTINGS, None, [], id="safe"),
        pytest.param(world(), SETTINGS, 601.0, [], id="after-the-hold-down"),
        pytest.param(world(), SETTINGS, 599.0, ["hold-down"], id="hold-down"),
        pytest.param(world(stage=Stage.STANDBY), SETTINGS, 5.0, ["hold-down"], id="hold-down-after-a-failback"),
        pytest.param(world(stage=Stage.MOVING), SETTINGS, 5.0, [], id="an-interrupted-move-goes-on"),
        pytest.param(world("dr", dr=3, stage=Stage.MOVING), SETTINGS, 5.0, [], id="switched-already"),
        pytest.param(world(), SETTINGS_WITHOUT_PROBES, None, ["probes"], id="no-probes"),
        pytest.param(world(), SETTINGS_THAT_TELL_NOTHING, None, ["probes"], id="probes-that-tell-nothing"),
        pytest.param(with_dr(problem="no route"), SETTINGS, None, ["target"], id="unreachable"),
        pytest.param(with_dr(gateways=()), SETTINGS, None, ["target"], id="no-mesh"),
        pytest.param(with_dr(gateways=gateways(0)[:1]), SETTINGS, None, ["target"], id="no-egress-gateway"),
        pytest.param(with_dr(address="", pinned=""), SETTINGS, None, ["address"], id="no-address"),
        pytest.param(with_dr(address="10.2.0.9"), SETTINGS, None, ["address"], id="another-address-than-pinned"),
        pytest.param(with_dr(pinned=""), SETTINGS, None, [], id="not-pinned"),
        pytest.param(with_dr(address=""), SETTINGS_WITHOUT_PROBES, 1.0, ["address", "probes", "hold-down"], id="all"),
    ],
)
def test_unsafe_starts(found: World, settings: FailoverSettings, since: float | None, rules: list[str]) -> None:
    faults = faults_of(found, "dr", settings, since)
    assert [fault.rule for fault in faults] == rules
    assert all(fault.message and fault.hint for fault in faults)


def test_the_hold_down_says_how_long_and_how_to_go_on() -> None:
    (fault,) = faults_of(world(), "dr", SETTINGS, 540.0)
    assert fault.message == "the DNS record was switched 540 s ago: hold-down for another 1m"
    assert '--accept hold-down --because "…"' in fault.hint
    assert {"hold-down"} == ACCEPTABLE
    (fault,) = faults_of(world(), "dr", SETTINGS, 33.4)
    assert fault.message.endswith("hold-down for another 10m"), "whole minutes"


@pytest.mark.parametrize(
    ("found", "drained", "words"),
    [
        pytest.param(world("dr", dr=3), "prod", [], id="safe"),
        pytest.param(world("dr", dr=0), "prod", ["the gateways of dr are not all ready"], id="the-other-is-off"),
        pytest.param(world("prod", dr=3), "prod", ["DNS still leads to prod"], id="dns-leads-there"),
        pytest.param(world("prod", dr=0), "prod", ["the gateways of dr", "DNS still leads to prod"], id="both"),
        pytest.param(world("prod", dr=3), "dr", [], id="back"),
        pytest.param(world("prod", dr=3, prod=0), "dr", ["the gateways of prod are not all ready"], id="back-and-off"),
        pytest.param(world("dr", dr=3), "dr", ["DNS still leads to dr"], id="back-too-early"),
    ],
)
def test_both_sides_are_never_off(found: World, drained: str, words: list[str]) -> None:
    faults = drain_faults(found, drained)
    assert len(faults) == len(words)
    assert all(word in fault.message for word, fault in zip(words, faults, strict=True))
    assert {fault.rule for fault in faults} <= {"both-off"}


def test_one_gateway_of_the_other_side_short_of_its_minimum_is_not_ready() -> None:
    found = world("dr", dr=3)
    short = replace(found, standby=replace(found.standby, gateways=gateways(3, 2), minimums={INGRESS: 3}))
    assert [fault.rule for fault in drain_faults(short, "prod")] == ["both-off"]


def test_two_sides_are_two_clusters() -> None:
    found = world()
    check_two_clusters(found.primary, found.standby)
    twin = replace(found.standby, server=found.primary.server)
    with pytest.raises(RefusedError, match="prod and dr lead to the same cluster: https://prod") as caught:
        check_two_clusters(found.primary, twin)
    assert "--context" in caught.value.todo
    check_two_clusters(replace(found.primary, problem="it is away"), twin)

"""The version policy: more that is old never makes it say less, and a wider support never makes it say more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from any_clusters import CLUSTERS, VERSIONS, WORKLOADS, proxies
from observed import pod, state, workload
from sohistio.model.fault import Fault
from sohistio.model.gateway_api import Definition, GatewayApi, Limit
from sohistio.model.state import ClusterState, Workload
from sohistio.model.versions import Version
from sohistio.modes.skew import RULES, old_proxies, skew_faults

SUPPORT = {"1.29": (31, 35), "1.30": (32, 36), "1.31": (32, 36)}
LIMITS = {(1, 27): Limit((1, 5), 9), (1, 28): Limit((1, 5))}
HOPS = st.lists(VERSIONS, min_size=1, max_size=3)


def faults(
    seen: ClusterState, installed: Version | None, hops: list[Version], *, in_place: bool = True
) -> Counter[Fault]:
    return Counter(skew_faults(seen, installed, hops, SUPPORT, in_place=in_place, limits=LIMITS))


def rules(found: Counter[Fault]) -> set[str]:
    return {fault.rule for fault in found}


@given(CLUSTERS, VERSIONS, HOPS, st.booleans())
def test_every_fault_has_a_rule_that_can_be_explained(
    seen: ClusterState, installed: Version, hops: list[Version], in_place: bool
) -> None:
    found = faults(seen, installed, hops, in_place=in_place)
    assert rules(found) <= set(RULES)
    assert all(fault.message and fault.blocks for fault in found)


@given(CLUSTERS, VERSIONS, HOPS)
def test_sidecars_that_stay_only_add_faults(seen: ClusterState, installed: Version, hops: list[Version]) -> None:
    replaced, in_place = (faults(seen, installed, hops, in_place=keeps) for keeps in (False, True))
    assert replaced <= in_place
    assert rules(in_place - replaced) <= {"one-minor-at-a-time", "proxy-skew"}


@given(VERSIONS, HOPS)
def test_a_step_of_more_than_one_minor_is_always_found_and_never_skipped(
    installed: Version, hops: list[Version]
) -> None:
    found = [fault for fault in faults(state(), installed, hops) if fault.rule == "one-minor-at-a-time"]
    steps = [abs(after.minor - before.minor) for before, after in pairwise((installed, *hops))]
    assert bool(found) is (max(steps) > 1)
    assert not any(fault.can_be_skipped for fault in found)


@given(CLUSTERS, VERSIONS, HOPS, VERSIONS)
def test_a_further_stop_takes_none_of_the_releases_faults_away(
    seen: ClusterState, installed: Version, hops: list[Version], stop: Version
) -> None:
    """Of what a release itself is: what it runs on, and whether it is one."""
    before, after = (faults(seen, installed, way, in_place=False) for way in (hops, [*hops, stop]))
    assert before <= after


@given(CLUSTERS, VERSIONS, WORKLOADS)
def test_more_sidecars_never_mean_fewer_faults(seen: ClusterState, target: Version, more: Workload) -> None:
    def old(cluster: ClusterState) -> set[str]:
        return {name for fault in old_proxies(cluster, target) for name in fault.message.partition(": ")[2].split(", ")}

    assert old(seen) <= old(replace(seen, carriers=(*seen.carriers, more)))


@given(VERSIONS, VERSIONS, VERSIONS)
def test_what_is_too_old_is_too_old_for_a_newer_istiod_and_so_is_what_is_older(
    sidecar: Version, one: Version, other: Version
) -> None:
    def too_old(tag: Version, istiod: Version) -> bool:
        pods = (pod(str(tag)),)
        return bool(list(old_proxies(state(carriers=(workload("web", pods=pods),)), istiod)))

    less, more = sorted((one, other))
    assert too_old(sidecar, less) <= too_old(sidecar, more)
    assert too_old(more, sidecar) <= too_old(less, sidecar)
    assert not too_old(sidecar, sidecar)


@given(CLUSTERS, HOPS, st.integers(0, 5), st.integers(0, 5))
def test_a_wider_support_never_adds_a_fault(seen: ClusterState, hops: list[Version], down: int, up: int) -> None:
    wider = {minor: (oldest - down, newest + up) for minor, (oldest, newest) in SUPPORT.items()}

    def kubernetes(support: dict[str, tuple[int, int]]) -> int:
        found = skew_faults(seen, None, hops, support, in_place=False)
        return sum(fault.rule in ("kubernetes-version", "istio-minor-unknown") for fault in found)

    assert kubernetes(wider) <= kubernetes(SUPPORT)


_RELEASES = st.tuples(st.integers(0, 2), st.integers(0, 9))


@given(HOPS, _RELEASES, _RELEASES)
def test_newer_gateway_api_crds_never_mean_fewer_faults(
    hops: list[Version], one: tuple[int, int], other: tuple[int, int]
) -> None:
    def found(release: tuple[int, int]) -> int:
        definition = Definition("x.gateway.networking.k8s.io", "v{}.{}.0".format(*release))
        return faults(state(gateway_api=GatewayApi((definition,))), None, hops).total()

    older, newer = sorted((one, other))
    assert found(older) <= found(newer)


@given(proxies(st.text(max_size=12)), VERSIONS)
def test_a_tag_that_is_no_version_is_no_fault_and_no_crash(pods: tuple[object, ...], target: Version) -> None:
    for fault in old_proxies(state(carriers=(workload("web", pods=pods),)), target):  # type: ignore[arg-type]
        assert fault.rule == "proxy-skew"

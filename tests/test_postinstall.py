"""Which workloads a restart touches, which it leaves alone and why, and in which waves."""

from __future__ import annotations

import pytest

from seen import budget, pod, sidecar, stale, state, workload
from sohistio.postinstall import restart_phase, restarts, waves
from sohistio.state import ObjectRef, PodSeen, Workload

TODAY = sidecar("1.31.1")


@pytest.mark.parametrize(
    ("pods", "restarted"),
    [
        pytest.param((pod("1.31.1"),), False, id="current"),
        pytest.param((pod("1.30.5"),), True, id="old"),
        pytest.param((pod(""),), True, id="missing"),
        pytest.param((pod("1.31.1"), pod("1.30.5")), True, id="one-of-two-old"),
        pytest.param((), False, id="no-running-pod"),
        pytest.param((pod("", labels={"sidecar.istio.io/inject": "false"}),), False, id="opted-out-by-label"),
        pytest.param((pod("", annotations={"sidecar.istio.io/inject": "false"}),), False, id="opted-out-by-annotation"),
        pytest.param(
            (
                pod(
                    "1.30.5",
                    labels={"sidecar.istio.io/inject": "true"},
                    annotations={"sidecar.istio.io/inject": "false"},
                ),
            ),
            True,
            id="label-beats-annotation",
        ),
        pytest.param((pod("", host_network=True),), False, id="host-network-is-never-injected"),
        pytest.param(
            (pod("", proxy_image="own/proxy:7", annotations={"sidecar.istio.io/proxyImage": "own/proxy:7"}),),
            False,
            id="own-image",
        ),
        pytest.param(
            (pod("1.31.1-debug", annotations={"sidecar.istio.io/proxyImageType": "debug"}),), False, id="own-variant"
        ),
        pytest.param(
            (pod("1.31.1", annotations={"sidecar.istio.io/proxyImageType": "distroless"}),),
            True,
            id="variant-not-yet-there",
        ),
    ],
)
def test_a_workload_is_restarted_when_a_running_pod_lacks_todays_sidecar(
    pods: tuple[PodSeen, ...], restarted: bool
) -> None:
    to_restart, _ = restarts(state(workloads=(workload(pods=pods),)), TODAY)
    assert bool(to_restart) is restarted


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        pytest.param(stale(paused=True), "paused", id="paused"),
        pytest.param(stale(desired=0), "scaled to zero", id="going"),
        pytest.param(workload(desired=0, pods=()), "scaled to zero", id="zero"),
        pytest.param(stale(strategy="OnDelete"), "OnDelete", id="on-delete"),
        pytest.param(stale(strategy="Partitioned"), "partitioned", id="partitioned"),
        pytest.param(
            workload(pods=(pod("", labels={"sidecar.istio.io/inject": "false"}),)), "opted out", id="opted-out"
        ),
        pytest.param(stale(strategy="Recreate", max_unavailable=3), "allows 1", id="below-its-budget"),
    ],
)
def test_what_is_left_alone_is_listed_with_its_reason(left: Workload, reason: str) -> None:
    to_restart, listed = restarts(state(workloads=(left,), budgets=(budget(),)), TODAY)
    assert to_restart == []
    assert [item.ref for item in listed] == [left.ref]
    assert reason in listed[0].reason


def test_pods_without_a_workload_are_listed() -> None:
    bare = ObjectRef("Pod", "shop", "debug")
    _, listed = restarts(state(unowned_pods=(bare,)), TODAY)
    assert [item.ref for item in listed] == [bare]


def test_a_budget_with_room_lets_the_restart_happen() -> None:
    to_restart, _ = restarts(state(workloads=(stale(max_unavailable=1),), budgets=(budget(headroom=1),)), TODAY)
    assert len(to_restart) == 1


def test_a_budget_of_another_namespace_does_not_count() -> None:
    elsewhere = budget(headroom=0, namespace="other")
    to_restart, _ = restarts(state(workloads=(stale(max_unavailable=1),), budgets=(elsewhere,)), TODAY)
    assert len(to_restart) == 1


def test_waves_are_bounded_and_never_hold_two_workloads_of_one_budget() -> None:
    shared = budget("shared", app="web", headroom=1)
    twins = [stale("a"), stale("b"), stale("c"), stale("d")]
    under_one = [workload(w.ref.name, pods=(pod("1.30.5", labels={"app": "web"}),)) for w in twins[:2]]
    planned = waves([*under_one, *twins[2:]], (shared,), 2)
    assert [[w.ref.name for w in wave] for wave in planned] == [["a", "c"], ["b", "d"]]


def test_no_phase_when_nothing_is_stale() -> None:
    assert restart_phase(state(workloads=(workload(),)), TODAY) == ()


def test_the_phase_names_workloads_and_what_is_left() -> None:
    (phase,) = restart_phase(state(workloads=(stale(), stale("paused", paused=True))), TODAY)
    (step,) = phase.steps
    assert step.id == "sidecars/restart"
    assert "1 workload" in step.summary

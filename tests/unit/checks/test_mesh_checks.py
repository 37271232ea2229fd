"""Every check of the verification, as it passes and as it fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from observed import budget, istiod, mesh, pod, service, sidecar, stale, state, workload
from sohistio.checks.mesh import Evidence, verify
from sohistio.checks.result import CheckResult, Result, check_document
from sohistio.model.desired import DesiredDeployment, DesiredMesh, DesiredService
from sohistio.model.fault import Severity
from sohistio.model.finding import Finding
from sohistio.model.held_back import HeldBack, Why
from sohistio.model.refused_pod import Refusal
from sohistio.model.sidecar import RESTARTED_FOR
from sohistio.model.state import Budget, ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.left_alone import NO_POD, NO_SIDECAR

INGRESS = "istio-ingressgateway"
RESOURCE = ObjectRef("VirtualService", "shop", "web")


def wanted(name: str = INGRESS, minimum: int = 3, *, least: str = "2") -> DesiredDeployment:
    component = "istiod" if name == "istiod" else "gateway"
    return DesiredDeployment(ObjectRef("Deployment", "istio-system", name), component, minimum, least)


def address(text: str = "10.0.0.1", kind: str = "LoadBalancer") -> DesiredService:
    return DesiredService(ObjectRef("Service", "istio-system", INGRESS), kind, text)


def over(name: str, *, minimum: str = "2", app: str = INGRESS) -> Budget:
    """A budget over a gateway's pods."""
    ref = ObjectRef("PodDisruptionBudget", "istio-system", name)
    return Budget(ref, {"matchLabels": {"app": app}}, minimum, "", 2, 3, 1)


def found(seen: ClusterState, name: str, *wants: DesiredDeployment | DesiredService, **more: Any) -> list[CheckResult]:
    """The results of one check."""
    deployments = tuple(item for item in wants if isinstance(item, DesiredDeployment))
    services = tuple(item for item in wants if isinstance(item, DesiredService))
    desired = DesiredMesh(Version(1, 31, 1), "", deployments, services, sidecar())
    evidence = Evidence(seen, desired, **({"findings": ()} | more))
    return [result for result in verify(evidence) if result.name == name]


def passes(results: list[CheckResult], message: str) -> None:
    assert [(item.result, item.message) for item in results] == [(Result.PASSED, message)]


def fails(results: list[CheckResult], message: str) -> None:
    assert [item.message for item in results if item.breaks] == [message]
    assert all(item.hint for item in results if item.breaks)


def test_istiod_version() -> None:
    name = "istiod-version"
    passes(found(state(), name), "istiod runs 1.31.1")
    fails(found(state(istiods=(istiod("1.30.5"),)), name), "1.30.5 instead of 1.31.1")
    fails(found(state(istiods=()), name), "no istiod instead of 1.31.1")
    fails(found(state(istiods=(istiod("1.31.1-rc.0"),)), name), "1.31.1-rc.0 instead of 1.31.1")
    both = state(istiods=(istiod(), istiod("1.30.5", revision="old")))
    fails(found(both, name), "1.30.5, 1.31.1 instead of 1.31.1")


@pytest.mark.parametrize(
    ("desired", "ready", "minimum", "message"),
    [
        pytest.param(3, 3, 3, "", id="as-wanted"),
        pytest.param(7, 7, 3, "", id="scaled-up"),
        pytest.param(3, 2, 3, f"{INGRESS} 2/3 ready", id="one-not-ready"),
        pytest.param(7, 6, 3, f"{INGRESS} 6/7 ready", id="one-of-many-not-ready"),
        pytest.param(1, 1, 3, f"{INGRESS} 1/3 ready", id="not-yet-scaled-up"),
        pytest.param(0, 0, 3, f"{INGRESS} 0/3 ready", id="asleep"),
    ],
)
def test_pods_ready(desired: int, ready: int, minimum: int, message: str) -> None:
    seen = state(mesh_deployments=(mesh(INGRESS, desired=desired, ready=ready),))
    results = found(seen, "pods-ready", wanted(minimum=minimum))
    fails(results, message) if message else passes(results, f"{INGRESS} {ready}/{desired} ready")


def test_a_component_that_is_not_there() -> None:
    message = f"Deployment istio-system/{INGRESS} does not exist"
    fails(found(state(), "pods-ready", wanted()), message)
    fails(found(state(), "standby-gateways-off", wanted(minimum=0)), message)


def test_standby_gateways_off() -> None:
    name = "standby-gateways-off"
    off = state(mesh_deployments=(mesh(INGRESS, desired=0, ready=0),))
    passes(found(off, name, wanted(minimum=0)), f"{INGRESS} is off: 0/0")
    awake = state(mesh_deployments=(mesh(INGRESS, desired=3, ready=1),))
    fails(found(awake, name, wanted(minimum=0)), f"{INGRESS} has 3 pods in a standby")


@pytest.mark.parametrize(
    ("seen", "asked", "message"),
    [
        pytest.param(("10.0.0.1",), "10.0.0.1", "", id="as-wanted"),
        pytest.param(("10.9.9.9",), "", "", id="left-to-azure"),
        pytest.param((), "10.0.0.1", f"{INGRESS} waits for 10.0.0.1", id="pending"),
        pytest.param((), "", f"{INGRESS} waits for an address", id="pending-any"),
        pytest.param(("10.9.9.9",), "10.0.0.1", f"{INGRESS} has 10.9.9.9 instead of 10.0.0.1", id="another"),
        pytest.param(None, "10.0.0.1", f"there is no Service {INGRESS}", id="no-service"),
    ],
)
def test_gateway_address(seen: tuple[str, ...] | None, asked: str, message: str) -> None:
    services = () if seen is None else (service(*seen),)
    results = found(state(gateway_services=services), "gateway-address", address(asked))
    fails(results, message) if message else passes(results, f"{INGRESS} has {', '.join(seen or ())}")


def test_a_gateway_without_a_load_balancer_needs_no_address() -> None:
    assert found(state(), "gateway-address", address(kind="ClusterIP")) == []


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        pytest.param((over("a"),), "", id="as-wanted"),
        pytest.param((over("a"), over("other", app="web")), "", id="another-over-others"),
        pytest.param((), f"{INGRESS} has no budget instead of minAvailable 2", id="none"),
        pytest.param((over("a", minimum="1"),), f"{INGRESS} has minAvailable 1 instead of minAvailable 2", id="less"),
        pytest.param((over("b"), over("a")), f"{INGRESS} is under 2 budgets: a, b", id="two"),
    ],
)
def test_disruption_budget(budgets: tuple[Budget, ...], message: str) -> None:
    seen = state(mesh_deployments=(mesh(INGRESS),), budgets=budgets)
    results = found(seen, "disruption-budget", wanted())
    fails(results, message) if message else passes(results, f"{INGRESS}: minAvailable 2")


def test_sidecars_current() -> None:
    name = "sidecars-current"
    looked = "1 running workloads that the mesh injects looked at, none to restart"
    passes(found(state(workloads=(workload(),)), name), looked)
    fails(found(state(workloads=(stale(),)), name), "old or no sidecar: Deployment shop/web")
    fails(found(state(sidecar=None), name), "the injector's configuration cannot be read")
    out = workload(pods=(pod("", labels={"sidecar.istio.io/inject": "false"}),))
    passes(found(state(workloads=(out,)), name), looked)


def test_a_run_answers_for_the_restarts_it_was_to_do_and_tells_of_others() -> None:
    name, web, late = "sidecars-current", stale(), stale("late")
    both = found(state(workloads=(late, web)), name, approved={web.ref})
    fails(both, "old or no sidecar: Deployment shop/web")
    (other,) = found(state(workloads=(late,)), name, approved={web.ref})
    assert (other.breaks, other.result) == (False, Result.FAILED)
    assert other.message == "1 more Deployment needs a restart that this plan did not have: Deployment shop/late"
    assert "`sohistio restart`" in other.hint
    fails(found(state(workloads=(late,)), name), "old or no sidecar: Deployment shop/late")


def test_what_waits_for_its_window_is_a_warning_by_its_reason() -> None:
    waiting = [stale(name) for name in ("api", "db", "web")]
    shut = "outside its window; opens Sat 2026-11-28 02:00 UTC"
    held = {w.ref: HeldBack(w.ref, Why.WINDOW, shut) for w in waiting[:2]}
    held |= {waiting[2].ref: HeldBack(waiting[2].ref, Why.OPT_OUT, "opted out of restarts by its annotation")}
    results = found(state(workloads=tuple(waiting)), "sidecars-current", held_back=held)
    assert [item.message for item in results] == [
        f"Deployment shop/api, Deployment shop/db: old or no sidecar, and not restarted now: {shut}",
        "Deployment shop/web: old or no sidecar, and not restarted now: opted out of restarts by its annotation",
    ]
    assert not any(item.breaks for item in results)
    both = found(state(workloads=(*waiting, stale("due"))), "sidecars-current", held_back=held)
    fails(both[:1], "old or no sidecar: Deployment shop/due")
    looked = "1 running workloads that the mesh injects looked at, none to restart"
    passes(found(state(workloads=(workload("api"),)), "sidecars-current", held_back=held), looked)


def test_a_long_reason_of_somebody_is_whole_for_machines_alone() -> None:
    web, why = stale(), "x" * 5000
    held = {web.ref: HeldBack(web.ref, Why.OPT_OUT, f"opted out of restarts by its annotation: {why}", text=why)}
    (check,) = found(state(workloads=(web,)), "sidecars-current", held_back=held)
    assert why in check_document(check)["message"]
    assert len(check.for_people) < 300


def test_pods_that_were_restarted_and_differ_are_named_with_both_images() -> None:
    by_hand = pod("1.30.5", annotations={RESTARTED_FOR: sidecar().image_for({})})
    odd = tuple(workload(name, pods=(pod(), by_hand)) for name in ("api", "web"))
    results = found(state(workloads=odd), "sidecars-current")
    (warning,) = (item for item in results if item.result is Result.FAILED)
    assert warning.severity is Severity.WARNING
    assert warning.message == (
        "Deployment shop/api, Deployment shop/web: its pods run docker.io/istio/proxyv2:1.30.5, although they were to "
        "get docker.io/istio/proxyv2:1.31.1: either something rewrites new pods (another restart would not help), or "
        "somebody changed the running ones by hand"
    )
    assert warning.hint.startswith("Delete one such pod")


def test_pods_without_a_sidecar_that_no_restart_mends_fail_by_name() -> None:
    injected = {"sidecar.istio.io/status": "{}"}
    bare, whole = (
        workload(name, pods=(pod(tag, annotations=injected),)) for name, tag in (("bare", ""), ("whole", "1.30.5"))
    )
    refs = frozenset({bare.ref, whole.ref})
    seen = state(workloads=(bare, whole), passed_over=refs)
    failure, warning = found(seen, "sidecars-current")
    fails([failure], f"without a sidecar: Deployment shop/bare: {NO_SIDECAR}")
    assert (warning.breaks, warning.message) == (False, f"Deployment shop/whole: {NO_SIDECAR}")
    of_a_run = found(seen, "sidecars-current", approved={whole.ref})
    assert not any(item.breaks for item in of_a_run)
    refused = state(workloads=(workload("bare", pods=(pod(""),)),), refused={bare.ref: Refusal("a quota", real=True)})
    fails(found(refused, "sidecars-current"), f"without a sidecar: Deployment shop/bare: {NO_POD}: a quota")


def test_who_lost_some_sidecars_is_named_with_how_many_and_what_keeps_new_pods_away_comes_first() -> None:
    tried = {RESTARTED_FOR: sidecar().image_for({})}
    some = workload("some", pods=(pod(), pod("", annotations=tried)))
    (failure,) = found(state(workloads=(some,)), "sidecars-current")
    assert failure.message.startswith("without a sidecar: Deployment shop/some: 1 of its 2 pods have no sidecar, ")
    assert failure.hint.startswith("Delete one such pod")
    refused = found(state(workloads=(some,), refused={some.ref: Refusal("a webhook", real=True)}), "sidecars-current")
    fails(refused, f"without a sidecar: Deployment shop/some: {NO_POD}: a webhook")
    assert "elete" not in refused[0].hint


def test_what_a_restart_passes_by_is_a_warning() -> None:
    held = stale(strategy="Recreate", max_unavailable=3)
    results = found(state(workloads=(held,), budgets=(budget(),)), "sidecars-current")
    warning = next(item for item in results if item.severity is Severity.WARNING)
    assert warning.result is Result.FAILED
    assert "Deployment shop/web" in warning.message
    assert not any(item.breaks for item in results)


def finding(level: str) -> Finding:
    return Finding("IST0101", level, "VirtualService shop/web", "referenced host not found", "", "https://istio.io/x")


def test_istioctl_analyze() -> None:
    name = "istioctl-analyze"
    passes(found(state(), name), "errors: none, warnings: 0, infos: 0")
    passes(found(state(), name, findings=(finding("Info"),)), "errors: none, warnings: 0, infos: 1")
    warned = found(state(), name, findings=(finding("Warning"),))
    assert [item.severity for item in warned] == [Severity.WARNING, Severity.ERROR]
    assert not any(item.breaks for item in warned)
    message = "Error IST0101 (VirtualService shop/web): referenced host not found"
    fails(found(state(), name, findings=(finding("Error"), finding("Info"))), message)


def test_an_error_of_the_analysis_that_was_there_before_is_a_warning() -> None:
    name, old = "istioctl-analyze", finding("Error")
    other = replace(old, origin="VirtualService shop/other")
    known = found(state(), name, findings=(old,), findings_before=(replace(old, documentation_url="elsewhere"),))
    assert not any(item.breaks for item in known)
    assert [item.message for item in known] == [
        "there before this run: Error IST0101 (VirtualService shop/web): referenced host not found",
        "errors: no new ones (1 before), warnings: 0, infos: 0",
    ]
    fails(found(state(), name, findings=(old, other), findings_before=(old,)), other.line)
    fails(found(state(), name, findings=(old,), findings_before=(replace(old, message="another"),)), old.line)


def test_an_analysis_that_fails_is_one_check_beside_the_others() -> None:
    """Unless nothing is known of before the run: then no finding would fail it, and none that is missing does."""
    name, why = "istioctl-analyze", "istioctl analyze failed (exit code 1): Error: no"
    fails(found(state(), name, not_analyzed=why), f"not known what it finds: {why}")
    assert found(state(), "istiod-version", not_analyzed=why)[0].result is Result.PASSED
    (warning,) = found(state(), name, not_analyzed=why, findings_before=None)
    assert (warning.result, warning.severity, warning.breaks) == (Result.FAILED, Severity.WARNING, False)
    assert "`sohistio verify`" in warning.hint


def test_ca_unchanged() -> None:
    name, old, new = "ca-unchanged", "a" * 64, "b" * 64
    assert found(state(ca_root=new), name) == [], "a first install has no CA to keep"
    passes(found(state(ca_root=old), name, ca_before=old), f"root certificate {old[:12]} as before")
    fails(
        found(state(ca_root=new), name, ca_before=old),
        f"the root certificate changed from {old[:12]} to {new[:12]}",
    )
    fails(found(state(), name, ca_before=old), f"the root certificate changed from {old[:12]} to none")


def test_custom_resources_unchanged() -> None:
    name, other = "custom-resources-unchanged", ObjectRef("Gateway", "shop", "web")
    before = {RESOURCE: "1", other: "1"}
    assert found(state(), name) == []
    same = found(state(), name, resources_before=before, resources_after=before)
    passes(same, "2 custom resources as before")
    after = {RESOURCE: "2"}
    changed = found(state(), name, resources_before=before, resources_after=after)
    fails(changed, "Gateway shop/web is gone, VirtualService shop/web changed")

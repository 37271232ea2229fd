"""New pods of the mesh itself: which are asked about, and what the answers say of a plan."""

from __future__ import annotations

from typing import Any

import pytest

from observed import mesh, state
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.mesh_pods import NewPods, new_pods, verdicts
from sohistio.model.fault import Fault, Severity
from sohistio.model.mode import Mode
from sohistio.model.refused_pod import Refusal, refusal_of
from sohistio.model.versions import Version
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import InstallIstio, Step, UninstallIstio

ISTIOD = mesh("istiod")
FULL = "exceeded quota: q, requested: {0}, used: {1}, limited: {2}"
DENIED = 'admission webhook "x.example.com" denied the request: no owner'


def said_of(status: int, text: str, takes_down: int = 3, **item: Any) -> Verdict:
    refusal = refusal_of(status, text)
    answer = Refusal(**{name: getattr(refusal, name) for name in Refusal.__slots__} | {"said": text})
    (found,) = verdicts([(NewPods(ISTIOD, takes_down, **item), answer)])
    return found


def test_one_that_is_taken() -> None:
    assert list(verdicts([(NewPods(ISTIOD, 0), None)])) == [Good("the API server takes new pods of istiod")]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        pytest.param(400, DENIED, id="denied"),
        pytest.param(500, 'failed calling webhook "x.example.com": connection refused', id="dead-webhook"),
        pytest.param(403, 'pods "i" is forbidden: violates PodSecurity "restricted:latest": root', id="pod-security"),
        pytest.param(403, 'pods "i" is forbidden: maximum memory usage per Container is 1Gi', id="limit-range"),
        pytest.param(422, "ValidatingAdmissionPolicy 'x' denied request: no owner", id="admission-policy"),
        pytest.param(403, FULL.format("pods=1", "pods=9", "pods=5"), id="over-its-quota"),
    ],
)
def test_what_would_refuse_real_pods_stops_a_run_in_the_servers_words(status: int, text: str) -> None:
    fault = said_of(status, text, is_gone=True)
    assert isinstance(fault, Fault)
    assert fault.blocks
    assert fault.message == (
        "no new pod of istiod can be created in istio-system, so no new istiod would come once the plan has "
        f"uninstalled the old one: {text}"
    )


@pytest.mark.parametrize("counted", ["pods=1|pods=3|pods=3", "requests.cpu=500m|requests.cpu=1500m|requests.cpu=1900m"])
def test_a_full_quota_is_no_fault_where_old_pods_go_first(counted: str) -> None:
    text = FULL.format(*counted.split("|"))
    assert isinstance(said_of(403, text, takes_down=3, is_gone=True), Good)
    fault = said_of(403, text, takes_down=0)
    assert isinstance(fault, Fault)
    assert "so its rollout would hang" in fault.message


@pytest.mark.parametrize(
    ("status", "text"),
    [
        pytest.param(403, "cannot create resource", id="no-right"),
        pytest.param(400, "does not support dry run", id="no-dry-runs"),
        pytest.param(
            500, 'failed calling webhook "namespace.sidecar-injector.istio.io": no endpoints', id="istios-own"
        ),
    ],
)
def test_what_says_nothing_of_real_pods_is_no_refusal(status: int, text: str) -> None:
    assert isinstance(said_of(status, text), NotAsked)


def test_no_answer_is_a_warning() -> None:
    fault = said_of(0, "timed out")
    assert isinstance(fault, Fault)
    assert fault.severity is Severity.WARNING


INGRESS, ASLEEP = mesh("istio-ingressgateway"), mesh("istio-egressgateway", desired=0, ready=0)
MESH = (ISTIOD, INGRESS, ASLEEP)
INSTALL = InstallIstio("new/install", "", Version(1, 31, 1), "", ())
UNINSTALL = UninstallIstio("old/uninstall", "", Version(1, 30, 5))


@pytest.mark.parametrize(
    ("mode", "steps", "changed", "asked"),
    [
        pytest.param(Mode.UPGRADE, [INSTALL], MESH, {"istiod": 0, "istio-ingressgateway": 0}, id="upgrade"),
        pytest.param(Mode.UPGRADE, [INSTALL], [INGRESS], {"istio-ingressgateway": 0}, id="one-gateway-rolls"),
        pytest.param(Mode.REINSTALL, [INSTALL], [], {}, id="no-pod-changes"),
        pytest.param(
            Mode.REINSTALL, [UNINSTALL, INSTALL], [INGRESS], {"istiod": 3, "istio-ingressgateway": 0}, id="anew"
        ),
        pytest.param(Mode.REINSTALL, [UNINSTALL, INSTALL], [], {"istiod": 3}, id="istiod-anew"),
        pytest.param(Mode.ROLLBACK, [INSTALL], MESH, {}, id="rollback-in-place"),
        pytest.param(Mode.ROLLBACK, [UNINSTALL, INSTALL], [], {"istiod": 3}, id="rollback-anew"),
        pytest.param(Mode.UNINSTALL, [UNINSTALL], [], {}, id="uninstall"),
        pytest.param(Mode.RESTART, [], [], {}, id="restart"),
    ],
)
def test_what_is_asked_about(mode: Mode, steps: list[Step], changed: list[Any], asked: dict[str, int]) -> None:
    fields = (FieldChange("spec.template.metadata.labels.a", "1", "2"),)
    changes = Changes(tuple(ObjectChange(item.ref, Action.CHANGED, fields) for item in changed))
    plan = Plan("dev", "c", mode, "1.30.5", "1.31.1", (), (Phase("p", tuple(steps)),), changes=changes)
    manifest = [
        {"kind": "Deployment", "metadata": {"namespace": item.ref.namespace, "name": item.ref.name}, "spec": {}}
        for item in MESH
    ]
    found = new_pods(plan, state(mesh_deployments=MESH), manifest)
    assert {item.seen.ref.name: item.takes_down for item in found} == asked
    assert {item.seen.ref.name for item in found if item.is_gone} == (
        {"istiod"} if UNINSTALL in steps and asked else set()
    )

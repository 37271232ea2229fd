"""Replicas that no manifest names: kept where an apply would drop them, woken at 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import observed
from api_server import ApiServer
from sohistio.adapters.kubernetes.observe import observe
from sohistio.model.desired import DesiredDeployment, DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.decide import Decision
from sohistio.modes.install import control_plane
from sohistio.modes.planner import Subject, make_plan
from sohistio.modes.replicas import with_replicas
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.gateway_steps import ReleaseGateways
from sohistio.plan.steps import InstallIstio, KeepReplicas, ScaleUp

INGRESS = ObjectRef("Deployment", "istio-system", "istio-ingressgateway")
TO_ONE = FieldChange("spec.replicas", 4, 1, "")
IMAGE = FieldChange("spec.template.spec.containers[istio-proxy].image", "a", "b", "")


def desired(*, autoscaled: bool) -> DesiredMesh:
    gateway = DesiredDeployment(INGRESS, "gateway", 3, "2", autoscaled)
    return DesiredMesh(Version(1, 31, 1), "kind: IstioOperator\n", (gateway,), (), observed.sidecar())


def gateway(replicas: int, *, applied: bool) -> MeshDeployment:
    return MeshDeployment(INGRESS, "gateway", replicas, replicas, replicas, replicas_applied=applied)


@pytest.mark.parametrize(
    ("replicas", "applied", "autoscaled", "kept"),
    [
        pytest.param(4, True, True, True, id="an older manifest set them"),
        pytest.param(4, False, True, False, id="the autoscaler has them"),
        pytest.param(4, True, False, False, id="this manifest sets them as well"),
        pytest.param(1, True, True, False, id="one is what is left anyway"),
        pytest.param(0, True, True, False, id="off is woken, not kept"),
    ],
)
def test_replicas_that_an_apply_would_drop(replicas: int, applied: bool, autoscaled: bool, kept: bool) -> None:
    state = observed.state(mesh_deployments=(gateway(replicas, applied=applied),))
    steps = control_plane(state, desired(autoscaled=autoscaled), "upgrade to").steps
    found = [step for step in steps if isinstance(step, KeepReplicas)]
    assert bool(found) is kept
    if kept:
        assert steps[0] == found[0], "before istioctl applies"
        assert found[0].deployments == (INGRESS,)
    assert any(isinstance(step, ScaleUp) for step in steps) is (replicas == 0)
    assert sum(isinstance(step, InstallIstio) for step in steps) == 1


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        pytest.param((TO_ONE, IMAGE), (IMAGE,), id="beside others"),
        pytest.param((TO_ONE,), None, id="nothing else"),
    ],
)
def test_kept_replicas_are_no_change(fields: tuple[FieldChange, ...], left: tuple[FieldChange, ...] | None) -> None:
    state = observed.state(mesh_deployments=(gateway(4, applied=True),))
    changes = Changes((ObjectChange(INGRESS, Action.CHANGED, fields, "istio-ingressgateway"),))
    after = with_replicas(changes, desired(autoscaled=True), state)
    assert [change.fields for change in after.objects] == ([left] if left else [])


def test_a_created_object_stays_a_change() -> None:
    state = observed.state(mesh_deployments=(gateway(4, applied=True),))
    changes = Changes((ObjectChange(ObjectRef("Service", "istio-system", "x"), Action.CREATED),))
    assert with_replicas(changes, desired(autoscaled=True), state) == changes


def test_a_replace_keeps_replicas_before_it_takes_a_label_off() -> None:
    """Killed after that, the next run need not know the gateways any more."""
    istiod = DesiredDeployment(ObjectRef("Deployment", "istio-system", "istiod"), "istiod", 3, "2", autoscaled=True)
    mesh = desired(autoscaled=True)
    mesh = replace(mesh, deployments=(istiod, *mesh.deployments))
    old = MeshDeployment(istiod.ref, "istiod", 4, 4, 4, replicas_applied=True)
    state = observed.state(istiods=(observed.istiod("1.29.8"),), mesh_deployments=(old, gateway(4, applied=True)))
    decision = Decision(Mode.REINSTALL, (), Version(1, 29, 8), replace=True, hops=(mesh.version,))
    plan = make_plan(Subject("qa", "1.31.1", state), decision, [mesh], Changes())
    assert [step.id for step in plan.steps] == [
        "backup/take",
        "old-control-plane/keep-replicas",
        "old-control-plane/keep-gateways",
        "old-control-plane/uninstall",
        "control-plane/install",
        "control-plane/await",
        "gateway-labels/put-back",
        "verify/mesh",
    ]
    (kept,) = [step for step in plan.steps if isinstance(step, KeepReplicas)]
    assert kept.deployments == (INGRESS,), "istiod goes and comes anew"


OWNER = {"install.operator.istio.io/owning-resource": "unknown", "app": "istio-ingressgateway"}
COMPONENT = {"operator.istio.io/component": "IngressGateways"}
KEPT = {"sohistio/kept-gateway": "IngressGateways"}


@pytest.mark.parametrize(
    ("namespace", "labels", "is_seen"),
    [
        pytest.param("istio-system", OWNER | COMPONENT, True, id="as istioctl left it"),
        pytest.param("istio-system", OWNER | KEPT, True, id="released by a replace that was killed"),
        pytest.param("istio-system", OWNER, False, id="released by a hand"),
        pytest.param("istio-system", {"app": "istio-ingressgateway"}, False, id="somebody else's"),
        pytest.param("shop", OWNER, False, id="elsewhere"),
    ],
)
def test_a_gateway_without_istioctls_labels_is_known(
    tmp_path: Path, namespace: str, labels: dict[str, str], is_seen: bool
) -> None:
    owned = {"manager": "istio-operator", "fieldsV1": {"f:spec": {"f:replicas": {}}}, "operation": "Apply"}
    item = {
        "metadata": {
            "name": INGRESS.name,
            "namespace": namespace,
            "uid": "1",
            "labels": labels,
            "managedFields": [owned],
        },
        "spec": {"replicas": 4, "template": {"metadata": {}, "spec": {"containers": []}}},
    }
    with ApiServer() as server:
        server.shows(deployments=[item])
        state = observe(server.api(tmp_path))
    assert state.unreadable == ()
    kept = desired(autoscaled=True).dropped_replicas(state)
    assert kept == (((INGRESS, 4),) if is_seen else ())
    assert bool(state.leftovers) is is_seen, "it serves, so that there is something of a mesh"
    assert bool(state.released) is ("sohistio/kept-gateway" in labels)


@pytest.mark.parametrize(
    ("installed", "withheld"),
    [
        pytest.param(Version(1, 31, 1), True, id="istioctl would prune it"),
        pytest.param(Version(1, 30, 5), False, id="it prunes its own version only"),
    ],
)
def test_a_gateway_that_goes_is_kept_from_istioctls_pruning(installed: Version, withheld: bool) -> None:
    """It serves until the one that takes its place has as many pods."""
    old = replace(gateway(4, applied=False), ref=replace(INGRESS, namespace="edge"))
    state = observed.state(mesh_deployments=(old, gateway(4, applied=False)))
    gone = Changes((ObjectChange(old.ref, Action.REMOVED),))
    decision = Decision(Mode.REINSTALL, (), installed, hops=(Version(1, 31, 1),))
    plan = make_plan(Subject("qa", "1.31.1", state), decision, [desired(autoscaled=True)], gone)
    ids = [step.id for step in plan.steps]
    assert (ids[0] == "old-gateways/withhold") is withheld
    assert ("gateway-labels/put-back" in ids) is withheld
    released = [step for step in plan.steps if isinstance(step, ReleaseGateways)]
    assert [step.gateways for step in released] == [(old.ref,)] * withheld

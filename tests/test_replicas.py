"""Replicas that no manifest names: kept where an apply would drop them, woken at 0."""

from __future__ import annotations

import pytest

import seen
from sohistio.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.desired import DesiredDeployment, DesiredMesh
from sohistio.modes.install import control_plane
from sohistio.modes.replicas import with_replicas
from sohistio.state import MeshDeployment, ObjectRef
from sohistio.steps import InstallIstio, KeepReplicas, ScaleUp
from sohistio.versions import Version

INGRESS = ObjectRef("Deployment", "istio-system", "istio-ingressgateway")
TO_ONE = FieldChange("spec.replicas", 4, 1, "")
IMAGE = FieldChange("spec.template.spec.containers[istio-proxy].image", "a", "b", "")


def desired(*, autoscaled: bool) -> DesiredMesh:
    gateway = DesiredDeployment(INGRESS, "gateway", 3, "2", autoscaled)
    return DesiredMesh(Version(1, 31, 1), "kind: IstioOperator\n", (gateway,), (), seen.sidecar())


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
    state = seen.state(mesh_deployments=(gateway(replicas, applied=applied),))
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
    state = seen.state(mesh_deployments=(gateway(4, applied=True),))
    changes = Changes((ObjectChange(INGRESS, Action.CHANGED, fields, "istio-ingressgateway"),))
    after = with_replicas(changes, desired(autoscaled=True), state)
    assert [change.fields for change in after.objects] == ([left] if left else [])


def test_a_created_object_stays_a_change() -> None:
    state = seen.state(mesh_deployments=(gateway(4, applied=True),))
    changes = Changes((ObjectChange(ObjectRef("Service", "istio-system", "x"), Action.CREATED),))
    assert with_replicas(changes, desired(autoscaled=True), state) == changes

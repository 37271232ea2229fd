"""Which gateways an install holds, and in which order they are replaced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observed import istiod, mesh, state
from sohistio.model.desired import DesiredDeployment, DesiredMesh, DesiredService
from sohistio.model.mode import Mode
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.decide import Asked, decide
from sohistio.modes.install import control_plane
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.plan.steps import InstallIstio

VERSION = Version(1, 31, 1)
INGRESS, EGRESS = mesh("istio-ingressgateway"), mesh("istio-egressgateway")


def desired(*, egress: int = 3) -> DesiredMesh:
    pilot = ObjectRef("Deployment", "istio-system", "istiod")
    deployments = (
        DesiredDeployment(pilot, "istiod", 3, "2"),
        DesiredDeployment(EGRESS.ref, "gateway", egress, "2"),
        DesiredDeployment(INGRESS.ref, "gateway", 3, "2"),
    )
    reached = DesiredService(ObjectRef("Service", "istio-system", "istio-ingressgateway"), "LoadBalancer", "10.0.0.1")
    return DesiredMesh(VERSION, "kind: IstioOperator", deployments, (reached,), None)


def changed(*seen: MeshDeployment) -> Changes:
    return Changes(tuple(ObjectChange(item.ref, Action.CHANGED) for item in seen))


@pytest.mark.parametrize(
    ("seen", "changes", "wanted", "turns"),
    [
        pytest.param((INGRESS, EGRESS), changed(INGRESS, EGRESS), desired(), [INGRESS, EGRESS], id="both"),
        pytest.param((INGRESS, EGRESS), None, desired(), [INGRESS, EGRESS], id="an-intermediate-version"),
        pytest.param((INGRESS, EGRESS), changed(EGRESS), desired(), [EGRESS], id="only-what-changes"),
        pytest.param((INGRESS,), changed(INGRESS, EGRESS), desired(), [INGRESS], id="a-new-one-holds-nobody-up"),
        pytest.param((), changed(INGRESS, EGRESS), desired(), [], id="a-first-install"),
        pytest.param((replace(INGRESS, ready=0), EGRESS), None, desired(), [EGRESS], id="one-that-does-not-serve"),
        pytest.param((INGRESS, EGRESS), None, desired(egress=0), [INGRESS], id="one-that-is-switched-off"),
        pytest.param((replace(INGRESS, held=True), EGRESS), changed(), desired(), [INGRESS], id="one-still-held"),
    ],
)
def test_the_order(
    seen: tuple[MeshDeployment, ...], changes: Changes | None, wanted: DesiredMesh, turns: list[MeshDeployment]
) -> None:
    phase = control_plane(state(mesh_deployments=(mesh("istiod"), *seen)), wanted, "upgrade to", changes=changes)
    install = next(step for step in phase.steps if isinstance(step, InstallIstio))
    assert list(install.turns) == [item.ref for item in turns]
    order = ", then ".join(["istiod", *(item.ref.name for item in turns)])
    assert install.summary == "upgrade to Istio 1.31.1" + (f": {order}" if turns else "")


def test_a_gateway_that_a_killed_run_has_held_is_a_reason_to_apply_again() -> None:
    held = state(istiods=(istiod("1.31.1"),), mesh_deployments=(mesh("istiod"), replace(INGRESS, held=True)))
    decision = decide(held, Asked(VERSION), Changes())
    assert decision.mode is Mode.REINSTALL
    assert decision.reasons[0] == "a run before this one has held istio-ingressgateway and not let go: old pods serve"

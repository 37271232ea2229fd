"""Where a plan has its policy: what may be called before the mesh closes the rest, the rest after the restarts."""

from __future__ import annotations

import pytest

from observed import sidecar, state
from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.decide import Decision
from sohistio.modes.planner import Beside, OwnPhases, Subject, make_plan
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.plan.plan import Phase
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy

GUARD = ObjectRef("AuthorizationPolicy", "shop", "access")
WAYS_OUT = Phase("policy-egress", (ApplyPolicy("policy/egress", "", ()),))
OTHERS = Phase("policy", (ApplyPolicy("policy/apply", "", (), ("refuses plaintext",)),))
POLICY = OwnPhases((WAYS_OUT,), (OTHERS,), (ObjectChange(GUARD, Action.CREATED, component="policy"),))


def istiod(ready: int) -> MeshDeployment:
    return MeshDeployment(ObjectRef("Deployment", "istio-system", "istiod"), "istiod", 1, ready, 1)


@pytest.mark.parametrize(
    ("decision", "versions", "ready", "expected"),
    [
        pytest.param(Decision(Mode.NONE, ()), ("1.31.1",), 1, ["policy-egress", "policy", "verify"], id="in-sync"),
        pytest.param(
            Decision(Mode.INSTALL, ()),
            ("1.31.1",),
            0,
            ["control-plane", "policy-egress", "policy", "verify"],
            id="install",
        ),
        pytest.param(
            Decision(Mode.REINSTALL, (), Version(1, 31, 1)),
            ("1.31.1",),
            1,
            ["policy-egress", "control-plane", "policy", "verify"],
            id="re-apply",
        ),
        pytest.param(
            Decision(Mode.REINSTALL, (), Version(1, 31, 1)),
            ("1.31.1",),
            0,
            ["control-plane", "policy-egress", "policy", "verify"],
            id="istiod-is-down-and-its-webhook-refuses-all",
        ),
        pytest.param(
            Decision(Mode.UPGRADE, (), Version(1, 29, 8)),
            ("1.30.5", "1.31.1"),
            1,
            [
                *("backup", "policy-egress", "1.30.5/control-plane", "1.30.5/verify"),
                *("control-plane", "policy", "verify"),
            ],
            id="chain",
        ),
    ],
)
def test_the_order_of_phases(decision: Decision, versions: tuple[str, ...], ready: int, expected: list[str]) -> None:
    meshes = [DesiredMesh(Version.parse(text), "kind: IstioOperator\n", (), (), sidecar()) for text in versions]
    seen = state(mesh_deployments=(istiod(ready),))
    plan = make_plan(Subject("qa", versions[-1], seen), decision, meshes, Changes(), (), Beside(policy=POLICY))
    assert sorted(phase.name for phase in plan.phases) == sorted(expected)
    assert [phase.name for phase in plan.phases] == expected
    assert plan.changes.objects == POLICY.changes, "shown with the manifest's"
    assert plan.danger.endswith("refuses plaintext")


def test_taking_a_guard_away_is_a_danger() -> None:
    others = Phase(
        "policy", (PrunePolicy("policy/prune", "", "qa", (GUARD,), ("/path",), ("no longer refuses what it refused",)),)
    )
    mesh = DesiredMesh(Version(1, 31, 1), "kind: IstioOperator\n", (), (), sidecar())
    beside = Beside(policy=OwnPhases(others=(others,)))
    plan = make_plan(Subject("qa", "1.31.1", state()), Decision(Mode.NONE, ()), [mesh], Changes(), (), beside)
    assert plan.danger == "no longer refuses what it refused"

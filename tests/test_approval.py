"""What makes a plan dangerous, and what a failed run calls for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plans import FRESH
from seen import istiod, mesh, state
from sohistio.checks import CheckResult, Result, Severity
from sohistio.commands.mesh import calls_for_rollback
from sohistio.desired import DesiredDeployment, DesiredMesh
from sohistio.errors import FailedError, InterruptedRunError, LockLostError, SohistioError, VerificationError
from sohistio.modes.install import standby
from sohistio.plan import Phase, Plan
from sohistio.progress import RunResult, StepResult, StepState
from sohistio.state import ObjectRef
from sohistio.steps import InstallIstio, Step, TakeBackup
from sohistio.versions import Version

INGRESS = ObjectRef("Deployment", "istio-system", "istio-ingressgateway")
STANDBY = DesiredMesh(Version(1, 31, 1), "", (DesiredDeployment(INGRESS, "gateway", 0, "2"),), (), None)


def plan(phases: tuple[Phase, ...]) -> Plan:
    return replace(FRESH, phases=phases)


BACKUP = TakeBackup("backup/take", "back up")
INSTALL = InstallIstio("control-plane/install", "install", "1.31.1", "", ())


@pytest.mark.parametrize(("ready", "silenced"), [(3, ("istio-ingressgateway",)), (0, ())])
def test_a_standby_that_serves_is_not_switched_off_in_passing(ready: int, silenced: tuple[str, ...]) -> None:
    seen = state(istiods=(istiod(),), mesh_deployments=(mesh("istio-ingressgateway", desired=ready, ready=ready),))
    phases = standby(seen, STANDBY)
    assert plan(phases).silenced == silenced


def failed_check(name: str) -> tuple[CheckResult, ...]:
    return (CheckResult(name, Severity.ERROR, Result.FAILED, "does not hold"),)


@pytest.mark.parametrize(
    ("step", "state_of_it", "error", "checks", "back"),
    [
        pytest.param(INSTALL, StepState.FAILED, FailedError("x"), (), True, id="failed-at-work"),
        pytest.param(
            INSTALL, StepState.DONE, VerificationError("x"), failed_check("pods-ready"), True, id="not-verified"
        ),
        pytest.param(
            INSTALL,
            StepState.DONE,
            VerificationError("x"),
            failed_check("istioctl-analyze"),
            False,
            id="not-the-mesh's",
        ),
        pytest.param(BACKUP, StepState.FAILED, FailedError("x"), (), False, id="nothing-begun"),
        pytest.param(INSTALL, StepState.INTERRUPTED, InterruptedRunError("x"), (), False, id="interrupted"),
        pytest.param(INSTALL, StepState.FAILED, LockLostError("x"), (), False, id="lock-lost"),
        pytest.param(INSTALL, StepState.DONE, None, (), False, id="done"),
    ],
)
def test_when_a_run_is_rolled_back(
    step: Step, state_of_it: StepState, error: SohistioError | None, checks: tuple[CheckResult, ...], back: bool
) -> None:
    carried_out: Plan = plan((Phase("one", (step,)),))
    result = RunResult(carried_out, (StepResult(step, state_of_it, 1.0),), checks, error, 1.0)
    assert calls_for_rollback(result) is back

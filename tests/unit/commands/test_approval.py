"""What makes a plan dangerous, and what a failed run calls for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observed import istiod, mesh, service, state
from plans import FRESH, REPLACEMENT
from sohistio.checks.result import CheckResult, Result
from sohistio.errors import FailedError, InterruptedRunError, LockLostError, SohistioError, VerificationError
from sohistio.model.desired import DesiredDeployment, DesiredMesh
from sohistio.model.fault import Severity
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.gateway_changes import gateway_changes
from sohistio.modes.install import standby
from sohistio.plan.backup_steps import TakeBackup
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import InstallIstio, Step
from sohistio.run.approval import Approval
from sohistio.run.go_back import approval_for_rollback, calls_for_rollback
from sohistio.run.progress import RunResult, StepResult, StepState

INGRESS = ObjectRef("Deployment", "istio-system", "istio-ingressgateway")
STANDBY = DesiredMesh(Version(1, 31, 1), "", (DesiredDeployment(INGRESS, "gateway", 0, "2"),), (), None)


def plan(phases: tuple[Phase, ...]) -> Plan:
    return replace(FRESH, phases=phases)


BACKUP = TakeBackup("backup/take", "back up")
INSTALL = InstallIstio("control-plane/install", "install", Version(1, 31, 1), "", ())


@pytest.mark.parametrize(("ready", "silenced"), [(3, ("istio-ingressgateway",)), (0, ())])
def test_a_standby_that_serves_is_not_switched_off_in_passing(ready: int, silenced: tuple[str, ...]) -> None:
    seen = state(istiods=(istiod(),), mesh_deployments=(mesh("istio-ingressgateway", desired=ready, ready=ready),))
    phases = standby(seen, STANDBY)
    assert plan(phases).silenced == silenced


def test_what_the_run_itself_moved_is_put_back_without_asking_again() -> None:
    """--rollback-on-failure stands for it; a way back that uninstalls, or moves something else, needs its own yes."""
    given = Approval()
    away, home = moving("10.0.0.1", "10.0.0.2"), moving("10.0.0.2", "10.0.0.1")
    assert approval_for_rollback(home, away, given) == Approval(yes=True, confirm="qa")
    assert approval_for_rollback(home, FRESH, given) is given
    assert approval_for_rollback(replace(home, phases=REPLACEMENT.phases), away, given) is given
    assert approval_for_rollback(FRESH, away, given) == Approval(yes=True, confirm="qa")


def moving(before: str, after: str) -> Plan:
    path = "metadata.annotations.service.beta.kubernetes.io/azure-load-balancer-ipv4"
    ref = replace(INGRESS, kind="Service")
    changes = Changes((ObjectChange(ref, Action.CHANGED, (FieldChange(path, before, after),), ref.name),))
    return replace(FRESH, changes=changes, gateway_changes=gateway_changes(changes, [service(before)]))


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
        pytest.param(
            INSTALL,
            StepState.DONE,
            VerificationError("x"),
            failed_check("gateway-proxies"),
            False,
            id="not-at-its-version-yet",
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

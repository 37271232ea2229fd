"""Going back by itself when a run failed (`--rollback-on-failure`): when, to what, and with whose approval."""

from __future__ import annotations

from sohistio.errors import ExitCode, LockLostError, RefusedError
from sohistio.plan.diff import only_restores
from sohistio.plan.gateway_steps import ReleaseGateways
from sohistio.plan.plan import Plan
from sohistio.plan.steps import InstallIstio, RemoveObjects, UninstallIstio
from sohistio.planning.planned import Planned
from sohistio.planning.rollback import plan_rollback
from sohistio.run.approval import Approval
from sohistio.run.progress import RunResult, StepState

# Findings on what is not the mesh's: going back to another version would not mend them.
_NOT_OF_THE_VERSION = frozenset({"istioctl-analyze", "gateway-proxies", "custom-resources-unchanged"})
# What is done to namespaces and workloads is the same for every version.
_TO_THE_MESH = (ReleaseGateways, UninstallIstio, InstallIstio, RemoveObjects)


def calls_for_rollback(result: RunResult) -> bool:
    """Whether a run left something changed that its version is to blame for.

    Not after an interrupt, not where nothing was begun, and not where another run has the lock by now.
    """
    of_the_mesh = (step.state for step in result.steps if isinstance(step.step, _TO_THE_MESH))
    begun = any(state is not StepState.NOT_STARTED for state in of_the_mesh)
    if not begun or isinstance(result.error, LockLostError):
        return False
    if result.exit_code is ExitCode.VERIFICATION_FAILED:
        return any(check.breaks and check.name not in _NOT_OF_THE_VERSION for check in result.checks)
    return result.exit_code is ExitCode.FAILED


def rollback_of(failed: Planned) -> Planned:
    """Raises RefusedError where there was no mesh before the run that failed, or another than the recorded one."""
    before = failed.plan.installed_version
    if not before:
        raise RefusedError("there was no mesh before this run: nothing to go back to", todo="Fix it and run it again.")
    planned = plan_rollback(failed.session)
    if planned.plan.target_version != before:
        raise RefusedError(
            f"{before} was installed before this run, but the record has only "
            f"{planned.plan.target_version} to go back to",
            todo="See `sohistio history`; `sohistio rollback` goes back to the recorded one if that is what you want.",
        )
    return planned


def approval_for_rollback(back: Plan, failed: Plan, given: Approval) -> Approval:
    """A rollback that uninstalls, say, needs the approval that any such plan needs: the flag stands for less.

    One whose only danger is to restore what this very run changed (a gateway's address) was approved with it.
    """
    if (back.danger and not only_restores(back, failed)) or back.silenced:
        return given
    return Approval(yes=True, confirm=back.environment)

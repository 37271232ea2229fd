"""plan, install, rollback, restart, verify, render."""

from __future__ import annotations

import json as jsonlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sohistio.adapters.kubernetes.observe import observe
from sohistio.checks.result import CheckResult, check_document
from sohistio.commands.carry_out import carry_out, ready_to_write, tools_for
from sohistio.commands.common import (
    Approval,
    Timeouts,
    console,
    errors_as_json,
    print_json,
    refusal,
    session_of,
)
from sohistio.commands.gate import Gate
from sohistio.errors import ExitCode, LockLostError, RefusedError, SohistioError, UsageError
from sohistio.output.documents import json_text, print_document
from sohistio.output.error_text import print_error
from sohistio.output.tables import checks_view, plan_view, show
from sohistio.plan.diff import differences, only_restores
from sohistio.plan.documents import digest_of
from sohistio.plan.gateway_steps import ReleaseGateways
from sohistio.plan.plan import SCHEMA_VERSION, Mode, Plan
from sohistio.plan.steps import InstallIstio, RemoveObjects, UninstallIstio
from sohistio.planning.adopt import plan_adopt
from sohistio.planning.install import Request, plan_install
from sohistio.planning.planned import Planned
from sohistio.planning.reads import unreadable
from sohistio.planning.restart import plan_restart
from sohistio.planning.rollback import plan_rollback
from sohistio.planning.session import Session, Where
from sohistio.planning.target_cluster import check_right_cluster
from sohistio.run.progress import RunResult, StepState, error_document
from sohistio.run.tools import Before
from sohistio.run.verify import verify_mesh
from sohistio.system.sealing import passphrase


@dataclass(frozen=True, slots=True)
class Shown:
    """How `sohistio plan` answers."""

    json: bool = False
    diff: bool = False
    pending_exit_code: bool = False
    out: Path | None = None


def plan(where: Where, request: Request, shown: Shown) -> int:
    """`sohistio plan`: 0, 3 where a run would be refused, 4 with `--exit-code` and changes pending."""
    with errors_as_json(shown.json):
        session = session_of(where)
        check_right_cluster(session)
        planned = plan_install(session, request)
        if shown.out is not None:
            _write_plan(shown.out, planned.plan)
    if shown.json:
        print_json(planned.plan.document())
    else:
        show(console(), plan_view(planned.plan, diff=shown.diff))
    if planned.plan.refusal:
        print_error(refusal(planned))
        return ExitCode.REFUSED
    pending = shown.pending_exit_code and planned.plan.changes_pending
    return ExitCode.CHANGES_PENDING if pending else ExitCode.OK


@dataclass(frozen=True, slots=True)
class Install:
    """How `sohistio install` goes about it: the plan file that was approved, and going back when it fails."""

    approval: Approval
    timeouts: Timeouts
    approved_plan: Path | None = None
    rollback_on_failure: bool = False
    json: bool = False


def install(where: Where, request: Request, how: Install) -> int:
    """`sohistio install`: plan, show, ask, carry out, verify; and go back where that was asked for."""
    with errors_as_json(how.json):
        if request.include_ca:
            passphrase(os.environ)  # better to miss it now than half way
        session = session_of(where)
        planned = plan_install(ready_to_write(session), request)
        if how.approved_plan is not None:
            _check_approved(how.approved_plan, planned.plan)
        gate = Gate(all=True)
        result = carry_out(planned, how.approval, how.timeouts, json=how.json, gate=gate)
        document = result.document()
        if how.rollback_on_failure and calls_for_rollback(result):
            document["rollback"] = _went_back(session, planned, how)
    if how.json:
        print_json(document)
    return result.exit_code


# Findings on what is not the mesh's, and on gateways that are not at its version yet: going back would not mend them.
_NOT_OF_THE_VERSION = frozenset({"istioctl-analyze", "custom-resources-unchanged", "gateway-proxies"})


_TO_THE_MESH = (ReleaseGateways, UninstallIstio, InstallIstio, RemoveObjects)


def calls_for_rollback(result: RunResult) -> bool:
    """Whether a run left something changed that its version is to blame for.

    Not after an interrupt, not where nothing was begun, and not where another run has the lock by now.
    """
    # What is done to namespaces and workloads is the same for every version.
    of_the_mesh = (step.state for step in result.steps if isinstance(step.step, _TO_THE_MESH))
    begun = any(state is not StepState.NOT_STARTED for state in of_the_mesh)
    if not begun or isinstance(result.error, LockLostError):
        return False
    if result.exit_code is ExitCode.VERIFICATION_FAILED:
        return any(check.breaks and check.name not in _NOT_OF_THE_VERSION for check in result.checks)
    return result.exit_code is ExitCode.FAILED


def _went_back(session: Session, planned: Planned, how: Install) -> dict[str, object]:
    """The rollback's document. The exit code stays the failed run's, however this ends: something was touched."""
    console(stderr=True).print("Going back, as --rollback-on-failure asks.")
    try:
        way_back = _way_back(session, planned.plan)
        approved = approval_for_way_back(way_back.plan, planned.plan, how.approval)
        return carry_out(way_back, approved, how.timeouts, json=how.json).document()
    except SohistioError as error:
        print_error(error)
        return {"schemaVersion": SCHEMA_VERSION, "kind": "Error", "error": error_document(error)}


def approval_for_way_back(back: Plan, failed: Plan, given: Approval) -> Approval:
    """A way back that uninstalls, say, needs the approval that any such plan needs: the flag stands for less.

    One whose only danger is to restore what this very run changed (a gateway's address) was approved with it.
    """
    if (back.danger and not only_restores(back, failed)) or back.silenced:
        return given
    return Approval(yes=True, confirm=back.environment)


def _way_back(session: Session, failed: Plan) -> Planned:
    """Raises RefusedError where there was no mesh before the run that failed, or another than the recorded one."""
    if not failed.installed_version:
        raise RefusedError("there was no mesh before this run: nothing to go back to", todo="Mend it and run it again.")
    planned = plan_rollback(session)
    if planned.plan.target_version != failed.installed_version:
        raise RefusedError(
            f"{failed.installed_version} was installed before this run, but the record has only "
            f"{planned.plan.target_version} to go back to",
            todo="See `sohistio history`; `sohistio rollback` goes back to the recorded one if that is what you want.",
        )
    return planned


def rollback(where: Where, approval: Approval, timeouts: Timeouts, *, json: bool) -> int:
    """`sohistio rollback`: back to the recorded previous version and manifest."""
    return _planned_run(where, plan_rollback, (approval, timeouts), json=json)


def adopt(where: Where, approval: Approval, timeouts: Timeouts, *, json: bool) -> int:
    """`sohistio adopt`: the mesh becomes ours as it is; nothing is written where it is so already."""
    return _planned_run(where, plan_adopt, (approval, timeouts), json=json)


def restart(where: Where, approval: Approval, timeouts: Timeouts, *, json: bool) -> int:
    """`sohistio restart`: only the workloads whose sidecar is not the mesh's."""
    return _planned_run(where, plan_restart, (approval, timeouts), json=json)


def _planned_run(
    where: Where, planner: Callable[[Session], Planned], how: tuple[Approval, Timeouts], *, json: bool
) -> int:
    with errors_as_json(json):
        result = carry_out(planner(ready_to_write(session_of(where))), *how, json=json)
    if json:
        print_json(result.document())
    return result.exit_code


def verify(where: Where, *, json: bool) -> int:
    """`sohistio verify`: 5 where a check of severity error does not hold."""
    with errors_as_json(json):
        session = session_of(where)
        state = observe(session.api)
        if state.unreadable:
            raise unreadable(state)
        mesh, _ = session.render(session.version, session.operator_yaml(session.version))
        version = str(session.version)
        seen = Plan(session.environment.name, state.server, Mode.NONE, "", version, ())
        planned = Planned(session, seen, state, lambda: planned, {version: mesh})
        checks = verify_mesh(tools_for(planned, Timeouts(), Before()), version)
    failed = any(check.breaks for check in checks)
    if json:
        print_json(_verification(session.environment.name, checks, failed=failed))
    else:
        show(console(), checks_view(checks))
    return ExitCode.VERIFICATION_FAILED if failed else ExitCode.OK


def _verification(environment: str, checks: tuple[CheckResult, ...], *, failed: bool) -> dict[str, object]:
    return {
        "schemaVersion": SCHEMA_VERSION,
        "kind": "Verification",
        "environment": environment,
        "result": "failed" if failed else "passed",
        "checks": [check_document(check) for check in checks],
    }


def render(where: Where) -> None:
    """`sohistio render`: the one IstioOperator on stdout."""
    session = session_of(where)
    print_document(session.operator_yaml(session.version))


def _write_plan(path: Path, plan: Plan) -> None:
    try:
        path.write_text(json_text(plan.document() | {"digest": plan.digest()}) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the plan could not be written to {path}",
            details=(str(error),),
            todo="Give --out a file in a folder that can be written and has room. Nothing was touched.",
        ) from error


def _check_approved(path: Path, plan: Plan) -> None:
    """Refuse where the plan of now is not the one in the file. Raises UsageError, RefusedError."""
    try:
        approved = jsonlib.loads(path.read_text(encoding="utf-8"))
        edited = approved["digest"] != digest_of(approved)
        stale = approved["digest"] != plan.digest()
        different = differences(approved, plan.document())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is not a plan", details=(str(error),), todo="Write one with `sohistio plan --out FILE`."
        ) from error
    if edited:
        raise UsageError(
            f"{path} was edited: its digest is of another plan",
            todo="Write it anew with `sohistio plan --out FILE`, and have that one approved.",
        )
    if stale:
        raise RefusedError(
            f"{path} is stale: the plan is another one now",
            details=different,
            todo="Look at the new plan with `sohistio plan --out FILE` and have that one approved.",
        )

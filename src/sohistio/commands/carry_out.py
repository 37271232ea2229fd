"""Carries a plan out for a command: show, approve, lock, look again, run, record, report."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType

from sohistio.adapters.kubernetes.custom_resources import custom_resources, digests
from sohistio.adapters.kubernetes.ending import lasting
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.adapters.kubernetes.lease import Lock
from sohistio.commands.common import (
    Approval,
    Timeouts,
    approve,
    console,
    is_at_terminal,
    refusal,
    refuse_unapproved,
)
from sohistio.commands.gate import Gate
from sohistio.errors import InterruptedRunError, RefusedError
from sohistio.model.state import Finding
from sohistio.output.console import SafeConsole
from sohistio.output.error_text import print_error
from sohistio.output.lines import LineObserver
from sohistio.output.tables import checks_view, gateways_view, plan_view, result_line, show
from sohistio.plan.diff import differences, does_no_more
from sohistio.plan.plan import Mode
from sohistio.planning.planned import Planned
from sohistio.planning.reads import or_refused
from sohistio.planning.session import Session
from sohistio.planning.target_cluster import check_right_cluster
from sohistio.run.progress import Observer, RunResult
from sohistio.run.recorder import Origin, Recorder
from sohistio.run.runner import Runner
from sohistio.run.tools import Before, RestartSettings, Tools
from sohistio.system.interruption import stop_signals
from sohistio.system.paths import state_dir
from sohistio.system.streams import keep_log, work_begins

# A run that goes back, restarts or takes away is stopped by nothing but what it would fail of.
_RIGHTS_ONLY = Gate()


def carry_out(
    planned: Planned, approval: Approval, timeouts: Timeouts, *, json: bool, gate: Gate = _RIGHTS_ONLY
) -> RunResult:
    """The whole way of a plan; tells it to people and returns the result. Raises RefusedError before a write.

    With `json`, stdout is left to the caller's document.
    """
    work_begins()
    plan, progress = planned.plan, console(stderr=json)
    show(progress, plan_view(plan))
    if plan.refusal:
        raise refusal(planned)
    if planned.unsettled is not None:
        raise planned.unsettled
    if not plan.changes_pending:
        result = RunResult(plan, (), (), None, 0.0)
        idle = "nothing to uninstall" if plan.mode is Mode.UNINSTALL else "up to date"
        progress.print(f"{plan.environment}: {idle}, nothing was written", style="green")
        return result
    refuse_unapproved(planned, approval)
    findings = gate.passed(planned, progress)
    approve(planned, approval)
    origin = _origin(planned)
    with _stop_signals() as stop, _locked(planned, origin, stop) as hold:
        # Another environment's first run, or an upgrade of the cluster, may have come between.
        check_right_cluster(planned.session, again=True)
        planned = _still_true(planned, approval, progress)
        if not planned.plan.changes_pending:
            progress.print(f"{plan.environment}: up to date by now, nothing was written", style="green")
            return RunResult(planned.plan, (), (), None, 0.0)
        result = _run(planned, timeouts, (origin, findings), (hold, progress))
    show(progress, checks_view(result.checks), gateways_view(result), result_line(result))
    if result.error is not None:
        print_error(result.error)
    return result


def _origin(planned: Planned) -> Origin:
    """Who runs: the person who started the pipeline under Azure DevOps, else the user of this machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    who = os.environ.get("BUILD_REQUESTEDFOR") or user
    return Origin(uuid.uuid4().hex[:12], who, socket.gethostname(), planned.session.environment.digest())


@contextmanager
def _locked(planned: Planned, origin: Origin, stop: threading.Event) -> Iterator[Hold]:
    """The lock, held for the block; losing it stops the run."""
    session, hold = planned.session, Hold(stop)
    with Lock(session.api, session.told, stop, session.lock_watched).held(origin.identity, hold):
        yield hold


def ready_to_write(session: Session) -> Session:
    """What every command that writes passes before it plans: the right cluster, and no run at work on it.

    The lock of a run that died is waited out: its last writes may take effect meanwhile. Raises RefusedError.
    """
    check_right_cluster(session)
    Lock(session.api, session.told, threading.Event(), session.lock_watched).await_free()
    return session


def _still_true(planned: Planned, approval: Approval, progress: SafeConsole) -> Planned:
    """Plan again under the lock: what was approved must still be what happens, or is approved anew."""
    now = planned.again()
    if now.unsettled is not None:
        raise now.unsettled
    if now.plan.digest() == planned.plan.digest() or does_no_more(now.plan, planned.plan):
        return now
    progress.print("The cluster changed since this plan was approved. What would happen now:", style="bold yellow")
    show(progress, plan_view(now.plan))
    if now.plan.refusal:
        raise refusal(now)
    different = differences(planned.plan.document(), now.plan.document())
    if not is_at_terminal():
        raise RefusedError(
            "the cluster changed between the plan and the run",
            details=different,
            todo="Read the new plan above, then run it again.",
        )
    for line in ("Different from what was approved:", *(f"  {found}" for found in different)):
        progress.print(line)
    with _interruptible():
        approve(now, Approval(yes=False, confirm=approval.confirm))
    return now


def _run(
    planned: Planned,
    timeouts: Timeouts,
    begun: tuple[Origin, tuple[Finding, ...] | None],
    surroundings: tuple[Hold, SafeConsole],
) -> RunResult:
    origin, findings = begun
    hold, progress = surroundings
    environment = planned.session.environment
    total = timeouts.total_seconds or environment.timeouts.total_seconds
    resources = or_refused("the custom resources could not be read", lambda: custom_resources(planned.session.api))
    tools = tools_for(
        planned, timeouts, Before(planned.state.ca_root, digests(lasting(resources)), findings, in_a_run=True)
    )
    keep_log(tools.log)
    tools = replace(tools, api=tools.api.under(hold))  # nothing can be written past it
    recorder = Recorder(tools.api, planned.record, planned.plan, origin, hold)
    or_refused("the record could not be written", recorder.begin)
    with _observer(progress) as observer:
        return Runner(tools, observer, recorder, hold, total).carry_out(planned.plan)


def tools_for(planned: Planned, timeouts: Timeouts, before: Before) -> Tools:
    """What a run of the plan works with."""
    session, environment = planned.session, planned.session.environment
    name = f"{environment.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
    return Tools(
        environment=environment.name,
        api=session.api,
        target=session.target,
        istioctl_for=session.istioctl,
        meshes=planned.meshes,
        component_seconds=timeouts.component_seconds or environment.timeouts.component_seconds,
        restarts=RestartSettings(
            environment.restarts.parallel, environment.restarts.max_failures, environment.restarts.timeout_seconds
        ),
        log=state_dir() / "logs" / f"{name}.log",
        backup=state_dir() / "backups" / name,
        before=before,
        record=planned.record,
        pull_credential=planned.pull_credential,
    )


@contextmanager
def _observer(progress: SafeConsole) -> Iterator[Observer]:
    if progress.stream.isatty() and not progress.is_dumb_terminal:
        from sohistio.output.live import LiveObserver

        with LiveObserver(progress) as live:
            yield live
    else:
        yield LineObserver(progress.stream)


@contextmanager
def _interruptible() -> Iterator[None]:
    """While somebody is asked, Ctrl-C ends the question at once: there is nothing under way to stop cleanly."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError("interrupted before the changed plan was approved", todo="Nothing was changed.")

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Ctrl-C, SIGTERM and SIGHUP set the event instead of tearing the run apart."""
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in stop_signals()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

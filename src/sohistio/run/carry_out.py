"""Carries a plan out for a command: show, approve, lock, look again, run, record, report."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sohistio.adapters.kubernetes.custom_resources import custom_resources, digests
from sohistio.adapters.kubernetes.ending import lasting
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.adapters.kubernetes.lease import Lock
from sohistio.errors import RefusedError
from sohistio.model.finding import Finding
from sohistio.model.held_back import groups_of
from sohistio.plan.diff import differences, does_no_more
from sohistio.plan.idle import idle_words
from sohistio.planning.planned import Planned
from sohistio.planning.reads import or_refused
from sohistio.planning.session import Session
from sohistio.planning.target_cluster import check_right_cluster
from sohistio.run.approval import Approval, approve, refuse_unapproved
from sohistio.run.events import RunEvents
from sohistio.run.gate import Gate
from sohistio.run.notify import refusals_sent, result_sent
from sohistio.run.origin import origin_of
from sohistio.run.progress import RunResult
from sohistio.run.reason import missing_reason
from sohistio.run.recorder import Origin, Recorder
from sohistio.run.reporter import Reporter, Tone
from sohistio.run.tools import Before, Timeouts, tools_for
from sohistio.system.interruption import ending_at_once, stop_event
from sohistio.system.streams import keep_log, work_begins

if TYPE_CHECKING:
    from sohistio.run.failover import Traffic

# A run that goes back, restarts or takes away is stopped by nothing but what it would fail of.
_RIGHTS_ONLY = Gate()


@dataclass(frozen=True, slots=True)
class _Begun:
    """A run that has the lock: who it is, what istioctl's analysis found before it, and what moves traffic."""

    origin: Origin
    findings: tuple[Finding, ...] | None
    hold: Hold
    traffic: Traffic | None = None


def carry_out(
    planned: Planned,
    approval: Approval,
    timeouts: Timeouts,
    reporter: Reporter,
    gate: Gate = _RIGHTS_ONLY,
    traffic: Traffic | None = None,
) -> RunResult:
    """The whole way of a plan, reported as it goes, its end sent to the webhook. Raises RefusedError before a write."""
    with refusals_sent(planned.session):
        return _carried_out(planned, approval, timeouts, reporter, gate, traffic)


def _carried_out(
    planned: Planned,
    approval: Approval,
    timeouts: Timeouts,
    reporter: Reporter,
    gate: Gate,
    traffic: Traffic | None,
) -> RunResult:
    work_begins()
    plan = planned.plan
    if not approval.given:
        reporter.plan(plan)
    if plan.refusal:
        raise planned.refusal
    if planned.unsettled is not None:
        raise planned.unsettled
    if not plan.changes_pending:
        result = RunResult(plan, (), (), None, 0.0)
        reporter.line(f"{plan.environment}: {idle_words(plan)}, nothing was written", Tone.GOOD)
        return result
    if unexplained := missing_reason(planned):
        reporter.line(unexplained, Tone.WARNING)
    refuse_unapproved(planned, approval, can_ask=reporter.can_ask())
    gated = gate.look(planned)
    reporter.preflight(gated.report)
    if gated.report.failures:
        raise gated.report.refusal(gate.checks if gate.all else ())
    approve(planned, approval, reporter)
    origin = origin_of(planned.session)
    if origin.reason:
        reporter.line(f"reason: {origin.reason}")
    with stop_event() as stop, _locked(planned, origin, stop) as hold:
        # Another environment's first run, or an upgrade of the cluster, may have come between.
        check_right_cluster(planned.session, again=True)
        planned = _still_true(planned, approval, reporter)
        if not planned.plan.changes_pending:
            idle = idle_words(planned.plan, any_more=True)
            reporter.line(f"{plan.environment}: {idle}, nothing was written", Tone.GOOD)
            for group in groups_of(planned.plan.held_back):
                reporter.line(f"  {group.line}")
            return RunResult(planned.plan, (), (), None, 0.0)
        result = _run(planned, timeouts, _Begun(origin, gated.findings, hold, traffic), reporter)
    reporter.result(result)
    if unsent := result_sent(planned.session, result, planned.record.killed if planned.record else ()):
        reporter.line(unsent, Tone.WARNING)
    return result


@contextmanager
def _locked(planned: Planned, origin: Origin, stop: threading.Event) -> Iterator[Hold]:
    """The lock, held for the block; losing it stops the run."""
    session, hold = planned.session, Hold(stop)
    with Lock(session.api, session.say, stop, session.lock_watched).held(origin.identity, hold):
        yield hold


@contextmanager
def ready_to_write(session: Session) -> Iterator[Session]:
    """What a command with one plan works in, from before it plans. Refusals, in the block too, go to the webhook.

    `sync`, failover and failback have two clusters, and `unlock` no plan: they take `refusals_sent` and what they need.
    Raises RefusedError, as `await_ready` does.
    """
    with refusals_sent(session):
        await_ready(session)
        yield session


def await_ready(session: Session) -> None:
    """The right cluster, and no run at work on it. Raises RefusedError.

    The lock of a run that died is waited out: its last writes may take effect meanwhile.
    """
    check_right_cluster(session)
    Lock(session.api, session.say, threading.Event(), session.lock_watched).await_free()


def _still_true(planned: Planned, approval: Approval, reporter: Reporter) -> Planned:
    """Plan again under the lock: what was approved must still be what happens, or is approved anew."""
    now = planned.again()
    if now.unsettled is not None:
        raise now.unsettled
    if now.plan.digest() == planned.plan.digest() or does_no_more(now.plan, planned.plan):
        return now
    reporter.line("The cluster changed since this plan was approved. What would happen now:", Tone.WARNING)
    reporter.plan(now.plan)
    if now.plan.refusal:
        raise now.refusal
    different = differences(planned.plan.document(), now.plan.document())
    if not reporter.can_ask():
        raise RefusedError(
            "the cluster changed between the plan and the run",
            details=different,
            todo="Read the new plan above, then run it again.",
        )
    for line in ("Different from what was approved:", *(f"  {found}" for found in different)):
        reporter.line(line)
    with ending_at_once("interrupted before the changed plan was approved"):
        approve(now, Approval(yes=False, confirm=approval.confirm), reporter)
    return now


def _run(
    planned: Planned,
    timeouts: Timeouts,
    begun: _Begun,
    reporter: Reporter,
) -> RunResult:
    from sohistio.run.runner import Runner  # with all steps: a run that finds nothing to do needs none

    hold = begun.hold
    environment = planned.session.environment
    total = (timeouts.total_seconds or environment.timeouts.total_seconds) + planned.plan.waits
    tools = tools_for(planned, timeouts, _before(planned, begun), begun.traffic)
    keep_log(tools.istioctl.log)
    tools = replace(tools, api=tools.api.under(hold))  # nothing can be written past it
    readiness = begun.traffic.readiness if begun.traffic else None
    recorder = Recorder(tools.api, planned.record, planned.plan, begun.origin, hold, readiness)
    if planned.beside is not None:
        recorder.puts_beside(planned.beside)
    events = RunEvents(
        planned.session.api, or_refused("the record could not be written", recorder.begin), reporter.line
    )
    events.began(recorder.entry)
    with reporter.observer() as observer:
        result = Runner(tools, observer, recorder, hold, total).carry_out(planned.plan)
    events.ended(recorder.entry)
    return result


def _before(planned: Planned, begun: _Begun) -> Before:
    """Where no custom resource is touched, nothing waits for a list of them: a move of traffic may be an emergency."""
    if planned.plan.mode.leaves_configuration:
        return Before(planned.state.ca_root)
    resources = or_refused("the custom resources could not be read", lambda: custom_resources(planned.session.api))
    return Before(planned.state.ca_root, digests(lasting(resources)), begun.findings, in_a_run=True)

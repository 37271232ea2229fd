"""Carries a failover, a failback or a rehearsal out: one plan after the other, each with its own lock and record."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from sohistio.errors import ExitCode, SohistioError
from sohistio.planning.sequences import Sequence
from sohistio.run.after_a_move import failed_before_the_switch
from sohistio.run.approval import Approval, approve
from sohistio.run.carry_out import carry_out
from sohistio.run.failover import Moment, Traffic
from sohistio.run.notify import refusals_sent
from sohistio.run.progress import RunResult
from sohistio.run.reporter import Reporter, Tone
from sohistio.run.tools import Timeouts
from sohistio.run.watch import watch_traffic


@dataclass(slots=True)
class MoveResult:
    """What came of a sequence.

    `began` and `decided` are in seconds since the epoch; `problem` is why what follows the first plan could not even
    begin. `undone` is the run that put the side back that was woken, None where there was none; `undo_tried` says that
    one was wanted.
    """

    sequence: Sequence
    began: float
    decided: float = 0.0
    results: list[RunResult] = field(default_factory=list)
    undone: RunResult | None = None
    undo_tried: bool = False
    problem: SohistioError | None = None
    traffic: Traffic | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The first plan's that did not end well; a later one that could not begin has touched the world before.

        An undo that was interrupted counts as the whole command interrupted.
        """
        if self.undone is not None and self.undone.exit_code is ExitCode.INTERRUPTED:
            return ExitCode.INTERRUPTED
        bad = next((item.exit_code for item in self.results if item.exit_code is not ExitCode.OK), ExitCode.OK)
        return ExitCode.FAILED if bad is ExitCode.OK and self.problem is not None else bad

    def seconds_until(self, moment: Moment) -> float | None:
        """From the beginning of the command; None where it never came."""
        at = self.traffic.moments.get(moment) if self.traffic else None
        return None if at is None else at - self.began


def move_traffic(
    sequence: Sequence, approval: Approval, timeouts: Timeouts, reporter: Reporter, began: float, traffic: Traffic
) -> MoveResult:
    """Show all, ask once, then one plan after the other. Raises RefusedError before a write."""
    if timeouts.component_seconds is not None:
        traffic = replace(traffic, proof_seconds=min(traffic.proof_seconds, timeouts.component_seconds))
    result = MoveResult(sequence, began, traffic=traffic)
    first = sequence.first
    reporter.plan(first.plan)
    if sequence.later:
        reporter.line(sequence.later)
    if first.plan.refusal:
        raise first.refusal
    if first.plan.changes_pending:
        approve(first, approval, reporter)
    result.decided = time.time()
    given = replace(approval, given=True)
    if not first.plan.changes_pending:
        given = _of_the_other_side(sequence, approval)
    else:
        moved = carry_out(first, given, timeouts, reporter, traffic=traffic)
        result.results.append(moved)
        if moved.error is not None:
            if sequence.undo is not None and failed_before_the_switch(moved, traffic):
                result.undo_tried = True
                result.undone = _undo(sequence, given, timeouts, reporter, traffic)
            return result
    if sequence.then is not None:
        _then(result, given, timeouts, reporter)
    if not result.results:
        reporter.line(f"{sequence.to} serves already: nothing was written", Tone.GOOD)
    if not first.plan.changes_pending and first.plan.steps:
        result.results.append(watch_traffic(first, reporter, traffic))
    return result


def _of_the_other_side(sequence: Sequence, approval: Approval) -> Approval:
    """Only the other side is left to do: nothing was approved yet, and the name that was confirmed stands for both."""
    return replace(approval, confirm=sequence.source) if approval.confirm == sequence.to else approval


def _then(result: MoveResult, given: Approval, timeouts: Timeouts, reporter: Reporter) -> None:
    """The traffic has moved: what goes wrong now is said, and does not undo that."""
    sequence = result.sequence
    try:
        with refusals_sent(sequence.first.session):
            planned = sequence.then() if sequence.then else None
            if planned is None or not planned.plan.changes_pending:
                return
            if given.given:
                reporter.plan(planned.plan)
            result.results.append(carry_out(planned, given, timeouts, reporter, traffic=result.traffic))
    except SohistioError as error:
        if not given.given:  # nothing was approved yet, so nothing was done
            raise
        result.problem = error
        reporter.line(f"traffic is on {sequence.to}, but {sequence.source} is not finished: {error.what}", Tone.WARNING)


def _undo(
    sequence: Sequence, given: Approval, timeouts: Timeouts, reporter: Reporter, traffic: Traffic
) -> RunResult | None:
    """The standby's gateways as they were found. The failure itself is what the command ends with."""
    reporter.line(f"No traffic was moved: putting {sequence.to} back as it was found.", Tone.WARNING)
    try:
        with refusals_sent(sequence.first.session):
            planned = sequence.undo() if sequence.undo else None
            return carry_out(planned, given, timeouts, reporter, traffic=traffic) if planned else None
    except SohistioError as error:
        reporter.line(f"{sequence.to} could not be put back: {error.what}", Tone.WARNING)
        return None

"""Carries istioctl out: install and uninstall, watched from the cluster's objects and ended when one takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.webhooks import read_webhooks
from sohistio.environments.injector import with_injector
from sohistio.errors import FailedError, InterruptedRunError, SohistioError
from sohistio.model.footprint import ISTIOD_REF
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.modes.webhooks import tag_injects
from sohistio.plan.steps import AwaitRollouts, InstallIstio, UninstallIstio
from sohistio.run.gateway_questions import questions_for
from sohistio.run.gateway_turns import GatewayTurns
from sohistio.run.gone import await_gone, is_gone
from sohistio.run.hanging import Hanging, Stuck
from sohistio.run.silence import Silence
from sohistio.run.tools import Tools
from sohistio.run.wait import POLL_SECONDS, Waiting
from sohistio.run.webhooks import let_go
from sohistio.system.tool_run import ToolRun

# Half an uninstall is worse than a late interrupt: it is let finish (a second or two), but not for ever.
_FINISH_SECONDS = 15.0
_TICK_SECONDS = 0.1


def install(tools: Tools, waiting: Waiting, step: InstallIstio) -> None:
    """Run `istioctl install` to its end. Raises FailedError with the reasons of what is not ready in time."""
    istioctl = tools.istioctl.of(step.version)
    turns = GatewayTurns(waiting, step.turns, partial(questions_for, tools, waiting), tools.component_seconds)

    def start() -> ToolRun:
        # istioctl must not give up first: our own timeouts end with reasons, its own without.
        readiness = int(waiting.seconds_left()) + 60
        parked = tag_injects(read_webhooks(tools.api))
        return istioctl.start_install(
            with_injector(step.operator, opened=step.opens, parked=parked),
            tools.istioctl.target,
            readiness_seconds=readiness,
            log=tools.istioctl.log,
            say=_unheard,
        )

    def watch(run: ToolRun, ended: threading.Event) -> None:
        _watch(tools, waiting, run, (step.watched, turns), ended)

    try:
        turns.hold()
        _to_its_end(waiting, start, watch, "istioctl install is run again: what it had applied stays")
        turns.end()
    except SohistioError:
        turns.give_up()
        raise


def uninstall(tools: Tools, waiting: Waiting, step: UninstallIstio) -> None:
    """Run `istioctl uninstall` (never --purge) and wait until all of it is gone: deletion is asynchronous."""
    let_go(tools.api, step.revision)
    istioctl = tools.istioctl.of(step.version)
    objects = tuple(dict.fromkeys((ISTIOD_REF, *step.objects)))

    def start() -> ToolRun:
        return istioctl.start_uninstall(tools.istioctl.target, step.revision, log=tools.istioctl.log, say=_unheard)

    def watch(run: ToolRun, ended: threading.Event) -> None:
        _await_end(tools, waiting, run, ended)

    def is_done() -> bool:
        """The first one may have got so far that istioctl no longer finds its revision."""
        return all(is_gone(tools.api, ref) for ref in objects)

    _to_its_end(waiting, start, watch, "istioctl uninstall is run again", is_done)
    await_gone(waiting, objects, tools.component_seconds)


def _to_its_end(
    waiting: Waiting,
    start: Callable[[], ToolRun],
    watch: Callable[[ToolRun, threading.Event], None],
    again: str,
    is_done: Callable[[], bool] = lambda: False,
) -> None:
    """Start istioctl and watch it, until a run of it succeeds. Raises its FailedError.

    It is begun `again` where it was ended because the lock was not confirmed, and once where it failed in an outage of
    the API server: it does the same again, and the lock is still this run's. A second one that fails is none to worry
    about where all `is_done` by then.
    """
    patient, repeated = True, False
    while True:
        waiting.pause(0)
        begun = time.monotonic()
        with start() as run, waiting.hold.ending(run.stop) as ended:
            watch(run, ended)
            if not ended.is_set():
                try:
                    run.check(timeout=30)
                except FailedError:
                    if repeated and is_done():
                        return
                    if not patient or waiting.hold.stop.is_set() or not _was_outage(waiting, begun):
                        raise
                    patient = False
                else:
                    return
        repeated = True
        waiting.pause(0)
        waiting.observer.note(again)


def await_rollouts(tools: Tools, waiting: Waiting, step: AwaitRollouts) -> None:
    """Wait for the mesh's Deployments. Raises FailedError with reasons."""
    stuck = waiting.rollouts(step.minimums, tools.component_seconds)
    if stuck:
        raise _too_late(tools, stuck)


def _watch(
    tools: Tools,
    waiting: Waiting,
    run: ToolRun,
    what: tuple[tuple[ObjectRef, ...], GatewayTurns],
    ended: threading.Event,
) -> None:
    """While istioctl works: tell the progress, end it when a rollout takes too long, and give gateways their turn."""
    watched, turns = what
    hanging = Hanging(waiting.reasons, waiting.observer)
    silence = Silence(waiting, run, tools.component_seconds)
    since: dict[ObjectRef, float] = {}
    while run.poll() is None and not ended.is_set():
        now = waiting.now()
        with waiting.at_most(tools.component_seconds, "istioctl install has not ended"):
            found = waiting.look([(ref, 0) for ref in watched])
            unfinished = {ref: progress for ref, progress in found.items() if not progress.done}
            # One that does not exist yet waits for others: its own time has not begun.
            under_way = {
                ref: progress for ref, progress in unfinished.items() if progress.wanted > 0 and ref not in turns.held
            }
            since = {ref: since.get(ref, now) for ref in under_way}
            late = [ref for ref, start in since.items() if now - start > tools.component_seconds]
            if late:
                run.stop()
                raise _too_late(tools, _stuck(waiting, found, late))
            # A pause that passes the deadline would end without the reasons.
            if time.monotonic() + 2 * POLL_SECONDS > waiting.deadline:
                run.stop()
                raise waiting.out_of_time(_stuck(waiting, found, list(unfinished)), run.last_lines)
            hanging.look(under_way)
            if under_way:
                silence.heard()  # each has its own limit
            else:
                silence.look(*found.items(), turns.held)
            if not ended.is_set():
                turns.take(found)
                waiting.pause()


def _await_end(tools: Tools, waiting: Waiting, run: ToolRun, ended: threading.Event) -> None:
    """Raises FailedError where it does not end in time, and ends it then."""
    hold, finish = waiting.hold, 0.0
    silence = Silence(waiting, run, tools.component_seconds)
    with waiting.at_most(tools.component_seconds, "istioctl uninstall has not ended") as limit:
        while run.poll() is None and not ended.wait(_TICK_SECONDS):
            now = time.monotonic()
            if hold.stop.is_set():
                finish = finish or now + _FINISH_SECONDS
            if now > waiting.deadline:
                run.stop()
                raise waiting.out_of_time([], run.last_lines)
            if finish and now > finish:
                run.stop()
                raise InterruptedRunError("interrupted")
            if limit.passed:
                run.stop()
                raise FailedError(
                    f"istioctl uninstall did not end within {tools.component_seconds:.0f} s",
                    details=run.last_lines,
                    todo=f"Its whole output is in {tools.istioctl.log}. Or give a longer --component-timeout.",
                    again="Run it again.",
                )
            silence.look()


def _was_outage(waiting: Waiting, begun: float) -> bool:
    """Whether the API server was away meanwhile; returns once it is back, or is given up."""
    try:
        waiting.api.request("GET", "/version")
    except KubeError:
        return False
    return waiting.outage.was_since(begun)


def _stuck(waiting: Waiting, found: dict[ObjectRef, Progress], refs: list[ObjectRef]) -> list[Stuck]:
    """With their reasons, where they exist: those that do not have none."""
    return [Stuck(ref, found[ref], waiting.reasons(ref) if found[ref].wanted else ()) for ref in refs]


def _too_late(tools: Tools, stuck: list[Stuck]) -> FailedError:
    names = ", ".join(item.ref.short for item in stuck)
    # istioctl has no part in moving traffic; the log has what the run itself said.
    whose = "istioctl's output" if tools.traffic is None else "The run's log"
    return FailedError(
        f"{names} not ready within {tools.component_seconds:.0f} s",
        details=tuple(line for item in stuck for line in item.lines()),
        todo=f"Fix what is named here. {whose} is in {tools.istioctl.log}.",
        again="Then run it again.",
    )


def _unheard(_: str) -> None:
    """istioctl's lines go to the log; progress is reported from the cluster's objects."""

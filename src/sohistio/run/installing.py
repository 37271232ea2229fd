"""Carries istioctl out: install and uninstall, watched from the cluster's objects and ended when one takes too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from sohistio.cluster.kube import KubeApi
from sohistio.cluster.paths import path_of
from sohistio.cluster.trouble import why_not_ready
from sohistio.errors import FailedError
from sohistio.rollout import Progress
from sohistio.run.tools import Tools
from sohistio.run.waiting import POLL_SECONDS, Hanging, Stuck, Waiting
from sohistio.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.steps import AwaitRollouts, InstallIstio, UninstallIstio
from sohistio.toolrun import ToolRun
from sohistio.versions import Version

_ISTIOD = ObjectRef("Deployment", ISTIO_NAMESPACE, "istiod")


def install(tools: Tools, waiting: Waiting, step: InstallIstio) -> None:
    """Run `istioctl install` to its end. Raises FailedError with the reasons of what is not ready in time."""
    istioctl = tools.istioctl_for(Version.parse(step.version))
    # istioctl must not give up first: our own timeouts end with reasons, its own without.
    readiness = int(waiting.deadline - time.monotonic()) + 60
    with istioctl.start_install(
        step.operator, tools.target, readiness_seconds=readiness, log=tools.log, told=_unheard
    ) as run:
        _watch(tools, waiting, run, step.watched)
        run.check(timeout=30)


def uninstall(tools: Tools, waiting: Waiting, step: UninstallIstio) -> None:
    """Run `istioctl uninstall` (never --purge) and wait until all of it is gone: deletion is asynchronous."""
    istioctl = tools.istioctl_for(Version.parse(step.version))
    with istioctl.start_uninstall(tools.target, log=tools.log, told=_unheard) as run:
        # Half an uninstall is worse than a late interrupt: it is let finish (a second or two), then looked at.
        run.check(timeout=tools.component_seconds)
    for ref in dict.fromkeys((_ISTIOD, *step.objects)):
        until(waiting, tools.component_seconds, partial(is_gone, tools.api, ref), f"{ref} is still there")


def await_rollouts(tools: Tools, waiting: Waiting, step: AwaitRollouts) -> None:
    """Wait for the mesh's Deployments. Raises FailedError with reasons."""
    stuck = waiting.rollouts(step.minimums, tools.component_seconds)
    if stuck:
        raise _too_late(tools, stuck)


def is_gone(api: KubeApi, ref: ObjectRef) -> bool:
    """Whether there is no such object (any more)."""
    return api.get(path_of(ref)) is None


def until(waiting: Waiting, seconds: float, holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something holds; raises FailedError that says `otherwise` after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise FailedError(f"{otherwise} after {seconds:.0f} s")
        waiting.pause()


def _watch(tools: Tools, waiting: Waiting, run: ToolRun, watched: tuple[ObjectRef, ...]) -> None:
    """While istioctl works: tell the rollouts' progress, and end it when one takes too long."""
    hanging = Hanging(tools.api, waiting.observer)
    since: dict[ObjectRef, float] = {}
    while run.poll() is None:
        now = time.monotonic()
        found = waiting.look([(ref, 0) for ref in watched])
        under_way = {ref: progress for ref, progress in found.items() if not progress.done and progress.wanted > 0}
        since = {ref: since.get(ref, now) for ref in under_way}
        late = [ref for ref, start in since.items() if now - start > tools.component_seconds]
        if late:
            run.stop()
            raise _too_late(tools, _stuck(tools.api, found, late))
        if now + POLL_SECONDS > waiting.deadline:
            run.stop()
            raise waiting.out_of_time(_stuck(tools.api, found, list(under_way)))
        hanging.look(under_way)
        waiting.pause()


def _stuck(api: KubeApi, found: dict[ObjectRef, Progress], refs: list[ObjectRef]) -> list[Stuck]:
    return [Stuck(ref, found[ref], why_not_ready(api, ref)) for ref in refs]


def _too_late(tools: Tools, stuck: list[Stuck]) -> FailedError:
    names = ", ".join(item.ref.short for item in stuck)
    return FailedError(
        f"{names} not ready within {tools.component_seconds:.0f} s",
        details=tuple(line for item in stuck for line in item.lines()),
        todo=f"Mend what is named here and run it again. istioctl's output is in {tools.log}.",
    )


def _unheard(_: str) -> None:
    """istioctl's lines go to the log; progress is told from the cluster's objects."""

"""One executor for each kind of step. A step is data; what it takes to carry it out is here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from sohistio.checks import CheckResult, Evidence, verify
from sohistio.cluster.kube import KubeApi
from sohistio.cluster.kubetarget import KubeTarget
from sohistio.cluster.observe import observe
from sohistio.cluster.release_gateways import release_gateways
from sohistio.cluster.trouble import why_not_ready, workload_path
from sohistio.desired import DesiredMesh
from sohistio.errors import FailedError
from sohistio.istioctl import Istioctl
from sohistio.plan import (
    AwaitRollouts,
    HoldStandby,
    InstallIstio,
    ReleaseGateways,
    RestartWorkloads,
    Step,
    UninstallIstio,
    VerifyMesh,
)
from sohistio.run.restarting import RestartSettings, restart_stale
from sohistio.run.waiting import POLL_SECONDS, Hanging, Stuck, Waiting
from sohistio.state import ObjectRef
from sohistio.toolrun import ToolRun
from sohistio.versions import Version

# A standby's gateway counts as off after this long without a pod: a dying autoscaler may write once more.
_OFF_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with. `component_seconds` bounds each component's rollout; `log` takes istioctl's output."""

    api: KubeApi
    target: KubeTarget
    istioctl_for: Callable[[Version], Istioctl]
    operator_yaml: str
    desired: DesiredMesh
    component_seconds: float
    restarts: RestartSettings
    log: Path
    ca_before: str = ""


@dataclass(slots=True)
class Execution:
    """Executes steps; `checks` holds the verification's results afterwards."""

    tools: Tools
    waiting: Waiting
    checks: list[CheckResult] = field(default_factory=list)

    def execute(self, step: Step) -> None:
        """Carry one step out. Raises FailedError with reasons, InterruptedRunError when the user stops it."""
        match step:
            case InstallIstio():
                self._install(Version.parse(step.version))
            case AwaitRollouts():
                self._await(step)
            case HoldStandby():
                self._hold_standby(step)
            case RestartWorkloads():
                restart_stale(self.waiting, self.tools.restarts)
            case VerifyMesh():
                self.checks.extend(self._verify())
            case ReleaseGateways():
                release_gateways(self.tools.api, step.component_labels)
            case UninstallIstio():
                self._uninstall(Version.parse(step.version))
            case _:
                assert_never(step)

    def _install(self, version: Version) -> None:
        tools = self.tools
        istioctl = tools.istioctl_for(version)
        # istioctl must not give up first: our own timeouts end with reasons, its own without.
        readiness = int(self.waiting.deadline - time.monotonic()) + 60
        with istioctl.start_install(
            tools.operator_yaml, tools.target, readiness_seconds=readiness, log=tools.log, told=_unheard
        ) as run:
            self._watch(run)
            run.check(timeout=30)

    def _uninstall(self, version: Version) -> None:
        tools = self.tools
        with tools.istioctl_for(version).start_uninstall(tools.target, log=tools.log, told=_unheard) as run:
            while run.poll() is None:
                self.waiting.pause()
            run.check(timeout=30)
        istiod = ObjectRef("Deployment", "istio-system", "istiod")
        self._until(lambda: tools.api.get(workload_path(istiod)) is None, f"{istiod} is still there")

    def _watch(self, run: ToolRun) -> None:
        """While istioctl works: tell the rollouts' progress, and end it when one takes too long."""
        targets = [(item.ref, 0) for item in self.tools.desired.deployments if not item.is_off]
        hanging = Hanging(self.tools.api, self.waiting.observer)
        since: dict[ObjectRef, float] = {}
        while run.poll() is None:
            now = time.monotonic()
            found = self.waiting.look(targets)
            under_way = {r: p for r, p in found.items() if not p.done and p.wanted > 0}
            since = {ref: since.get(ref, now) for ref in under_way}
            late = [ref for ref, start in since.items() if now - start > self.tools.component_seconds]
            if late:
                run.stop()
                raise self._too_late([Stuck(ref, found[ref], why_not_ready(self.tools.api, ref)) for ref in late])
            hanging.look(under_way)
            self.waiting.pause()

    def _await(self, step: AwaitRollouts) -> None:
        stuck = self.waiting.rollouts(step.minimums, self.tools.component_seconds)
        if stuck:
            raise self._too_late(stuck)

    def _too_late(self, stuck: list[Stuck]) -> FailedError:
        names = ", ".join(item.ref.name for item in stuck)
        return FailedError(
            f"{names} not ready within {self.tools.component_seconds:.0f} s",
            details=tuple(line for item in stuck for line in item.lines()),
            todo=f"Mend what is named here and run it again. istioctl's output is in {self.tools.log}.",
        )

    def _hold_standby(self, step: HoldStandby) -> None:
        for ref in step.gateways:
            self._switch_off(ref)

    def _switch_off(self, ref: ObjectRef) -> None:
        """Scale to 0 where it is not, and see it stay there."""
        path = workload_path(ref)
        end = time.monotonic() + self.tools.component_seconds
        off_since: float | None = None
        while True:
            item = self.tools.api.get(path)
            if item is None:
                return
            if int(item["spec"].get("replicas", 1)) != 0:
                self.tools.api.merge_patch(path, {"spec": {"replicas": 0}})
            off = int(item["spec"].get("replicas", 1)) == 0 and not (item.get("status") or {}).get("replicas")
            now = time.monotonic()
            off_since = (off_since or now) if off else None
            if off_since is not None and now - off_since >= _OFF_SECONDS:
                return
            if now > end:
                raise FailedError(
                    f"{ref.name} still has pods in a standby",
                    details=why_not_ready(self.tools.api, ref),
                    todo="Look who scales it up (an autoscaler of your own?), then run it again.",
                )
            self.waiting.pause()

    def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        end = time.monotonic() + self.tools.component_seconds
        while not holds():
            if time.monotonic() > end:
                raise FailedError(f"{otherwise} after {self.tools.component_seconds:.0f} s")
            self.waiting.pause(POLL_SECONDS)

    def _verify(self) -> tuple[CheckResult, ...]:
        return verify(self.evidence())

    def evidence(self) -> Evidence:
        """Look at the cluster again, with istioctl's analysis, for the verification."""
        return gather_evidence(self.tools)


def gather_evidence(tools: Tools) -> Evidence:
    """What verification looks at. Raises FailedError where the cluster cannot be read."""
    state = observe(tools.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable)
    findings = tools.istioctl_for(tools.desired.version).analyze(tools.target)
    return Evidence(state, tools.desired, tuple(findings), tools.ca_before)


def _unheard(_: str) -> None:
    """istioctl's lines go to the log; progress is told from the cluster's objects."""

"""What a run works with, the same for every step."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.istioctl import Istioctl
from sohistio.model.desired import DesiredMesh
from sohistio.model.finding import Finding
from sohistio.model.gateway_probes import GatewayProbes
from sohistio.model.held_back import HeldBack
from sohistio.model.kube_target import KubeTarget
from sohistio.model.pull_secrets import PullCredential
from sohistio.model.record import Record
from sohistio.model.restart_policy import NO_RESTRAINT, Restraint
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.steps import RestartWorkloads
from sohistio.planning.declared_monitoring import DeclaredMonitoring
from sohistio.planning.planned import Planned
from sohistio.planning.policy import DeclaredPolicy
from sohistio.system.authority import Material
from sohistio.system.paths import state_dir

if TYPE_CHECKING:
    from sohistio.run.failover import Traffic


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, where the command line overrides the environment's."""

    component_seconds: float | None = None
    total_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RestartSettings:
    """How many workloads at a time, how many may fail before the rest is left, the seconds each may take, the new
    proxies a second for each ready istiod, and the seconds for Jobs that still run with an old sidecar.

    `restraint` is what holds some of them back. `planned` are all that the plan restarts, `held_back` those that it
    does not restart now, and `stage_ends` the steps after which nothing of the same list follows.
    """

    parallel: int
    max_failures: int
    workload_seconds: float
    proxies_per_second: int = 10
    jobs_seconds: float = 0.0
    restraint: Restraint = NO_RESTRAINT
    planned: frozenset[ObjectRef] = frozenset()
    held_back: Mapping[ObjectRef, HeldBack] = field(default_factory=dict)
    stage_ends: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Before:
    """What must be the same after the run: the root certificate's fingerprint, and every custom resource's digest.

    `findings` are what istioctl's analysis found: what was wrong already is not the run's to answer for; None
    where that is not known. A look alone (`verify`) is not `in_a_run`, and has no before. What is being deleted is in
    none of it: it will not be the same.
    """

    ca_root: str = ""
    custom_resources: Mapping[ObjectRef, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] | None = ()
    in_a_run: bool = False


@dataclass(frozen=True, slots=True)
class IstioctlRuns:
    """istioctl of each version, the cluster it works on, and the file that takes its output."""

    of: Callable[[Version], Istioctl]
    target: KubeTarget
    log: Path


@dataclass(frozen=True, slots=True)
class Tools:
    """`meshes` are the manifests by version; `component_seconds` bounds each component's rollout; `backup` is the
    folder for this run's backup; `pull_credential` goes into pull Secrets, `authority` into the CA's; `traffic` is
    what moves it, None where the plan moves none; `probes` judge gateways while their pods are replaced."""

    environment: str
    api: KubeApi
    istioctl: IstioctlRuns
    meshes: Mapping[Version, DesiredMesh]
    component_seconds: float
    restarts: RestartSettings
    backup: Path
    before: Before
    record: Record | None = None
    pull_credential: PullCredential | None = None
    authority: Material | None = None
    policy: DeclaredPolicy = field(default_factory=DeclaredPolicy)
    monitoring: DeclaredMonitoring = field(default_factory=DeclaredMonitoring)
    traffic: Traffic | None = None
    probes: GatewayProbes = field(default_factory=GatewayProbes)


def _restarts(planned: Planned) -> RestartSettings:
    keys, plan = planned.session.environment.restarts, planned.plan
    stages = [[step for step in phase.steps if isinstance(step, RestartWorkloads)] for phase in plan.phases]
    return RestartSettings(
        keys.parallel,
        keys.max_failures,
        keys.timeout_seconds,
        keys.proxies_per_second,
        keys.jobs_seconds,
        planned.restraint,
        frozenset(ref for steps in stages for step in steps for ref in step.workloads),
        {item.ref: item for item in plan.held_back},
        frozenset(steps[-1].id for steps in stages if steps),
    )


def tools_for(planned: Planned, timeouts: Timeouts, before: Before, traffic: Traffic | None = None) -> Tools:
    """What a run of the plan works with."""
    session, environment = planned.session, planned.session.environment
    name = f"{environment.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
    return Tools(
        environment=environment.name,
        api=session.api,
        istioctl=IstioctlRuns(session.istioctl, session.target, state_dir() / "logs" / f"{name}.log"),
        meshes=planned.rendered.meshes,
        component_seconds=timeouts.component_seconds or environment.timeouts.component_seconds,
        restarts=_restarts(planned),
        backup=state_dir() / "backups" / name,
        before=before,
        record=planned.record,
        pull_credential=planned.pull_secrets.credential,
        authority=planned.authority.material,
        policy=planned.policy.declared,
        monitoring=planned.monitoring.declared,
        traffic=traffic,
        probes=environment.gateway_probes(session.root / environment.name),
    )

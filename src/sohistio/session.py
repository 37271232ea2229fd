"""One command on one environment: its files, its cluster and its istioctl brought together, then a plan."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sohistio.changes import Changes
from sohistio.cluster.compare import compare, read_manifest
from sohistio.cluster.kube import KubeApi, KubeError
from sohistio.cluster.kubetarget import KubeTarget
from sohistio.cluster.observe import observe
from sohistio.desired import DesiredMesh, desired_mesh
from sohistio.environments.load import Environment, find_environments_root, load_environment, operator_for
from sohistio.environments.yamlfiles import to_yaml
from sohistio.errors import RefusedError
from sohistio.istioctl import Istioctl
from sohistio.modes.decide import Decision, decide
from sohistio.modes.planner import make_plan, restart_only
from sohistio.paths import cache_dir, state_dir
from sohistio.plan import Mode, Plan
from sohistio.release.mirror import Mirror
from sohistio.release.obtain import IstioctlSource, obtain_istioctl
from sohistio.run.restarting import RestartSettings
from sohistio.run.steps import Tools
from sohistio.sandbox.location import sandbox_context, sandbox_kubeconfig, sandbox_mirror_url, sandbox_of_context
from sohistio.state import ClusterState
from sohistio.versions import Version


@dataclass(frozen=True, slots=True)
class Where:
    """What the command line said about the environment and its cluster; None leaves it to the environment's files."""

    environment: str
    environments: Path | None = None
    version: Version | None = None
    kubeconfig: Path | None = None
    context: str | None = None
    istioctl: Path | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, where the command line overrides the environment's."""

    component_seconds: float | None = None
    total_seconds: float | None = None


@dataclass
class Session:
    """Everything is made when first needed, so that a wrong flag is told before anything slow happens."""

    where: Where
    told: Callable[[str], None]
    _obtained: dict[Version, Istioctl] = field(default_factory=dict)

    @cached_property
    def root(self) -> Path:
        """The folder of environments."""
        return find_environments_root(self.where.environments, Path.cwd())

    @cached_property
    def environment(self) -> Environment:
        """The validated environment. Raises UsageError."""
        return load_environment(self.where.environment, self.root, os.environ)

    @cached_property
    def version(self) -> Version:
        """The target version: the command line's, else the environment's."""
        return self.where.version or self.environment.istio.version

    @cached_property
    def sandbox(self) -> str | None:
        """The sandbox this session works on, None for any other cluster."""
        if self.where.kubeconfig is not None:
            return None
        if self.where.context is not None:
            return sandbox_of_context(self.where.context)
        return self.environment.cluster.sandbox

    @cached_property
    def target(self) -> KubeTarget:
        """The cluster. The kubeconfig's current-context is never used: it may be anything."""
        if self.sandbox is not None:
            return KubeTarget(sandbox_kubeconfig(self.sandbox), sandbox_context(self.sandbox))
        context = self.where.context or self.environment.cluster.context
        if context is None:
            raise RefusedError(
                f"environment {self.environment.name} is the sandbox's; another cluster must be named",
                todo="Give --context together with --kubeconfig.",
            )
        return KubeTarget(self.where.kubeconfig, context)

    @cached_property
    def api(self) -> KubeApi:
        """The cluster's API."""
        return KubeApi(self.target)

    @cached_property
    def operator_yaml(self) -> str:
        """The one IstioOperator, rendered for the target version."""
        return to_yaml(operator_for(self.environment, self.version))

    def istioctl(self, version: Version) -> Istioctl:
        """istioctl of a version, obtained once."""
        if version not in self._obtained:
            # A sandbox's istioctl is built on this machine: the pins are those of the public releases.
            own_mirror = sandbox_mirror_url(self.sandbox) if self.sandbox else None
            mirror = Mirror.choose(None if "SOHISTIO_ISTIO_MIRROR" in os.environ else own_mirror, os.environ)
            source = IstioctlSource(
                cache=cache_dir(),
                mirror=mirror,
                lock=None if mirror.base == own_mirror else self.root / "istioctl.lock",
                rebuilt=mirror.base == own_mirror,
                # A binary given by hand serves the target; another version (for an uninstall) is still fetched.
                explicit=self.where.istioctl if version == self.version else None,
            )
            self._obtained[version] = obtain_istioctl(version, source, self.told)
        return self._obtained[version]

    def planned(self, requested: Mode | None = None) -> Planned:
        """Look at the cluster and plan. Writes nothing."""
        environment, version = self.environment, self.version
        self.told(f"looking at {self.api.server}")
        state = observe(self.api)
        if state.unreadable:
            decision = decide(state, version, Changes(), requested)
            return Planned(self, make_plan(environment.name, version, state, None, (decision, Changes())), state)
        istioctl = self.istioctl(version)
        manifest = read_manifest(istioctl.manifest_generate(self.operator_yaml))
        desired = desired_mesh(manifest, version)
        self.told("comparing the manifest with the cluster")
        try:
            changes = compare(self.api, manifest)
        except KubeError as error:
            raise RefusedError(
                "the manifest could not be compared with the cluster",
                details=(error.what, *error.details),
                todo=error.todo or "Look at the message above; nothing was changed.",
            ) from error
        decision = decide(state, version, changes, requested)
        if decision.replace and decision.installed is not None and not decision.refusal:
            self.istioctl(decision.installed)  # the uninstall needs it: better to miss it now than half way
        plan = make_plan(environment.name, version, state, desired, (decision, changes))
        return Planned(self, plan, state, desired, decision)

    def restart_planned(self) -> Planned:
        """The plan of `sohistio restart`."""
        planned = self.planned()
        if planned.desired is None or planned.decision is None or planned.state.sidecar is None:
            return planned
        plan = restart_only(self.environment.name, planned.state, planned.decision, self.version)
        return Planned(self, plan, planned.state, planned.desired, planned.decision)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it was made from. `desired` is None where the mode is unknown."""

    session: Session
    plan: Plan
    state: ClusterState
    desired: DesiredMesh | None = None
    decision: Decision | None = None

    def tools(self, timeouts: Timeouts) -> Tools:
        """What a run of the plan works with."""
        assert self.desired is not None  # noqa: S101 — a plan without it has no steps and is never run
        session, environment = self.session, self.session.environment
        now = datetime.now(UTC)
        return Tools(
            api=session.api,
            target=session.target,
            istioctl_for=session.istioctl,
            operator_yaml=session.operator_yaml,
            desired=self.desired,
            component_seconds=timeouts.component_seconds or environment.timeouts.component_seconds,
            restarts=RestartSettings(
                environment.restarts.parallel,
                environment.restarts.max_failures,
                environment.restarts.timeout_seconds,
            ),
            log=state_dir() / "logs" / f"{environment.name}-{now:%Y%m%dT%H%M%SZ}-{os.getpid()}.log",
            ca_before=self.state.ca_root,
        )

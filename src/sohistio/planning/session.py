"""One command on one environment: its files, its cluster and its istioctl brought together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sohistio.adapters.kubernetes.holder import Watched
from sohistio.adapters.releases.mirror import MIRROR_VARIABLE, Mirror
from sohistio.adapters.releases.obtain import IstioctlSource
from sohistio.environments.images_lock import NAME as IMAGES_LOCK
from sohistio.environments.images_lock import read_images_lock
from sohistio.environments.istiooperator import with_values
from sohistio.environments.load import Environment, find_environments_root, load_environment
from sohistio.environments.yaml_files import to_yaml
from sohistio.errors import RefusedError, SohistioError
from sohistio.images.pins import pinned_values
from sohistio.istioctl import Istioctl
from sohistio.model.auth import Auth
from sohistio.model.cause import Cause
from sohistio.model.desired import DesiredMesh
from sohistio.model.kube_target import KubeTarget
from sohistio.model.versions import Version
from sohistio.planning.istioctls import Istioctls
from sohistio.sandbox.location import sandbox_context, sandbox_kubeconfig, sandbox_mirror_url, sandbox_of_context
from sohistio.system.lazy import lazy
from sohistio.system.paths import cache_dir

# What asks somebody is imported where it is: until then istioctl may be at work already (render_ahead).
if TYPE_CHECKING:
    from sohistio.adapters.azure.account import AksCluster, AzureLogin
    from sohistio.adapters.bundle.unpacked import Bundle
    from sohistio.adapters.kubernetes.api import KubeApi
    from sohistio.model.managed_cluster import ManagedCluster


@dataclass(frozen=True, slots=True)
class Where:
    """What the command line said about the environment and its cluster; None leaves it to the environment's files."""

    environment: str
    environments: Path | None = None
    version: Version | None = None
    kubeconfig: Path | None = None
    context: str | None = None
    istioctl: Path | None = None
    auth: Auth = Auth.AUTO
    skip_checks: frozenset[str] = frozenset()
    bundle: Path | None = None
    cause: Cause = field(default_factory=Cause)


@dataclass
class Session:
    """Everything is made when first needed, so that a wrong flag is reported before anything slow happens.

    `azure_is_silent` where Azure was asked about a kubeconfig that somebody answers for, and gave no answer.
    """

    where: Where
    say: Callable[[str], None]
    lock_watched: Watched = field(default_factory=Watched)
    azure_is_silent: bool = False
    _operators: dict[tuple[Version, bool], str] = field(default_factory=dict)
    _unpinned: dict[Version, Sequence[dict[str, Any]]] = field(default_factory=dict)

    @lazy
    def bundle(self) -> Bundle | None:
        """What --bundle named, None where it named nothing."""
        if self.where.bundle is None:
            return None
        from sohistio.adapters.bundle.unpacked import Bundle

        return Bundle(self.where.bundle)

    @lazy
    def root(self) -> Path:
        """The folder of environments: the one given, else the bundle's, else the usual one."""
        if self.bundle is not None and self.where.environments is None:
            return self.bundle.environments
        return find_environments_root(self.where.environments, Path.cwd())

    @lazy
    def environment(self) -> Environment:
        """The validated environment. Raises UsageError."""
        return load_environment(self.where.environment, self.root, os.environ)

    @lazy
    def version(self) -> Version:
        """The target version: the command line's, else the environment's."""
        return self.where.version or self.environment.istio.version

    @lazy
    def sandbox(self) -> str | None:
        """The sandbox this session works on, None for any other cluster."""
        if self.where.kubeconfig is not None:
            return None
        if self.where.context is not None:
            return sandbox_of_context(self.where.context)
        return self.environment.cluster.sandbox

    @lazy
    def aks(self) -> AksCluster | None:
        """The AKS cluster that the environment names, asked for nothing yet; None where it names none."""
        named = None if self.sandbox is not None else self.environment.cluster.aks
        if named is None:
            return None
        from sohistio.adapters.azure.account import AksCluster

        return AksCluster(named.place(), self.where.auth, self.say)

    @property
    def managed_cluster(self) -> ManagedCluster | None:
        """The AKS cluster as Azure tells of it, None where there is none to ask about. Raises RefusedError."""
        return self.aks.managed if self.aks else None

    def azure_login(self) -> AzureLogin:
        """The cluster's login at Azure, or the one of --auth where the cluster is not of AKS. Raises RefusedError."""
        from sohistio.adapters.azure.account import AzureLogin
        from sohistio.adapters.azure.login import Login

        return self.aks.azure if self.aks else AzureLogin(Login(self.where.auth), self.say)

    @property
    def logs_in(self) -> bool:
        """Whether this session logs in to AKS by itself; a kubeconfig or context given by hand has its own login."""
        return self.where.kubeconfig is None and self.where.context is None and self.aks is not None

    @lazy
    def target(self) -> KubeTarget:
        """The cluster. The kubeconfig's current-context is never used: it may be anything.

        Other programs may rewrite a kubeconfig at any time; istioctl reads it at each start: it gets a copy.
        """
        from sohistio.adapters.kubernetes.private_kubeconfig import private_copy, private_kubeconfig

        if self.sandbox is not None:
            return KubeTarget(sandbox_kubeconfig(self.sandbox), sandbox_context(self.sandbox))
        if self.logs_in and self.aks is not None:
            return private_kubeconfig(self.aks.place.name, self.aks.access, self.aks.pinned().arguments())
        named = self.environment.cluster
        context = self.where.context or named.context or (named.aks.name if named.aks else None)
        if context is None:
            raise RefusedError(
                f"environment {self.environment.name} is the sandbox's; another cluster must be named",
                todo="Give --context together with --kubeconfig.",
            )
        return private_copy(KubeTarget(self.where.kubeconfig, context))

    @lazy
    def api(self) -> KubeApi:
        """The cluster's API. Which cluster it is is said before the first request: it may be a silent one."""
        from sohistio.planning.logged_in import logged_in

        tokens = self.aks.azure.tokens if self.logs_in and self.aks is not None else None
        api = logged_in(self.target, tokens, self.say)
        if self.sandbox is None and not self.logs_in and not self.target.copy_of:
            # It could not be copied and now it can be used: istioctl would read it once more.
            raise RefusedError("the kubeconfig was rewritten while it was read", todo="Run it again.")
        if tokens is not None:
            tokens.token()  # a login that fails is reported now, not as a request that failed
        self.say(f"looking at {api.server}")
        return api

    def at_one_moment(self) -> Session:
        """The same for making one plan: its `api` reads the cluster once."""
        from sohistio.adapters.kubernetes.snapshot import Snapshot

        found = copy(self)
        vars(found)["api"] = Snapshot(self.api)
        return found

    def operator_yaml(self, version: Version, *, gateways_off: bool | None = None) -> str:
        """The environment's one IstioOperator, rendered for a version; a standby's gateways are off by default.

        With istio.pinDigests its images have digests. Raises RefusedError where one is not pinned.
        """
        off = self.environment.is_standby if gateways_off is None else gateways_off
        if (version, off) not in self._operators:
            operator = self.environment.operator_for(version, gateways_off=off)
            self._operators[version, off] = to_yaml(with_values(operator, self._pinned(version)))
        return self._operators[version, off]

    def _pinned(self, version: Version) -> dict[str, Any]:
        """The values that pin the images; none without istio.pinDigests."""
        istio, name = self.environment.istio, self.environment.name
        if not istio.pin_digests:
            return {}
        todo = f"Run `sohistio images mirror --env {name} --version {version}`: it pins what it copies."
        pins = read_images_lock(self.root / IMAGES_LOCK)
        return pinned_values(self.unpinned_objects(version), pins, (self.environment.images.source, istio.hub), todo)

    def render_ahead(self) -> None:
        """Have istioctl at work on the target while the cluster is looked at; a standby may turn out to want another
        IstioOperator. What is wrong with it is told where it is asked for.
        """
        with suppress(SohistioError):
            if not self.environment.istio.pin_digests:
                self.istioctls.render_ahead(self.version, lambda: self.operator_yaml(self.version))

    def unpinned_objects(self, version: Version) -> Sequence[dict[str, Any]]:
        """The manifest of a version with images by tag, and what its injector makes of pods. Raises RefusedError."""
        if version not in self._unpinned:
            _, manifest = self.render(version, to_yaml(self.environment.operator_for(version)))
            self._unpinned[version] = [*manifest, *self.istioctls.injected(version, manifest)]
        return self._unpinned[version]

    def render(self, version: Version, operator: str) -> tuple[DesiredMesh, list[dict[str, Any]]]:
        """What istioctl of a version makes of an IstioOperator. Raises RefusedError with istioctl's own words."""
        return self.istioctls.render(version, operator)

    def newest_patch(self, minor: Version) -> Version | None:
        """The newest release of this version's minor that the mirror has; None where it has none, or no answer."""
        from sohistio.adapters.releases.newest import newest_patch

        return newest_patch(self.mirror, minor.major, minor.minor, self.say)

    @lazy
    def mirror(self) -> Mirror:
        """Where releases come from: SOHISTIO_ISTIO_MIRROR, else the sandbox's own mirror, else the public releases."""
        own = sandbox_mirror_url(self.sandbox) if self.sandbox else None
        return Mirror.choose(None if os.environ.get(MIRROR_VARIABLE) else own, os.environ)

    @lazy
    def istioctls(self) -> Istioctls:
        """istioctl of each version, obtained once."""
        return Istioctls(self.environment.name, self._istioctl_source, self.say)

    def istioctl(self, version: Version) -> Istioctl:
        """istioctl of a version. Raises NotObtainedError."""
        return self.istioctls.of(version)

    def _istioctl_source(self, version: Version) -> IstioctlSource:
        # A sandbox's istioctl is built on this machine: the pins are those of the public releases.
        rebuilt = self.mirror.base == (sandbox_mirror_url(self.sandbox) if self.sandbox else None)
        return IstioctlSource(
            cache=cache_dir(),
            mirror=self.mirror,
            lock=None if rebuilt else self.root / "istioctl.lock",
            rebuilt=rebuilt,
            # A binary given by hand serves the target; another version (for an uninstall) is still fetched.
            explicit=self.where.istioctl if version == self.version else None,
            archives=self.bundle.istioctl if self.bundle else None,
        )

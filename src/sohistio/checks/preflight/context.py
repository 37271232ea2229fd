"""What the checks look at: the session, its plan, and lists read from the cluster once and shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sohistio.adapters.kubernetes.access import not_analyzable
from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.certificates import mesh_certificates
from sohistio.adapters.kubernetes.custom_resources import custom_resources
from sohistio.adapters.kubernetes.webhooks import LISTED as WEBHOOKS
from sohistio.checks.preflight.provisioning import NODE_POOLS
from sohistio.environments.load import Environment
from sohistio.errors import SohistioError
from sohistio.istioctl import Istioctl
from sohistio.model.certificate import MeshCertificates
from sohistio.model.desired import DesiredMesh
from sohistio.model.finding import Finding
from sohistio.model.gateway_api import UNSERVED
from sohistio.model.managed_cluster import ManagedCluster
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.planning.failover import Observed, Pair, look, pair_for
from sohistio.planning.planned import Planned
from sohistio.planning.session import Session
from sohistio.planning.surroundings import look_around
from sohistio.planning.target_cluster import azure_faults, managed_of, recorded_faults
from sohistio.system.once import Once

if TYPE_CHECKING:
    from sohistio.checks.preflight.pulls import Pulls


def _readable(api: KubeApi, path: str) -> list[Object]:
    """A list that may be of no kind of this cluster, or not for everybody to read: empty then. Raises KubeError."""
    try:
        return api.items(path)
    except KubeError as error:
        if error.status in (403, 404):
            return []
        raise


class UnseenError(Exception):
    """What a check needs is not there, because another check fails: its message names that one."""


@dataclass(frozen=True, slots=True)
class Stops:
    """What went wrong before the checks could begin; each is reported by the check that it belongs to."""

    environment: SohistioError | None = None
    server: SohistioError | None = None
    istioctl: SohistioError | None = None
    plan: SohistioError | None = None

    @property
    def reason(self) -> str:
        """Why there is no plan; empty where nothing stopped it."""
        reasons = {
            "the environment is not valid": self.environment,
            "the cluster could not be read": self.server,
            "there is no istioctl": self.istioctl,
            "there is no plan": self.plan,
        }
        return next((reason for reason, error in reasons.items() if error is not None), "")


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a failover, and what was observed of them."""

    pair: Pair
    observed: Observed


@dataclass
class Context:
    """One look at one environment. What is missing raises UnseenError where a check asks for it.

    `failover` are both sides where they have been looked at already. What expires within `fail_within` seconds is an
    error; None leaves that to the checks.
    """

    session: Session
    seen: ClusterState | None
    plan: Planned | None
    stops: Stops = field(default_factory=Stops)
    failover: Sides | None = None
    fail_within: float | None = None

    def __post_init__(self) -> None:
        self.nodes = Once(lambda: self.api.items("/api/v1/nodes"))
        self.pods = Once(lambda: self.api.items("/api/v1/pods"))
        self.provisioned_pools = Once(lambda: _readable(self.api, NODE_POOLS))
        self.services = Once(lambda: self.api.items("/api/v1/services"))
        self.webhooks = Once(lambda: {kind: self.api.items(path) for kind, (path, _) in WEBHOOKS.items()})
        self.unlisted = Once(lambda: not_analyzable(self.api))
        self._managed = Once(lambda: managed_of(self.session))
        self.azure_faults = Once(lambda: azure_faults(self.session))
        self.recorded_faults = Once(lambda: recorded_faults(self.session))
        self._findings = Once(self._analyzed)
        self.prechecked = Once(lambda: tuple(self.istioctl.precheck(self.session.target)))
        self.is_unserved = Once(self._unserved)
        self.sides = Once(self._sides)
        self.pulls = Once(self._pulls)
        self.around = Once(lambda: look_around(self.planned, self.pods(), self.services()))
        self.custom_resources = Once(lambda: custom_resources(self.api))
        self.certificates = Once(self._certificates)

    @property
    def environment(self) -> Environment:
        if self.stops.environment is not None:
            raise UnseenError("the environment is not valid")
        return self.session.environment

    @property
    def api(self) -> KubeApi:
        if self.seen is None:
            raise UnseenError(self.stops.reason or "no cluster is known")
        return self.session.api

    @property
    def state(self) -> ClusterState:
        """What planning saw."""
        if self.seen is None:
            raise UnseenError(self.stops.reason or "no cluster is known")
        return self.seen

    @property
    def planned(self) -> Planned:
        if self.plan is None:
            raise UnseenError(self.stops.reason or "there is no plan")
        return self.plan

    @property
    def manifest(self) -> Sequence[Object]:
        """The objects of the target's manifest. Raises UnseenError where none is rendered (somebody else's mesh)."""
        if not self.planned.rendered.manifest:
            raise UnseenError("no manifest was rendered")
        return self.planned.rendered.manifest

    @property
    def mesh(self) -> DesiredMesh:
        """The mesh of the target's manifest."""
        found = self._mesh_of(self.planned)
        if found is None:
            raise UnseenError("no manifest was rendered")
        return found

    @staticmethod
    def _mesh_of(planned: Planned) -> DesiredMesh | None:
        """By the text: the target of an uninstall, say, is none."""
        target = planned.plan.target_version
        return next((mesh for version, mesh in planned.rendered.meshes.items() if str(version) == target), None)

    @property
    def managed_cluster(self) -> ManagedCluster | None:
        """As Azure tells of it; None for a cluster that is not of AKS. Raises SohistioError."""
        return self._managed() if self.stops.environment is None else None

    def is_free(self, address: str) -> bool | None:
        """Whether nobody in the cluster's virtual network has the address; None where Azure cannot be asked."""
        aks = self.session.aks
        return aks.address_is_free(address) if aks is not None and self.managed_cluster is not None else None

    @property
    def istioctl(self) -> Istioctl:
        """The target's. Obtained before the checks begin."""
        if self.stops.istioctl is not None or self.stops.environment is not None:
            raise UnseenError("there is no istioctl to ask")
        mesh = self._mesh_of(self.planned) if self.plan is not None else None
        return self.session.istioctl(mesh.version if mesh else self.session.version)

    def _sides(self) -> Sides | None:
        if self.failover is not None:
            return self.failover
        pair = pair_for(self.session) if self.stops.environment is None else None
        return Sides(pair, look(pair)) if pair else None

    def _certificates(self) -> MeshCertificates:
        return mesh_certificates(self.api, self.custom_resources(), self.state.mesh_deployments)

    def _pulls(self) -> Pulls:
        from sohistio.checks.preflight.pulls import read_pulls_of

        return read_pulls_of(self)

    def findings(self, version: Version | None = None) -> tuple[Finding, ...]:
        """What the target's `istioctl analyze` (or another version's) finds now.

        Ask for `unlisted` first: where it is not empty istioctl would hang.
        """
        istioctl = self.istioctl
        if version is None or version == istioctl.version:
            return self._findings()
        return tuple(self.session.istioctl(version).analyze(self.session.target))

    def _unserved(self) -> bool:
        """Whether a version of the Gateway API that istioctl and istiod watch is not served: both would wait for ever.

        Ask for `unlisted` first, as for `findings`.
        """
        if not self.state.gateway_api.definitions:
            return False
        return any(finding.code in UNSERVED for finding in self.prechecked())

    def _analyzed(self) -> tuple[Finding, ...]:
        return tuple(self.istioctl.analyze(self.session.target))

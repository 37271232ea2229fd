"""Steps of what watches the mesh: its objects applied as the environment declares them, and taken away again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sohistio.model.monitoring import MONITORING_LABEL
from sohistio.model.state import ObjectRef
from sohistio.plan.owned_steps import ApplyOwned, PruneOwned, is_owned
from sohistio.plan.ownership import MONITORING_MANAGER
from sohistio.plan.risk import Risk

# A pod goes before what it runs with; what tells that there is something left goes last.
_DELETION = (
    "Deployment",
    "Service",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "ClusterRoleBinding",
    "ClusterRole",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
)


@dataclass(frozen=True, slots=True)
class MakeSecrets:
    """Create Secrets with a random text at `keys`, where there is none; one that is there is left as it is.

    `environment` is whose they are. What they hold is in no plan and no record.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    environment: str
    objects: tuple[ObjectRef, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplyMonitoring(ApplyOwned):
    """Of what watches the mesh: `effects` says what is lost by it."""


@dataclass(frozen=True, slots=True)
class AwaitMonitoring:
    """Wait until these Deployments are ready; one that is not is said, and left to the verification."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    deployments: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class PruneMonitoring(PruneOwned):
    """Of what watches the mesh: `effects` says what data goes."""


@dataclass(frozen=True, slots=True)
class ReportRehearsal:
    """Tell Prometheus that the failover to `environment`, a standby, was rehearsed: its alert counts from there."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    environment: str
    object: ObjectRef


def is_monitorings(live: Mapping[str, Any], environment: str) -> bool:
    """Whether sohistio made it from this environment's monitoring."""
    return is_owned(live, MONITORING_LABEL, environment, MONITORING_MANAGER)


def deletion_order(ref: ObjectRef) -> tuple[int, ObjectRef]:
    """A sort key for objects of monitoring that are to be deleted."""
    return _DELETION.index(ref.kind), ref

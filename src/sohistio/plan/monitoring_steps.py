"""Steps of what watches the mesh: its objects applied as the environment declares them, and taken away again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sohistio.model.monitoring import monitoring_label
from sohistio.model.state import ObjectRef
from sohistio.plan.backup_steps import ObjectsStep
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
class ApplyMonitoring(ObjectsStep):
    """Create or change the objects, in order, and own their fields: a hand edit of one is undone.

    `effects` says, as predicates, what is lost by it.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AwaitMonitoring:
    """Wait until these Deployments are ready; one that is not is said, and left to the verification."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    deployments: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class PruneMonitoring:
    """Delete objects that `environment` no longer declares. `paths` and `effects` are as of `PrunePolicy`."""

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    environment: str
    objects: tuple[ObjectRef, ...]
    paths: tuple[str, ...]
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportRehearsal:
    """Tell Prometheus that the failover to `environment`, a standby, was rehearsed: its alert counts from there."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    environment: str
    object: ObjectRef


def is_monitorings(live: Mapping[str, Any], environment: str) -> bool:
    """Whether sohistio made it from this environment's monitoring: by its label, and by its field manager."""
    managers = {entry.get("manager") for entry in live["metadata"].get("managedFields") or ()}
    return monitoring_label(live) == environment and MONITORING_MANAGER in managers


def deletion_order(ref: ObjectRef) -> tuple[int, ObjectRef]:
    """A sort key for objects of monitoring that are to be deleted."""
    return _DELETION.index(ref.kind), ref

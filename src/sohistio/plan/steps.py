"""Steps: what a plan is made of. Frozen data with a stable id, a summary for people and a risk; no callables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sohistio.model.restart_reason import RestartReason
from sohistio.model.revision import DEFAULT_REVISION, Revision
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.adoption_steps import MoveFieldManagers, RecordAdoption, StopOperator
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.backup_steps import CheckBackup, RestoreAuthority, RestoreObjects, TakeBackup
from sohistio.plan.failover_steps import (
    AwaitOldAnswers,
    MarkFailover,
    ProveName,
    ProveSide,
    SwitchRecord,
    WatchHealth,
)
from sohistio.plan.gateway_steps import AwaitAddresses, HandOverAddress, RelabelGateways, ReleaseGateways
from sohistio.plan.image_steps import PrepullImages
from sohistio.plan.monitoring_steps import (
    ApplyMonitoring,
    AwaitMonitoring,
    MakeSecrets,
    PruneMonitoring,
    ReportRehearsal,
)
from sohistio.plan.namespace_steps import NamespaceStep, VerifyNamespaces
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy
from sohistio.plan.risk import DIGESTED, Risk
from sohistio.plan.sync_steps import PruneSynced, RecordSync, SyncObjects
from sohistio.plan.webhook_steps import RepairWebhooks

BY_HAND = "Restart it yourself when it suits."


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A workload with an old sidecar, or none, that a restart passes by, why, and what its people may do."""

    ref: ObjectRef
    reason: str
    todo: str = BY_HAND


@dataclass(frozen=True, slots=True)
class UninstallIstio:
    """Remove the control plane of `version` with its own istioctl; CRDs, custom resources and the CA stay.

    Awaited until `objects` are gone, beside istiod.
    """

    risk: ClassVar[Risk] = Risk.DISRUPT
    id: str
    summary: str
    version: Version
    objects: tuple[ObjectRef, ...] = ()
    revision: Revision = DEFAULT_REVISION


@dataclass(frozen=True, slots=True)
class InstallIstio:
    """Run `istioctl install` of `version` with this IstioOperator (YAML); `watched` Deployments tell its progress.

    `turns` are gateways whose pods are replaced once istiod is ready, one gateway after the other.
    Where it `opens` the injector, its webhook ignores failures until the default tag takes over, which comes when
    istiod is ready.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    version: Version
    operator: str = field(metadata=DIGESTED)
    watched: tuple[ObjectRef, ...]
    turns: tuple[ObjectRef, ...] = ()
    opens: bool = False


@dataclass(frozen=True, slots=True)
class KeepReplicas:
    """Own the replicas of Deployments whose new manifest leaves them to the autoscaler, so that no apply drops them."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    deployments: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """Wake Deployments that somebody scaled to 0: an autoscaler does nothing at 0, and the manifest has no replicas."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    minimums: tuple[tuple[ObjectRef, int], ...]


@dataclass(frozen=True, slots=True)
class AwaitRollouts:
    """Wait until each Deployment runs its newest pods only, `minimums` of them ready at least."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    minimums: tuple[tuple[ObjectRef, int], ...]


@dataclass(frozen=True, slots=True)
class HoldStandby:
    """The standby rule: these gateways have no pod at all. `serving` names those that have ready pods now."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    gateways: tuple[ObjectRef, ...]
    serving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveObjects:
    """Delete objects and wait until they are gone; one that is gone already is no error."""

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    objects: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class RestartWorkloads:
    """Restart workloads whose pods lack the current sidecar, in this order; `left_alone` are the ones passed by.

    `workloads` is what was approved: one of them that needs no restart any more gets none, and no other gets one.
    `reasons` are what the restart changes in their sidecars, where that is known.
    With `without_sidecar` it is the other way round: the ones whose pods carry one, once nothing injects it any more.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    workloads: tuple[ObjectRef, ...]
    left_alone: tuple[LeftAlone, ...] = ()
    without_sidecar: bool = False
    reasons: tuple[RestartReason, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyGone:
    """See that nothing of the mesh is left, that `kept` is still there, and that `purged` is not.

    `taken` are custom resources that istioctl had made and took.
    """

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    kept: tuple[ObjectRef, ...]
    purged: tuple[ObjectRef, ...] = ()
    taken: tuple[ObjectRef, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyMesh:
    """Run every verification check against the mesh of `version`."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    version: Version


@dataclass(frozen=True, slots=True)
class CompleteRecord:
    """Record that this version and manifest are in place, which a run that was interrupted could not do."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    version: Version
    operator: str


Step = (
    TakeBackup
    | CheckBackup
    | WriteAuthority
    | NamespaceStep
    | VerifyNamespaces
    | RepairWebhooks
    | StopOperator
    | MoveFieldManagers
    | ReleaseGateways
    | UninstallIstio
    | KeepReplicas
    | InstallIstio
    | ScaleUp
    | AwaitRollouts
    | HoldStandby
    | RelabelGateways
    | HandOverAddress
    | AwaitAddresses
    | RemoveObjects
    | RestartWorkloads
    | VerifyGone
    | VerifyMesh
    | RestoreObjects
    | RestoreAuthority
    | CompleteRecord
    | RecordAdoption
    | MarkFailover
    | ProveSide
    | SwitchRecord
    | ProveName
    | AwaitOldAnswers
    | WatchHealth
    | SyncObjects
    | PruneSynced
    | RecordSync
    | PrepullImages
    | ApplyPolicy
    | PrunePolicy
    | MakeSecrets
    | ApplyMonitoring
    | AwaitMonitoring
    | PruneMonitoring
    | ReportRehearsal
)

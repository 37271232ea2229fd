"""Plan, Phase, Step: what a run will do. Data only, no callables: a plan prints, serialises and has a digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from sohistio.changes import Action, Changes
from sohistio.state import ObjectRef

SCHEMA_VERSION = "1"


class Mode(StrEnum):
    """What a run amounts to (DESIGN: "How the mode is decided")."""

    UNKNOWN = "unknown"
    INSTALL = "install"
    UPGRADE = "upgrade"
    REINSTALL = "reinstall"
    NONE = "none"


class Risk(StrEnum):
    """What a step may do to the cluster: look, change, interrupt traffic, or take things away."""

    READ = "read"
    CHANGE = "change"
    DISRUPT = "disrupt"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A workload with an old sidecar, or none, that a restart passes by, and why."""

    ref: ObjectRef
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseGateways:
    """Take istioctl's labels off the gateways' objects, so that an uninstall leaves them serving (FACTS, "Tried")."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    component_labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UninstallIstio:
    """Remove the control plane of `version` with its own istioctl; CRDs, custom resources and the CA stay."""

    risk: ClassVar[Risk] = Risk.DISRUPT
    id: str
    summary: str
    version: str


@dataclass(frozen=True, slots=True)
class InstallIstio:
    """Run `istioctl install` of `version` with the environment's IstioOperator."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    version: str


@dataclass(frozen=True, slots=True)
class AwaitRollouts:
    """Wait until each Deployment runs its newest pods only, `minimums` of them ready at least."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    minimums: tuple[tuple[ObjectRef, int], ...]


@dataclass(frozen=True, slots=True)
class HoldStandby:
    """The standby rule: these gateways have no pod at all."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    gateways: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class RestartWorkloads:
    """Restart workloads whose pods lack today's sidecar, in waves; `left_alone` are the ones passed by."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    workloads: tuple[ObjectRef, ...]
    left_alone: tuple[LeftAlone, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyMesh:
    """Run every verification check."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str


Step = ReleaseGateways | UninstallIstio | InstallIstio | AwaitRollouts | HoldStandby | RestartWorkloads | VerifyMesh


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps that belong together, in order."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run on one environment will do, and why."""

    environment: str
    cluster: str
    mode: Mode
    installed_version: str
    target_version: str
    reasons: tuple[str, ...]
    phases: tuple[Phase, ...] = ()
    changes: Changes = field(default_factory=Changes)
    notices: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    @property
    def changes_pending(self) -> bool:
        """Whether carrying the plan out would write anything."""
        return any(step.risk is not Risk.READ for step in self.steps)

    @property
    def replaces(self) -> bool:
        """Whether the old mesh is uninstalled first: such a plan needs approval."""
        return any(isinstance(step, UninstallIstio) for step in self.steps)

    def document(self) -> dict[str, Any]:
        """The plan as versioned JSON (lowerCamelCase keys)."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": "Plan",
            "environment": self.environment,
            "cluster": self.cluster,
            "mode": self.mode.value,
            "installedVersion": self.installed_version or None,
            "targetVersion": self.target_version,
            "reasons": list(self.reasons),
            "refusal": self.refusal or None,
            "notices": list(self.notices),
            "phases": [
                {"name": phase.name, "steps": [_step_document(step) for step in phase.steps]} for phase in self.phases
            ],
            "changes": _changes_document(self.changes),
        }

    def digest(self) -> str:
        """SHA-256 of the document: two equal plans do the same things."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode()).hexdigest()


def ref_document(ref: ObjectRef) -> dict[str, str]:
    """An object reference as JSON."""
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _step_document(step: Step) -> dict[str, Any]:
    document: dict[str, Any] = {"id": step.id, "summary": step.summary, "risk": step.risk.value}
    if isinstance(step, RestartWorkloads):
        document["workloads"] = [ref_document(ref) for ref in step.workloads]
        document["leftAlone"] = [ref_document(left.ref) | {"reason": left.reason} for left in step.left_alone]
    return document


def _changes_document(changes: Changes) -> dict[str, Any]:
    return {action.value: changes.count(action) for action in Action} | {
        "objects": [
            {
                **ref_document(change.ref),
                "action": change.action.value,
                "fields": [{"path": f.path, "before": f.before, "after": f.after} for f in change.fields],
            }
            for change in changes.objects
        ]
    }

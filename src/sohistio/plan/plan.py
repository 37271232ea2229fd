"""Plan, Phase, Step: what a run will do. Data only, no callables: a plan prints, serialises and has a digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.plan.changes import Action, Changes
from sohistio.plan.gateway_changes import GatewayChange
from sohistio.plan.gateway_steps import HandOverAddress
from sohistio.plan.namespace_steps import NamespaceStep, UnlabelNamespaces
from sohistio.plan.risk import Risk
from sohistio.plan.steps import (
    HoldStandby,
    InstallIstio,
    MoveFieldManagers,
    RemoveObjects,
    RestartWorkloads,
    Step,
    StopOperator,
    UninstallIstio,
)

SCHEMA_VERSION = "1"


class Mode(StrEnum):
    """What a run amounts to; the first five are decided, the others are what a command of their own asks for."""

    UNKNOWN = "unknown"
    INSTALL = "install"
    UPGRADE = "upgrade"
    REINSTALL = "reinstall"
    NONE = "none"
    RESTART = "restart"
    ROLLBACK = "rollback"
    UNINSTALL = "uninstall"
    ADOPT = "adopt"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps that belong together, in order."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run on one environment will do, and why. `gateway_changes` are those of live gateways' Services that
    need approval; `addressed` are live gateways' Services with an address of their own, which goes with them.
    """

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
    gateway_changes: tuple[GatewayChange, ...] = ()
    addressed: tuple[ObjectRef, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    @property
    def changes_pending(self) -> bool:
        """Whether carrying the plan out would write anything."""
        return any(step.risk is not Risk.READ for step in self.steps)

    @property
    def danger(self) -> str:
        """What makes the plan need approval, as the predicate of a sentence; empty where nothing does."""
        return " and ".join(part for part in (self._danger_to_the_mesh, self._danger_to_namespaces) if part)

    @property
    def _danger_to_namespaces(self) -> str:
        names = [ref.name for step in self.steps if isinstance(step, UnlabelNamespaces) for ref in step.objects]
        noun = "namespace" if len(names) == 1 else "namespaces"
        return f"takes sidecar injection away from {noun} {', '.join(names)}" if names else ""

    @property
    def _danger_to_the_mesh(self) -> str:
        if self.purges:
            return "deletes CRDs with every custom resource, and the certificate authority"
        if self.mode is Mode.RESTORE and self.steps:
            return "overwrites custom resources with those of the backup"
        if self.mode is Mode.UNINSTALL:
            taking = any(step.risk in (Risk.DISRUPT, Risk.DESTROY) for step in self.steps)
            return "uninstalls the mesh" if taking else ""
        uninstalls = any(isinstance(step, UninstallIstio) for step in self.steps)
        parts = ["uninstalls the old mesh first"] if uninstalls else []
        parts += [change.words for change in self.gateway_changes]
        parts += [
            f"hands {step.address} over from {step.giver} to {step.taker}, with nobody answering at it meanwhile"
            for step in self.handovers
        ]
        services = [ref for ref in self.removed if ref.kind == "Service"]
        if balanced := [ref.short for ref in services if ref in self.addressed]:
            parts.append(f"deletes Service {', '.join(balanced)}, whose address is given back")
        if others := [ref.short for ref in services if ref not in self.addressed]:
            parts.append(f"deletes Service {', '.join(others)}")
        return " and ".join(parts)

    @property
    def handovers(self) -> tuple[HandOverAddress, ...]:
        """The addresses that go from one Service to another."""
        return tuple(step for step in self.steps if isinstance(step, HandOverAddress))

    @property
    def silenced(self) -> tuple[str, ...]:
        """Gateways that serve now and are switched off: perhaps a standby that has taken over (a failover)."""
        names = [name for step in self.steps if isinstance(step, HoldStandby) for name in step.serving]
        return tuple(dict.fromkeys(names))

    @property
    def switches_off(self) -> str:
        """What `silenced` means, as the predicate of a sentence; empty where it names none."""
        names = ", ".join(self.silenced)
        return f"switches off gateways that serve ({names}: has the standby taken over?)" if names else ""

    @property
    def dangers(self) -> tuple[str, ...]:
        """All that a reader must know first, whether or not this cluster's approval asks for it."""
        return tuple(words for words in (self.danger, self.switches_off) if words)

    @property
    def needs_approval(self) -> bool:
        """Whether somebody must say yes even where nobody can be asked."""
        return bool(self.danger)

    @property
    def purges(self) -> bool:
        """Whether CRDs or the namespace are deleted: the environment's name must be typed, protected or not."""
        return any(ref.kind in ("CustomResourceDefinition", "Namespace") for ref in self.removed)

    @property
    def removed(self) -> list[ObjectRef]:
        """What is deleted by name."""
        return [ref for step in self.steps if isinstance(step, RemoveObjects) for ref in step.objects]

    def document(self) -> dict[str, Any]:
        """The plan as versioned JSON (lowerCamelCase keys)."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": "Plan",
            "environment": self.environment,
            "cluster": self.cluster,
            "mode": self.mode.value,
            "installedVersion": self.installed_version or None,
            "targetVersion": self.target_version or None,
            "reasons": list(self.reasons),
            "refusal": self.refusal or None,
            "danger": " and ".join(self.dangers) or None,
            "notices": list(self.notices),
            "phases": [
                {"name": phase.name, "steps": [_step_document(step) for step in phase.steps]} for phase in self.phases
            ],
            "changes": _changes_document(self.changes),
        }

    def digest(self) -> str:
        """SHA-256 of the document without its notices: two plans with the same one do the same things."""
        told = {key: value for key, value in self.document().items() if key != "notices"}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def ref_document(ref: ObjectRef) -> dict[str, str]:
    """An object reference as JSON."""
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _step_document(step: Step) -> dict[str, Any]:
    document: dict[str, Any] = {"id": step.id, "summary": step.summary, "risk": step.risk.value}
    if isinstance(step, RestartWorkloads):
        document["workloads"] = [ref_document(ref) for ref in step.workloads]
        document["leftAlone"] = [ref_document(left.ref) | {"reason": left.reason} for left in step.left_alone]
    if isinstance(step, InstallIstio):
        document["version"] = step.version
        document["operatorDigest"] = hashlib.sha256(step.operator.encode()).hexdigest()
    if isinstance(step, UninstallIstio):
        document["version"] = step.version
    if isinstance(step, RemoveObjects | UninstallIstio | MoveFieldManagers | NamespaceStep):
        document["objects"] = [ref_document(ref) for ref in step.objects]
    if isinstance(step, HandOverAddress):
        document |= {"address": step.address, "objects": [ref_document(step.giver)], "to": ref_document(step.taker)}
    if isinstance(step, HoldStandby):
        document["serving"] = list(step.serving)
    if isinstance(step, StopOperator):
        document["objects"] = [ref_document(ref) for ref in (*step.controllers, *step.operators)]
    return document


def _changes_document(changes: Changes) -> dict[str, Any]:
    return {
        **_counts(changes),
        "components": [{"name": name, **_counts(part)} for name, part in changes.components.items()],
        "objects": [
            {
                **ref_document(change.ref),
                "component": change.component,
                "action": change.action.value,
                "fields": [
                    {"path": f.path, "before": f.before, "after": f.after, "manager": f.manager or None}
                    for f in change.fields
                ],
            }
            for change in changes.objects
        ],
    }


def _counts(changes: Changes) -> dict[str, int]:
    return {action.value: changes.count(action) for action in Action}

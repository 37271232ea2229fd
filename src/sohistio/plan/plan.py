"""Plan, Phase, Step: what a run will do. Data only, no callables: a plan prints, serialises and has a digest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sohistio.model.document import SCHEMA_VERSION
from sohistio.model.held_back import HeldBack
from sohistio.model.mode import Mode
from sohistio.model.state import ObjectRef
from sohistio.model.webhooks import MUTATING
from sohistio.plan.changes import Changes
from sohistio.plan.documents import changes_document, digest_of, step_document
from sohistio.plan.failover_steps import AwaitOldAnswers, SwitchRecord, WatchHealth
from sohistio.plan.gateway_change import GatewayChange
from sohistio.plan.gateway_steps import HandOverAddress
from sohistio.plan.namespace_steps import UnlabelNamespaces
from sohistio.plan.owned_steps import ApplyOwned, PruneOwned
from sohistio.plan.risk import Risk
from sohistio.plan.steps import (
    HoldStandby,
    RemoveObjects,
    Step,
    UninstallIstio,
    VerifyMesh,
)

_OWN_WORDS = {
    Mode.RESTORE: "overwrites custom resources with those of the backup",
    Mode.SYNC: "changes the configuration of {environment}: {changes}",
    Mode.UNINSTALL: "",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps that belong together, in order."""

    name: str
    steps: tuple[Step, ...]

    @property
    def verifies(self) -> bool:
        """Whether it ends a version's part of the plan."""
        return any(isinstance(step, VerifyMesh) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run on one environment will do, and why. `gateway_changes` are those of live gateways' Services that
    need approval; `addressed` are live gateways' Services with an address of their own, which goes with them.
    `held_back` are workloads that need a restart which the restart policy, or a limit, does not allow now.
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
    held_back: tuple[HeldBack, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    @property
    def waits(self) -> int:
        """Seconds of waiting that are part of the plan, beside what the steps take."""
        return sum(step.seconds for step in self.steps if isinstance(step, AwaitOldAnswers | WatchHealth))

    @property
    def changes_pending(self) -> bool:
        """Whether carrying the plan out would write anything."""
        return any(step.risk is not Risk.READ for step in self.steps)

    @property
    def danger(self) -> str:
        """What makes the plan need approval, as the predicate of a sentence; empty where nothing does."""
        parts = (self._danger_to_the_mesh, self._danger_to_namespaces, self._danger_by_effects)
        return " and ".join(part for part in parts if part)

    @property
    def _danger_to_namespaces(self) -> str:
        names = [ref.name for step in self.steps if isinstance(step, UnlabelNamespaces) for ref in step.objects]
        noun = "namespace" if len(names) == 1 else "namespaces"
        return f"takes sidecar injection away from {noun} {', '.join(names)}" if names else ""

    @property
    def _danger_by_effects(self) -> str:
        steps = [step for step in self.steps if isinstance(step, ApplyOwned | PruneOwned)]
        return ", ".join(dict.fromkeys(words for step in steps for words in step.effects))

    @property
    def _danger_to_the_mesh(self) -> str:
        if self.purges:
            return "deletes CRDs with every custom resource, and the certificate authority"
        if self.mode in _OWN_WORDS or self.mode.is_about_traffic:
            return self._danger_by_mode
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
        if injectors := [ref.name for ref in self.removed if ref.kind == MUTATING]:
            parts.append(f"deletes {', '.join(injectors)}, which may be what injects sidecars")
        gateways = [ref for ref in self.removed if ref.kind == "Deployment"]
        if alone := [ref.short for ref in gateways if ObjectRef("Service", ref.namespace, ref.name) not in services]:
            parts.append(f"deletes {', '.join(alone)} with its pods")
        return " and ".join(parts)

    @property
    def _danger_by_mode(self) -> str:
        """Of the modes that do one thing."""
        if switches := [step for step in self.steps if isinstance(step, SwitchRecord)]:
            return f"moves traffic: {switches[0].record} from {switches[0].before} to {switches[0].address}"
        if self.mode.is_about_traffic:
            return self._danger_to_gateways
        if self.mode is Mode.UNINSTALL:
            taking = any(step.risk in (Risk.DISRUPT, Risk.DESTROY) for step in self.steps)
            return "uninstalls the mesh" if taking else ""
        words = _OWN_WORDS[self.mode].format(environment=self.environment, changes=self.changes.summary())
        return words if self.steps else ""

    @property
    def _danger_to_gateways(self) -> str:
        names = [ref.short for step in self.steps if isinstance(step, HoldStandby) for ref in step.gateways]
        return f"switches off {', '.join(names)}" if names else ""

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
                {"name": phase.name, "steps": [step_document(step) for step in phase.steps]} for phase in self.phases
            ],
            "heldBack": [item.document() for item in self.held_back],
            "changes": changes_document(self.changes),
        }

    def digest(self) -> str:
        """As `digest_of` its document."""
        return digest_of(self.document())

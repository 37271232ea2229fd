"""The plan of `sohistio install` from the facts that planning gathered. Pure: no read, no request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sohistio.model.desired import DesiredMesh
from sohistio.model.ending import sentence
from sohistio.model.fault import Fault
from sohistio.model.gateway_api import Limits
from sohistio.model.mode import Mode
from sohistio.model.pull_secrets import ObservedPullSecret
from sohistio.model.restart_policy import NO_RESTRAINT, Restraint, Share, held_in
from sohistio.model.restart_times import Moment, moment_text
from sohistio.model.standby import StandbyRule
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes import application_routing
from sohistio.modes.adopt import Adoption, taking_over
from sohistio.modes.authority import AuthorityPlan
from sohistio.modes.chain import via_flags
from sohistio.modes.decide import Decision
from sohistio.modes.namespaces import NamespaceLabels, labels_phase, notices_of, secrets_phase
from sohistio.modes.planner import Beside, NamespacePhases, OwnPhases, Subject, make_plan
from sohistio.modes.sidecar_notices import sidecar_notices
from sohistio.modes.skew import Support, left_behind, old_proxies, skew_faults
from sohistio.plan.backup_steps import TakeBackup
from sohistio.plan.changes import Changes
from sohistio.plan.plan import Plan

_SERVES = (
    "Take the 0 replicas out of istiooperator.yaml, or move the traffic first (`sohistio failback`). "
    "Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks of the plan: a mode by name, intermediate versions, checks to skip by name, the CA's
    key in the backup, how many workloads are restarted, and at which time (None: now)."""

    mode: Mode | None = None
    via: tuple[Version, ...] = ()
    skip_checks: frozenset[str] = frozenset()
    include_ca: bool = False
    share: Share | None = None
    at: Moment | None = None


@dataclass(frozen=True, slots=True)
class SupportTables:
    """Which Kubernetes an Istio minor supports, and which Gateway API CRDs keep an istiod from getting ready."""

    kubernetes: Support
    gateway_api: Limits


@dataclass(frozen=True, slots=True)
class PullSecretFacts:
    """The pull Secrets that were compared, and what a reader of the plan must know of those that could not be."""

    compared: tuple[ObservedPullSecret, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the plan is made from. `meshes` are the rendered manifests of the hops, the target's last; `changes`
    is what the target's changes in the cluster; `patches`
    are the newest releases of the minors in between, those that the mirror has.
    """

    environment: str
    target: Version
    state: ClusterState
    decision: Decision
    adoption: Adoption
    rule: StandbyRule
    labels: NamespaceLabels
    pull_secrets: PullSecretFacts
    meshes: Sequence[DesiredMesh]
    changes: Changes
    tables: SupportTables
    policy: OwnPhases = field(default_factory=OwnPhases)
    monitoring: OwnPhases = field(default_factory=OwnPhases)
    authority: AuthorityPlan = field(default_factory=AuthorityPlan)
    patches: Sequence[Version] = ()
    restraint: Restraint = NO_RESTRAINT

    @property
    def via(self) -> str:
        """The `--via` flags of a chain that reaches the target a minor at a time; empty without a mesh to upgrade."""
        installed = self.decision.installed
        return via_flags(installed, self.decision.hops, self.patches) if installed else ""


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """The plan, what to do where it is refused, and every version fault, the skipped ones too."""

    plan: Plan
    todo: str
    skew: tuple[Fault, ...]


def plan_of(facts: Facts, request: Request) -> InstallPlan:
    """The plan of install, upgrade, reinstall or nothing."""
    decision, labels, state = facts.decision, facts.labels, facts.state
    faults = _skew(facts)
    skew = [fault for fault in faults if fault.rule not in request.skip_checks]
    if labels.refusal and not decision.refusal:
        decision = replace(decision, refusal=labels.refusal, todo=labels.todo)
    if (against := facts.rule.refusal(facts.meshes)) and not decision.refusal:
        decision = replace(decision, refusal=against, todo=_SERVES)
    if facts.authority.refusal and not decision.refusal:
        decision = replace(decision, refusal=facts.authority.refusal, todo=facts.authority.todo)
    for own in (facts.policy, facts.monitoring):
        if own.refusal and not decision.refusal:
            decision = replace(decision, refusal=own.refusal, todo=own.todo)
    if decision.mode is Mode.NONE and (differing := _own_differences(facts)) and not decision.refusal:
        reason = f"{decision.installed} is installed and differs in nothing but its {differing}"
        decision = replace(decision, reasons=(reason, *decision.reasons[1:]))
    namespaces = NamespacePhases(secrets_phase(facts.pull_secrets.compared), labels_phase(labels))
    subject = Subject(facts.environment, str(facts.target), state, facts.restraint)
    beside = Beside(namespaces, facts.policy, facts.monitoring, facts.authority.phases)
    plan = make_plan(subject, decision, facts.meshes, facts.changes, skew, beside)
    plan = taking_over(plan, facts.adoption)
    plan = replace(plan, notices=(*plan.notices, *_notices(facts, request, plan)))
    return InstallPlan(plan, _todo(facts, decision, skew), faults)


def _own_differences(facts: Facts) -> str:
    """`policy (1 created, …) and its monitoring (…)`; empty for none."""
    parts = (("policy", facts.policy.changes), ("monitoring", facts.monitoring.changes))
    return " and its ".join(f"{name} ({Changes(changes).summary()})" for name, changes in parts if changes)


def _notices(facts: Facts, request: Request, plan: Plan) -> list[str]:
    decision, state = facts.decision, facts.state
    notices = [*facts.rule.notices, *notices_of(facts.labels, facts.pull_secrets.compared), *facts.pull_secrets.notices]
    notices += [*facts.authority.notices, *facts.policy.notices, *facts.monitoring.notices]
    if state.ending:
        notices.append(sentence(state.ending))
    notices += sidecar_notices(state, plan)
    if plan.steps:
        notices += application_routing.notices(state)
    if request.at is not None:
        notices.append(f"restarts are those that windows and freezes allow at {moment_text(request.at)}")
    if facts.changes.notice:
        notices.append(facts.changes.notice)
    if decision.replace and decision.installed is not None and decision.installed < facts.target and not plan.refusal:
        notices.append(f"instead of replacing, it can be upgraded in steps: {facts.via}")
    if request.include_ca and plan.steps and not any(isinstance(step, TakeBackup) for step in plan.steps):
        notices.append("--include-ca has no effect: the version stays the same, so no backup is taken")
    if decision.installed == facts.target:
        notices += [fault.message for fault in old_proxies(state, facts.target)]
    return notices


def _skew(facts: Facts) -> tuple[Fault, ...]:
    decision, state = facts.decision, facts.state
    if decision.refusal or decision.mode is Mode.NONE:
        return ()
    in_place = not decision.replace and bool(state.istiods)
    faults = skew_faults(
        state,
        decision.installed,
        decision.hops,
        facts.tables.kubernetes,
        in_place=in_place,
        limits=facts.tables.gateway_api,
    )
    newest = decision.hops[-1]
    # Before the first hop of an upgrade in place all sidecars are looked at; these are still there after the others.
    if not state.istiods or newest == decision.installed or (in_place and len(decision.hops) == 1):
        return faults
    return (*faults, *left_behind(state, newest, held_in(facts.restraint, state, state.workloads)))


def _todo(facts: Facts, decision: Decision, skew: Sequence[Fault]) -> str:
    if decision.refusal:
        return decision.todo
    skippable = [fault.rule for fault in skew if fault.can_be_skipped]
    if skew and len(skippable) == len(skew):
        restart = (
            "Restart these workloads first: `sohistio restart`; one that names its own proxy image needs a newer one. "
        )
        first = restart if "proxy-skew" in skippable else ""
        return f"{first}If you know better: " + " ".join(f"--skip-check {name}" for name in skippable) + "."
    if any(fault.rule == "one-minor-at-a-time" for fault in skew) and decision.installed:
        return f"Give an intermediate version for each minor: {facts.via}."
    return "Nothing was changed."

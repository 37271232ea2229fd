"""The plan of `sohistio namespaces apply`: namespaces and pull Secrets alone; the mesh is left as it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sohistio.model.footprint import NAMESPACE_REF
from sohistio.model.mode import Mode
from sohistio.model.pull_secrets import ObservedPullSecret
from sohistio.model.state import ClusterState
from sohistio.model.words import first_names
from sohistio.modes.decide import unmanageable
from sohistio.modes.namespaces import NamespaceLabels, labels_phase, notices_of, secrets_phase
from sohistio.modes.planner import Subject
from sohistio.plan.namespace_steps import MakeNamespace, VerifyNamespaces
from sohistio.plan.plan import Phase, Plan

_MOST_NAMED = 5
_REASON = "namespaces and pull Secrets only; the mesh is left as it is"
_ADD_ONLY = "only what adds; what takes away, or waits for istiod, is left to an install"


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    """What the environment lists, how labels and pull Secrets compare with it, and what a reader must know of Secrets
    that could not be compared. `was_missing` where istio-system was not there when the command first looked. With
    `add_only` what takes something away, or has to wait for istiod, is left to an install.
    """

    listed: tuple[str, ...]
    labels: NamespaceLabels
    secrets: Sequence[ObservedPullSecret] = ()
    notices: tuple[str, ...] = ()
    was_missing: bool = False
    add_only: bool = False


@dataclass(frozen=True, slots=True)
class NamespacesPlan:
    """The plan, and what goes with a refusal: what to do, and the details."""

    plan: Plan
    todo: str = ""
    details: tuple[str, ...] = ()


def is_missing(state: ClusterState) -> bool:
    """Whether the mesh's own namespace is still to be made."""
    return all(seen.name != NAMESPACE_REF.name for seen in state.namespaces)


def why_withheld(state: ClusterState, labels: NamespaceLabels) -> str:
    """Why labels wait: an injector's webhook without an istiod behind it lets no pod of a labelled namespace start.

    Empty where nothing is to be labelled, where istiod answers, and where there is no webhook yet.
    """
    guarded = any(ref.kind == "MutatingWebhookConfiguration" for ref in state.leftovers)
    if not labels.to_label or not guarded or state.has_ready_istiod:
        return ""
    names = first_names(labels.to_label, _MOST_NAMED)
    return f"{names}: not labelled while the injector's webhook is there and no istiod is ready, or no pod could start"


def written_now(state: ClusterState, labels: NamespaceLabels, *, add_only: bool) -> NamespaceLabels:
    """What of them need not wait; with `add_only` nothing is taken away."""
    return replace(
        labels,
        to_label=() if why_withheld(state, labels) else labels.to_label,
        to_unlabel=() if add_only else labels.to_unlabel,
    )


def namespaces_plan(subject: Subject, facts: NamespaceFacts) -> NamespacesPlan:
    """The namespace first, then pull Secrets, then labels; at the end all of it is looked at again."""
    state = subject.state
    installed = next((item.image_version for item in state.istiods), "")
    plan = Plan(
        environment=subject.environment,
        cluster=state.server,
        mode=Mode.NAMESPACES,
        installed_version=installed,
        target_version=installed,
        reasons=(_REASON, _ADD_ONLY) if facts.add_only else (_REASON,),
    )
    if (stop := unmanageable(state)) is not None:
        return NamespacesPlan(replace(plan, refusal=stop.refusal), stop.todo, stop.reasons)
    if any(seen.name == NAMESPACE_REF.name and seen.ending for seen in state.namespaces):
        what = f"namespace {NAMESPACE_REF.name} is being deleted"
        return NamespacesPlan(replace(plan, refusal=what), "Wait until it is gone, then run it again.")
    if facts.labels.refusal:
        return NamespacesPlan(replace(plan, refusal=facts.labels.refusal), facts.labels.todo)
    withheld = why_withheld(state, facts.labels)
    labels = written_now(state, facts.labels, add_only=facts.add_only)
    phases = (*_own_namespace(state, facts), *secrets_phase(facts.secrets), *labels_phase(labels))
    install = f"`sohistio install --env {subject.environment}` brings istiod back, and labels them."
    if withheld and not phases and not facts.add_only:
        return NamespacesPlan(replace(plan, refusal=withheld), install)
    if phases:
        phases = (*phases, _verification(facts))
    notices = [*notices_of(labels, facts.secrets), *facts.notices]
    if withheld:
        notices.append(f"{withheld}. {install}")
    if facts.add_only and facts.labels.to_unlabel:
        names = first_names(facts.labels.to_unlabel, _MOST_NAMED)
        install = f"`sohistio install --env {subject.environment}` takes it off, with approval"
        notices.append(f"{names}: no longer in applicationNamespaces, and labelled still: {install}")
    if labels.to_label and state.has_ready_istiod:
        names = first_names(labels.to_label, _MOST_NAMED)
        restart = f"`sohistio restart --env {subject.environment}`"
        notices.append(f"running pods of {names} get their sidecars when they are restarted: {restart}")
    return NamespacesPlan(replace(plan, phases=phases, notices=tuple(notices)))


def _own_namespace(state: ClusterState, facts: NamespaceFacts) -> tuple[Phase, ...]:
    """Taking the lock makes it: a plan made after that still has the step that was approved."""
    if not (facts.was_missing or is_missing(state)):
        return ()
    name = NAMESPACE_REF.name
    return (Phase(name, (MakeNamespace(f"{name}/create", f"create namespace {name}", NAMESPACE_REF),)),)


def _verification(facts: NamespaceFacts) -> Phase:
    refs = tuple(item.ref for item in facts.secrets)
    what = "labels and pull Secrets" if refs else "labels"
    step = VerifyNamespaces("namespaces/verify", f"look at {what} again", facts.listed, refs, facts.add_only)
    return Phase("verify", (step,))

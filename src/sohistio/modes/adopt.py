"""Taking a mesh over: whose it is, what that takes, and how it comes before an install. No version changes here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.record import Record
from sohistio.model.state import Budget, ClusterState
from sohistio.model.versions import Version
from sohistio.model.words import first_names
from sohistio.modes.budgets import surplus_budgets
from sohistio.modes.decide import Decision
from sohistio.plan.adoption_steps import MoveFieldManagers, RecordAdoption, StopOperator
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.plan.ownership import ObjectOwners
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import CompleteRecord, RemoveObjects, Step
from sohistio.plan.webhook_steps import RepairWebhooks

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Adoption:
    """`sources` say whose mesh it is, `steps` take it over; `last` are budgets that must stay until the
    environment's own is there. `recorded` where the record knows the mesh.
    """

    sources: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    last: tuple[Budget, ...] = ()
    notices: tuple[str, ...] = ()
    recorded: bool = False


def adoption(
    state: ClusterState,
    owners: Sequence[ObjectOwners],
    desired: DesiredMesh,
    record: Record | None,
    *,
    asked: bool = False,
) -> Adoption:
    """What taking the mesh over takes; nothing where sohistio manages it already, or where there is none.

    Hand-made budgets are removed from a mesh that the record does not know yet, or where an adoption is `asked` for.
    """
    recorded = is_recorded(record)
    surplus = surplus_budgets(state, desired)
    moved = [item for item in owners if item.installers]
    steps: list[Step] = []
    notices = [*surplus.notices, *_strangers(owners)]
    if state.operator_controllers or state.operator_resources:
        steps.append(_stop(state))
        notices.append("the operator's Deployment, CRD and IstioOperators stay, at rest: delete them when it suits")
    if moved:
        steps.append(_move(moved))
    if surplus.now and (asked or not recorded):
        steps.append(_remove("adopt/budgets", surplus.now))
    elif surplus.now:
        names = first_names([budget.ref for budget in surplus.now], _MOST_NAMED)
        notices.append(f"eviction fails under two PodDisruptionBudgets: `sohistio adopt` removes {names}")
    return Adoption(_sources(state, moved, record), tuple(steps), surplus.once_installed, tuple(notices), recorded)


def is_recorded(record: Record | None) -> bool:
    """Whether the record knows the mesh: a run that installed or adopted it ended well."""
    if record is None:
        return False
    return record.current is not None or any(run.ended_well and run.mode is not Mode.UNINSTALL for run in record.runs)


def with_undeclared(changes: Changes, owners: Sequence[ObjectOwners]) -> Changes:
    """Add the fields that go once they are istioctl's: no dry run shows them before."""
    known = {change.ref: {field.path for field in change.fields} for change in changes.objects}
    added = []
    for item in owners:
        fields = tuple(field for field in item.undeclared if field.path not in known.get(item.ref, set()))
        if fields:
            added.append(ObjectChange(item.ref, Action.CHANGED, fields, item.component))
    return changes.merged(added)


def decided(decision: Decision, found: Adoption) -> Decision:
    """The decision with whose mesh it is. What takes taking over is applied again, as its fields come into view."""
    if decision.mode in (Mode.UNKNOWN, Mode.INSTALL):
        return decision
    reasons = (*decision.reasons, *found.sources)
    if decision.mode is Mode.NONE and found.steps:
        again = "taken over and applied again, so that the environment's manifest owns its fields"
        return replace(decision, mode=Mode.REINSTALL, reasons=(*reasons, again))
    if decision.mode is Mode.NONE and not found.recorded and found.sources:
        reasons = (*reasons, "`sohistio adopt` records it")
    return replace(decision, reasons=reasons)


def taking_over(plan: Plan, found: Adoption) -> Plan:
    """The plan of an install with the adoption before all else. A refused plan and one without phases stay bare."""
    if plan.refusal:
        return plan
    plan = replace(plan, notices=(*plan.notices, *found.notices))
    if not plan.phases:
        return plan
    before = (Phase("adopt", found.steps),) if found.steps else ()
    after = (Phase("budgets", (_remove("budgets/remove", found.last),)),) if found.last else ()
    # The first hop that is verified has the manifest's own budgets, and fails under two.
    verified = next(n for n, phase in enumerate(plan.phases) if phase.verifies)
    first = sum(isinstance(step, RepairWebhooks) for step in plan.phases[0].steps)
    phases = plan.phases
    return replace(plan, phases=(*phases[:first], *before, *phases[first:verified], *after, *phases[verified:]))


def adopt_plan(plan: Plan, found: Adoption, installed: Version, operator: str, changes: Changes) -> Plan:
    """The plan of `sohistio adopt`; `changes` is what the installed version's manifest would change afterwards."""
    steps = list(found.steps)
    notices = list(found.notices)
    if not found.recorded:
        record: Step = CompleteRecord(
            "adopt/record", f"record Istio {installed} and the manifest it agrees with", installed, operator
        )
        if changes:
            record = RecordAdoption("adopt/record", f"record the mesh of Istio {installed} as sohistio's")
        steps.append(record)
    if changes:
        notices.append(
            f"the mesh differs from the environment's manifest of {installed} ({changes.summary()}): it is left as it "
            f"is; `sohistio plan --version {installed}` shows it"
        )
    reasons = found.sources if steps else ("nothing to adopt: the mesh is sohistio's already",)
    phases = (Phase("adopt", tuple(steps)),) if steps else ()
    return replace(plan, reasons=reasons or ("asked for by name",), phases=phases, notices=tuple(notices))


def _sources(state: ClusterState, moved: Sequence[ObjectOwners], record: Record | None) -> tuple[str, ...]:
    found = []
    if refs := (*state.operator_controllers, *state.operator_resources):
        stopped = "" if state.operator_controllers else ", which is stopped"
        found.append(f"put there by Istio's in-cluster operator{stopped} ({first_names(refs, _MOST_NAMED)})")
    for manager in sorted({name for item in moved for name in item.installers}):
        count = sum(manager in item.installers for item in moved)
        objects = "1 object" if count == 1 else f"{count} objects"
        how = "client-side by kubectl" if manager.startswith("kubectl") else f"by {manager}"
        found.append(f"applied {how} (field manager {manager} of {objects})")
    if record is None and state.istiods:
        hand = "" if found else ": installed by istioctl by hand"
        found.append(f"not in sohistio's record{hand}")
    return tuple(found)


def _stop(state: ClusterState) -> StopOperator:
    words = []
    if state.operator_controllers:
        words.append(f"stop Istio's in-cluster operator ({first_names(state.operator_controllers, _MOST_NAMED)})")
    if count := len(state.operator_resources):
        noun = "IstioOperator" if count == 1 else "IstioOperators"
        words.append(f"release {count} {noun} from its finalizer (the mesh is not touched)")
    return StopOperator(
        "adopt/stop-operator", " and ".join(words), state.operator_controllers, state.operator_resources
    )


def _move(moved: Sequence[ObjectOwners]) -> MoveFieldManagers:
    managers = tuple(sorted({name for item in moved for name in item.installers}))
    refs = tuple(item.ref for item in moved)
    objects = "1 object" if len(refs) == 1 else f"{len(refs)} objects"
    summary = f"move the fields of {objects} from {', '.join(managers)} to istioctl's field manager"
    return MoveFieldManagers("adopt/field-managers", summary, refs, managers)


def _remove(step_id: str, budgets: Sequence[Budget]) -> RemoveObjects:
    said = ", ".join(f"{budget.ref.short} ({_rule(budget)})" for budget in budgets)
    noun = "PodDisruptionBudget" if len(budgets) == 1 else "PodDisruptionBudgets"
    summary = f"remove {noun} {said}: another one is over the same pods"
    return RemoveObjects(step_id, summary, tuple(budget.ref for budget in budgets))


def _rule(budget: Budget) -> str:
    if budget.min_available:
        return f"minAvailable {budget.min_available}"
    return f"maxUnavailable {budget.max_unavailable}"


def _strangers(owners: Sequence[ObjectOwners]) -> list[str]:
    """An apply takes away what others put into a list that is its own as a whole (subjects, rules), or into a text."""
    names = sorted({name for item in owners for name in item.others})
    return [
        f"{name} wrote to {first_names([item.ref for item in owners if name in item.others], _MOST_NAMED)}: "
        "what it added beyond the manifest stays where this plan does not list it"
        for name in names
    ]

"""Two plans of the same thing, one approved and one of now: whether nothing was added, and how they differ. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sohistio.model.mode import Mode
from sohistio.model.words import first_lines
from sohistio.plan.changes import Action
from sohistio.plan.monitoring_steps import ApplyMonitoring, MakeSecrets, PruneMonitoring
from sohistio.plan.namespace_steps import LabelNamespaces, UnlabelNamespaces, WritePullSecrets
from sohistio.plan.plan import Plan
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy
from sohistio.plan.risk import Risk
from sohistio.plan.steps import (
    CompleteRecord,
    HoldStandby,
    InstallIstio,
    KeepReplicas,
    RemoveObjects,
    RestartWorkloads,
    Step,
    UninstallIstio,
)
from sohistio.plan.sync_steps import PruneSynced, SyncObjects
from sohistio.plan.webhook_steps import RepairWebhooks

_MOST_LINES = 20
_NOTHING = object()
# Steps that do less where their list is shorter, with the field that has it.
_ITEMS: Mapping[type, str] = {
    RemoveObjects: "objects",
    WritePullSecrets: "objects",
    LabelNamespaces: "objects",
    UnlabelNamespaces: "objects",
    KeepReplicas: "deployments",
    SyncObjects: "documents",
    PruneSynced: "paths",
    ApplyPolicy: "documents",
    PrunePolicy: "paths",
    MakeSecrets: "objects",
    ApplyMonitoring: "documents",
    PruneMonitoring: "paths",
}
_HEAD = ("environment", "cluster", "mode", "installedVersion", "targetVersion", "refusal", "danger")


def does_no_more(now: Plan, approved: Plan) -> bool:
    """Whether all that `now` would do was in the approved plan: a rollout that settled meanwhile leaves less to do."""
    known = {step.id: step for step in approved.steps}
    return (
        not now.refusal
        and now.target_version == approved.target_version
        and now.mode in (approved.mode, Mode.NONE)
        and all(change in approved.changes.objects for change in now.changes.objects)
        and all(change in approved.gateway_changes for change in now.gateway_changes)
        and all(_is_within(step, known.get(step.id)) for step in now.steps)
    )


def only_restores(back: Plan, failed: Plan) -> bool:
    """Whether all that is dangerous in the plan back puts in place what was there before the run that failed.

    What that run was approved to change may be put back without another approval: the rollback target is what served.
    """
    if back.purges or any(isinstance(step, UninstallIstio | UnlabelNamespaces) for step in back.steps):
        return False
    before = {(change.ref, field.path): field.before for change in failed.changes.objects for field in change.fields}
    created = {change.ref for change in failed.changes.objects if change.action is Action.CREATED}
    deleted = {ref for ref in back.removed if ref.kind in ("Service", "Deployment")} | {
        step.giver for step in back.handovers
    }
    fields = [(change.service, field) for change in back.gateway_changes for field in change.fields]
    return deleted <= created and all(before.get((ref, f.path), _NOTHING) == f.after for ref, f in fields)


def _is_within(step: Step, approved: Step | None) -> bool:
    # A webhook that refuses everything is put right whenever it is seen, and said; nobody approves of one.
    if step.risk is Risk.READ or isinstance(step, CompleteRecord | RepairWebhooks) or step == approved:
        return True
    if isinstance(step, RestartWorkloads) and isinstance(approved, RestartWorkloads):
        same = step.without_sidecar == approved.without_sidecar
        return same and set(step.workloads) <= set(approved.workloads)
    items = _ITEMS.get(type(step))
    if items and type(step) is type(approved):
        return set(getattr(step, items)) <= set(getattr(approved, items))
    return _takes_less(step, approved)


def _takes_less(step: Step, approved: Step | None) -> bool:
    if isinstance(step, HoldStandby) and isinstance(approved, HoldStandby):
        return step == replace(approved, serving=step.serving) and set(step.serving) <= set(approved.serving)
    if isinstance(step, InstallIstio) and isinstance(approved, InstallIstio):
        return step == replace(approved, opens=False)  # istiod got ready in the meantime
    if isinstance(step, UninstallIstio) and isinstance(approved, UninstallIstio):
        return step == replace(approved, objects=step.objects) and set(step.objects) <= set(approved.objects)
    return False


def differences(approved: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """How a plan's document of now differs from an approved one, in lines for people. Raises KeyError, TypeError."""
    lines = list(_differences(approved, now))
    if not lines:
        lines = [f"{key}: then {approved.get(key)}, now {now[key]}" for key in now if now[key] != approved.get(key)]
    return first_lines(lines, _MOST_LINES, "differences")


def _differences(approved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in _HEAD:
        if key == "danger" and key not in approved:
            yield "the plan file does not say what is dangerous: an older sohistio wrote it"
        elif approved[key] != now[key]:
            yield f"{key}: {approved[key] or 'none'} → {now[key] or 'none'}"
    yield from _of("step", _steps(approved), _steps(now))
    yield from _of("change of", _changes(approved), _changes(now))


def _of(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"no longer: {what} {name}" for name in before if name not in after)
    yield from (f"new: {what} {name}" for name in after if name not in before)
    yield from (f"different: {what} {name}" for name in after if name in before and before[name] != after[name])


def _steps(document: Mapping[str, Any]) -> dict[str, Any]:
    """Every step by its id; what it restarts or removes one by one, so that each is named."""
    found: dict[str, Any] = {}
    for step in (step for phase in document["phases"] for step in phase["steps"]):
        listed = {"workloads", "objects"} & step.keys()
        # Of a step with a list, the summary holds the count.
        found[step["id"]] = {key: step[key] for key in step if key not in (*listed, *(["summary"] if listed else []))}
        found |= {f"{step['id']}: {_name(ref)}": None for key in listed for ref in step[key]}
    return found


def _changes(document: Mapping[str, Any]) -> dict[str, Any]:
    return {_name(change): (change["action"], change["fields"]) for change in document["changes"]["objects"]}


def _name(ref: Mapping[str, str]) -> str:
    place = f"{ref['namespace']}/" if ref["namespace"] else ""
    return f"{ref['kind']} {place}{ref['name']}"

"""Plans `sohistio sync`: the standby's configuration as the environment has it that it stands by for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.compare import read_text
from sohistio.adapters.kubernetes.custom_resources import custom_resources, resource_ref
from sohistio.adapters.kubernetes.observe import observe
from sohistio.errors import RefusedError
from sohistio.failover.sync import Comparison, Named, compare, file_differences
from sohistio.model.mode import Mode
from sohistio.model.state import ClusterState
from sohistio.model.sync import Object
from sohistio.model.words import first_names
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.plan.drift.fields import changed_fields
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import Step
from sohistio.plan.sync_steps import PruneSynced, SyncObjects
from sohistio.planning.gateway_secrets import SecretDifference, secret_differences
from sohistio.planning.planned import Planned, Refused
from sohistio.planning.reads import or_refused, recorded, unreadable
from sohistio.planning.session import Session

_MOST_NAMED = 5
_CONFLICT = (
    "Somebody else manages these fields on the standby: change them there, or delete the object and let sync make it. "
    "Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The plan, and what differs beyond it: files, Secrets, namespaces. That is said and never changed."""

    planned: Planned
    beyond: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the standby is not as it should be."""
        return self.planned.plan.changes_pending or bool(self.beyond) or bool(self.planned.plan.refusal)


@dataclass(frozen=True, slots=True)
class _Cluster:
    """One side as it is compared."""

    state: ClusterState
    objects: tuple[Named, ...]


def plan_sync(source: Session, target: Session) -> SyncPlan:
    """Look at both clusters and plan. Writes nothing. Raises RefusedError where one cannot be read."""
    before, now = _read(source), _read(target)
    environment = target.environment
    substitutions = environment.sync.all() if environment.sync else ()
    namespaces = {item.name for item in now.state.namespaces if not item.ending}
    found = compare(before.objects, now.objects, namespaces, source.environment.name, substitutions)
    conflicts = _conflicts(target.api, found)
    secrets = or_refused(
        "the gateways' Secrets could not be compared",
        lambda: secret_differences(source.api, target.api, [item.obj for item in before.objects]),
    )
    plan = _plan(source, target, (before.state, now.state), found)
    notices = [item.words for item in secrets if not item.counts]
    if before.state.ca_root != now.state.ca_root:
        notices.append("the two meshes have different roots of trust: their workloads do not trust one another's")
    plan = replace(plan, notices=tuple(notices), refusal="; ".join(conflicts))
    if conflicts:
        plan = replace(plan, phases=())
    again = partial(_again, source, target)
    planned = Planned(target, plan, now.state, again, recorded(target), refused=Refused(_CONFLICT))
    return SyncPlan(planned, (*_files(source, target), *_waiting(found), *_missing(secrets)))


def _again(source: Session, target: Session) -> Planned:
    return plan_sync(source, target).planned


def _read(session: Session) -> _Cluster:
    state = observe(session.api)
    if state.unreadable:
        raise unreadable(state)
    what = f"the custom resources of {session.environment.name} could not be read"
    objects = or_refused(what, lambda: custom_resources(session.api))
    return _Cluster(state, tuple(Named(resource_ref(item), item) for item in objects))


def _conflicts(api: KubeApi, found: Comparison) -> list[str]:
    """What the API server would refuse, by a dry run of each: another manager's fields, admission, a missing kind."""
    refused = []
    for item in found.apply:
        try:
            api.try_apply(api.path_of(dict(item.obj)), dict(item.obj), SYNC_MANAGER)
        except KubeError as error:
            if error.status in (0, 401, 429) or error.status >= 500:
                raise RefusedError(error.what, details=error.details, todo=error.todo or "Run it again.") from error
            refused.append(f"{item.ref}: {', '.join(error.details) or error.what}")
    return refused


def _plan(source: Session, target: Session, states: tuple[ClusterState, ClusterState], found: Comparison) -> Plan:
    before, now = states
    api = target.api
    steps: list[Step] = []
    if found.apply:
        names = first_names([item.ref for item in found.apply], _MOST_NAMED)
        documents = tuple(json.dumps(item.obj, sort_keys=True) for item in found.apply)
        steps.append(SyncObjects("sync/apply", f"apply {names}", documents))
    if found.pruned:
        refs = tuple(item.ref for item in found.pruned)
        paths = tuple(api.path_of(dict(item.obj)) for item in found.pruned)
        summary = f"delete {first_names(refs, _MOST_NAMED)}, which sync made"
        steps.append(PruneSynced("sync/prune", summary, refs, paths))
    version = next((item.image_version for item in now.istiods), "")
    other = next((item.image_version for item in before.istiods), "")
    return Plan(
        environment=target.environment.name,
        cluster=now.server,
        mode=Mode.SYNC,
        installed_version=version,
        target_version=version,
        reasons=(f"as {source.environment.name} has it ({before.server}, Istio {other or 'none'})",),
        phases=(Phase("sync", tuple(steps)),) if steps else (),
        changes=_changes(api, found),
    )


def _changes(api: KubeApi, found: Comparison) -> Changes:
    changes = [ObjectChange(item.ref, Action.REMOVED) for item in found.pruned]
    for item in found.apply:
        live = or_refused("an object could not be read", partial(api.get, api.path_of(dict(item.obj))))
        fields = changed_fields(live, _applied(live, item.obj), read_text) if live else ()
        changes.append(ObjectChange(item.ref, Action.CHANGED if live else Action.CREATED, fields))
    return Changes(tuple(sorted(changes, key=lambda change: change.ref)))


def _applied(live: Object, wanted: Object) -> Object:
    metadata = dict(live["metadata"])
    for key in ("labels", "annotations"):
        metadata[key] = {**(metadata.get(key) or {}), **(wanted["metadata"].get(key) or {})}
    return {**live, "metadata": metadata, "spec": wanted["spec"]}


def _files(source: Session, target: Session) -> tuple[str, ...]:
    """What the environments' files render, for one and the same version."""
    one, other = source.environment, target.environment
    lines = []
    if one.istio.version != other.istio.version:
        lines.append(f"istio.version: {one.istio.version} → {other.istio.version}")
    rendered = [item.operator_for(one.istio.version, gateways_off=False) for item in (one, other)]
    lines += file_differences(*rendered)
    return tuple(f"files: {line}" for line in lines)


def _waiting(found: Comparison) -> tuple[str, ...]:
    return tuple(f"{ref} is not applied: the standby has no namespace {ref.namespace}" for ref in found.waiting)


def _missing(secrets: Sequence[SecretDifference]) -> tuple[str, ...]:
    return tuple(item.words for item in secrets if item.counts)

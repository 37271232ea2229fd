"""Plans `sohistio restore`: a backup's custom resources, those that differ or are gone. A plan like any other."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.adapters.kubernetes.ending import ending_of, is_ending
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.restore import compare_backup
from sohistio.adapters.kubernetes.served_kinds import served_kinds
from sohistio.errors import RefusedError, UsageError
from sohistio.model.ending import described
from sohistio.model.mode import Mode
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef
from sohistio.model.words import counted
from sohistio.plan.backup_steps import RestoreAuthority, RestoreObjects
from sohistio.plan.changes import Changes
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import Step
from sohistio.planning.planned import Planned
from sohistio.planning.reads import or_refused, recorded, unreadable
from sohistio.planning.session import Session
from sohistio.system.backup_folder import Backup, read_backup
from sohistio.system.sealing import passphrase, unseal

_KINDS_COME_LATER = (
    "the custom resources wait: the cluster does not know their kinds yet; run `sohistio install` next, then this again"
)
_RESTART_ISTIOD = (
    "istiod reads the CA's Secret when it starts: restart it afterwards, "
    "`kubectl -n istio-system rollout restart deployment istiod`"
)


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """Which backup, and whether the CA's Secret is put back as well, where it is missing."""

    folder: Path
    authority: bool = False


def plan_restore(session: Session, request: RestoreRequest) -> Planned:
    """Read the backup, look at the cluster and plan. Raises UsageError for a broken backup, RefusedError."""
    backup = read_backup(request.folder)
    if backup.environment != session.environment.name:
        raise RefusedError(
            f"{request.folder} is a backup of {backup.environment}, not of {session.environment.name}",
            todo="Custom resources of another environment name other hosts: give the right --env or --backup.",
        )
    authority = _authority(session, backup) if request.authority else None
    state = observe(session.api)
    if state.unreadable:
        raise unreadable(state)
    objects = [_without_owner(item) for item in backup.custom_resources]
    waiting = bool(authority and objects) and not _knows_istios_kinds(session)
    if waiting:  # after a purge: the authority must be there before the mesh, and its kinds come with it
        objects = []
    found = or_refused("the backup could not be compared", lambda: compare_backup(session.api, objects, state.ending))
    steps: list[Step] = [authority] if authority else []
    if found.objects:
        count = len(found.objects)
        summary = f"put {counted(count, 'custom resource')} back as the backup has them"
        documents = tuple(json.dumps(item, sort_keys=True) for item in found.objects)
        steps.append(RestoreObjects("restore/custom-resources", summary, documents))
    notices = (*found.notices, *([_RESTART_ISTIOD] if authority and not waiting else []))
    if waiting:
        notices = (*notices, _KINDS_COME_LATER)
    plan = _plan(session, backup, state, (steps, found.changes, notices))
    return Planned(session, plan, state, lambda: plan_restore(session, request), record=recorded(session))


def _plan(
    session: Session, backup: Backup, state: ClusterState, found: tuple[list[Step], Changes, tuple[str, ...]]
) -> Plan:
    steps, changes, notices = found
    installed = next((istiod.image_version for istiod in state.istiods), "")
    about = backup.about
    taken = f"from {backup.folder}, taken {about.get('taken')}, of Istio {about.get('version') or '(none)'}"
    if about.get("cluster") != state.server:
        notices = (f"the backup was taken of the cluster {about.get('cluster')}", *notices)
    return Plan(
        environment=session.environment.name,
        cluster=state.server,
        mode=Mode.RESTORE,
        installed_version=installed,
        target_version=installed,
        reasons=(taken, "only what differs or is gone; what came since is left alone"),
        phases=(Phase("restore", tuple(steps)),) if steps else (),
        changes=changes,
        notices=notices,
    )


def _knows_istios_kinds(session: Session) -> bool:
    kinds = or_refused("Istio's kinds could not be read", lambda: served_kinds(session.api))
    return any(kind.is_istios for kind in kinds)


def _without_owner(item: dict[str, Any]) -> dict[str, Any]:
    """The owner may be gone by now: with a reference to it the object would be collected at once."""
    metadata = {key: value for key, value in item["metadata"].items() if key != "ownerReferences"}
    return item | {"metadata": metadata}


def _authority(session: Session, backup: Backup) -> RestoreAuthority | None:
    """The CA's step; None where the same Secret is there. Raises UsageError, RefusedError; nothing is overwritten."""
    if backup.sealed_authority is None:
        raise UsageError(
            f"{backup.folder} does not have the CA's key",
            todo="It is in a backup only where the run had --include-ca. Leave --ca out to put the rest back.",
        )
    secret = unseal(backup.sealed_authority, passphrase(os.environ))
    ref = ObjectRef("Secret", ISTIO_NAMESPACE, secret["metadata"]["name"])
    live = or_refused("the CA's Secret could not be read", lambda: session.api.get(path_of(ref)))
    if live is None:
        return RestoreAuthority("restore/ca", f"put {ref} back", str(backup.folder))
    if is_ending(live):
        raise RefusedError(
            f"{described(ending_of(live, ref))} is being deleted: it can be put back once it is gone",
            todo="Let what set its finalizers finish, or take them off; then run this again. Nothing was put back.",
        )
    if live.get("data") == secret.get("data"):
        return None
    raise RefusedError(
        f"{ref} is there and is another one: it is never overwritten",
        todo="Sidecars trust the one they got their certificates from. If it must be the backup's, delete the other "
        "first. Leave --ca out to put the rest back.",
    )

"""Adapter: puts objects of a backup back by server-side apply, and says before what that would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.compare import read_text
from sohistio.adapters.kubernetes.custom_resources import resource_ref, written
from sohistio.adapters.kubernetes.ending import ending_of, is_ending, why_in_vain
from sohistio.adapters.kubernetes.served_kinds import GATEWAY_API, served_kinds
from sohistio.errors import RefusedError
from sohistio.model.ending import TODO, lines
from sohistio.model.state import Ending
from sohistio.model.sync import SYNCED_FROM
from sohistio.model.words import counted, first_lines
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.plan.drift.fields import changed_fields
from sohistio.plan.ownership import OWN_MANAGER, SYNC_MANAGER
from sohistio.system.parallel import side_by_side

_MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class Restoration:
    """What putting objects back would do: the changes, the objects that differ, and lines on what stays different."""

    changes: Changes
    objects: tuple[Object, ...]
    notices: tuple[str, ...]


def compare_backup(api: KubeApi, objects: Sequence[Object], definitions: Sequence[Ending] = ()) -> Restoration:
    """Ask the server by dry runs. `definitions` are CRDs that are being deleted.

    Raises RefusedError that names every object it would not take, or would take and lose; KubeError.
    """
    _check_kinds(api, objects)
    denied: list[str] = []
    ending: list[Ending] = []
    going = {item.ref.name: item for item in definitions}

    def ask(obj: Object) -> tuple[Object, ObjectChange, str] | None:
        try:
            path = api.path_of(obj)
            live = api.get(path)
            definition = going.get(f"{path.rsplit('/', 2)[1]}.{obj['apiVersion'].partition('/')[0]}")
            if definition is not None or (live is not None and is_ending(live)):
                ending.extend([ending_of(live, resource_ref(obj))] if live is not None and is_ending(live) else [])
                ending.extend([definition] if definition is not None else [])
                return None
            applied = api.dry_run_apply(path, obj, _manager(obj))
        except KubeError as error:
            if error.status in (0, 401, 429) or error.status >= 500:
                raise
            denied.append(f"{resource_ref(obj)}: {', '.join(error.details) or error.what}")
            return None
        kept = (
            f"{resource_ref(obj)} keeps what was added to it since the backup"
            if written(applied) != written(obj)
            else ""
        )
        if live is None:
            return obj, ObjectChange(resource_ref(obj), Action.CREATED), kept
        fields = changed_fields(live, applied, read_text)
        return (obj, ObjectChange(resource_ref(obj), Action.CHANGED, fields), kept) if fields or kept else None

    found = [item for item in side_by_side(ask, objects) if item is not None]
    if ending:
        raise _vanishing(tuple(dict.fromkeys(ending)))
    if denied:
        raise _denial(denied)
    different = [(obj, change) for obj, change, _ in found if change.action is Action.CREATED or change.fields]
    changes = Changes(tuple(sorted((change for _, change in different), key=lambda change: change.ref)))
    return Restoration(changes, tuple(obj for obj, _ in different), tuple(sorted(kept for *_, kept in found if kept)))


def restore_object(api: KubeApi, obj: Object) -> str:
    """Put one object back. Returns why it will not stay, empty where it will. Raises KubeError."""
    return why_in_vain(api.apply(api.path_of(obj), obj, _manager(obj), force=True))


def _manager(obj: Object) -> str:
    """What sync made stays sync's: put back by another manager, its next run would meet a conflict."""
    return SYNC_MANAGER if SYNCED_FROM in (obj["metadata"].get("labels") or {}) else OWN_MANAGER


def _check_kinds(api: KubeApi, objects: Sequence[Object]) -> None:
    """Raises RefusedError with a line for each group of which the server does not know a kind."""
    known = {(kind.group, kind.kind) for kind in served_kinds(api)}
    missing: dict[str, list[str]] = {}
    for obj in objects:
        group = str(obj["apiVersion"]).partition("/")[0]
        if (group, obj["kind"]) not in known:
            missing.setdefault(group, []).append(obj["kind"])
    if not missing:
        return
    count = sum(map(len, missing.values()))
    groups = (
        f"{group}: {', '.join(sorted(set(kinds)))} ({counted(len(kinds), 'object')})"
        for group, kinds in sorted(missing.items())
    )
    of_istio = any(group not in GATEWAY_API for group in missing)
    theirs = any(group in GATEWAY_API for group in missing)
    todo = ["Istio's kinds come with the mesh: run `sohistio install` first, then this again."] if of_istio else []
    todo += ["The Gateway API's CRDs come with what had put them there."] if theirs else []
    raise RefusedError(
        f"the cluster does not know the kinds of {counted(count, 'object')} of the backup",
        details=tuple(groups),
        todo=" ".join((*todo, "Nothing was put back.")),
    )


def _vanishing(ending: tuple[Ending, ...]) -> RefusedError:
    return RefusedError(
        "what the backup would put back is being deleted: it would vanish again",
        details=lines(ending, _MOST_LISTED),
        todo=f"{TODO} Nothing was put back.",
    )


def _denial(denied: list[str]) -> RefusedError:
    plural = "object" if len(denied) == 1 else "objects"
    return RefusedError(
        f"the API server would not take {len(denied)} {plural} of the backup",
        details=first_lines(sorted(denied), _MOST_LISTED),
        todo="Each line says why; make missing namespaces. Nothing was put back.",
    )

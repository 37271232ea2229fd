"""Adapter: puts objects of a backup back by server-side apply, and says before what that would do."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sohistio.changes import Action, Changes, ObjectChange
from sohistio.cluster.compare import read_text
from sohistio.cluster.custom_resources import resource_ref, written
from sohistio.cluster.kube import KubeApi, KubeError, Object
from sohistio.drift.fields import changed_fields
from sohistio.errors import RefusedError
from sohistio.ownership import OWN_MANAGER

_MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class Restoration:
    """What putting objects back would do: the changes, the objects that differ, and lines on what stays different."""

    changes: Changes
    objects: tuple[Object, ...]
    notices: tuple[str, ...]


def compare_backup(api: KubeApi, objects: Sequence[Object]) -> Restoration:
    """Ask the server by dry runs. Raises RefusedError that names every object it would not take."""
    denied: list[str] = []

    def ask(obj: Object) -> tuple[Object, ObjectChange, str] | None:
        try:
            path = api.path_of(obj)
            live = api.get(path)
            applied = api.dry_run_apply(path, obj, OWN_MANAGER)
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

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = [item for item in pool.map(ask, objects) if item is not None]
    if denied:
        raise _denial(denied)
    different = [(obj, change) for obj, change, _ in found if change.action is Action.CREATED or change.fields]
    changes = Changes(tuple(sorted((change for _, change in different), key=lambda change: change.ref)))
    return Restoration(changes, tuple(obj for obj, _ in different), tuple(sorted(kept for *_, kept in found if kept)))


def restore_object(api: KubeApi, obj: Object) -> None:
    """Put one object back. Raises KubeError."""
    api.apply(api.path_of(obj), obj, OWN_MANAGER, force=True)


def _denial(lines: list[str]) -> RefusedError:
    shown = sorted(lines)[:_MOST_LISTED]
    more = (f"and {len(lines) - len(shown)} more",) if len(lines) > len(shown) else ()
    plural = "object" if len(lines) == 1 else "objects"
    return RefusedError(
        f"the API server would not take {len(lines)} {plural} of the backup",
        details=(*shown, *more),
        todo="A missing kind comes with `sohistio install`; make missing namespaces. Nothing was put back.",
    )

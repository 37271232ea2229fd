"""Adapter: who else has a say in the mesh's objects, from their managedFields. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.compare import read_text
from sohistio.adapters.kubernetes.live_objects import LiveObjects
from sohistio.plan.changes import FieldChange, component_of, ref_of
from sohistio.plan.drift.fields import changed_fields
from sohistio.plan.ownership import (
    ISTIOCTL_MANAGER,
    ObjectOwners,
    installers,
    merge_patch,
    others,
    undeclared_paths,
    without,
)
from sohistio.system.parallel import side_by_side


def object_owners(api: KubeApi, manifest: Sequence[Object], live: LiveObjects) -> tuple[ObjectOwners, ...]:
    """The manifest's objects that somebody beside istioctl put there or wrote to. Raises KubeError."""
    found = side_by_side(lambda obj: _owners(api, obj, live.of(obj)), manifest)
    return tuple(sorted((item for item in found if item is not None), key=lambda item: item.ref))


def _owners(api: KubeApi, obj: Object, live: Object | None) -> ObjectOwners | None:
    if live is None:
        return None
    ref, entries = ref_of(obj), live["metadata"].get("managedFields") or []
    by, beside = installers(ref.kind, entries), others(ref.kind, entries)
    if not by and not beside:
        return None
    undeclared = _undeclared(api, obj, live) if by else ()
    return ObjectOwners(ref, by, beside, undeclared, component_of(obj))


def _undeclared(api: KubeApi, obj: Object, live: Object) -> tuple[FieldChange, ...]:
    """The server is asked what dropping the fields would leave: it fills in defaults, which are then no difference."""
    try:
        path = api.path_of(obj)
        applied = api.dry_run_apply(path, obj, ISTIOCTL_MANAGER)
        before, after = (item["metadata"].get("managedFields") or [] for item in (live, applied))
        patch = merge_patch(live, without(live, undeclared_paths(obj["kind"], before, after)))
        if not patch:
            return ()
        query = {"fieldManager": ISTIOCTL_MANAGER, "dryRun": "All"}
        left = api.request("PATCH", path, query=query, body=patch, content_type="application/merge-patch+json")
    except KubeError as error:
        if error.status in (400, 403, 404, 409, 422):  # the comparison of the manifest says so too, and better
            return ()
        raise
    return changed_fields(live, left, read_text)

"""Adapter: who else has a say in the mesh's objects, from their managedFields. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.compare import read_text
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

_METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def object_owners(api: KubeApi, manifest: Sequence[Object]) -> tuple[ObjectOwners, ...]:
    """The manifest's objects that somebody beside istioctl put there or wrote to. Raises KubeError."""
    found = side_by_side(lambda obj: _owners(api, obj), manifest)
    return tuple(sorted((item for item in found if item is not None), key=lambda item: item.ref))


def _owners(api: KubeApi, obj: Object) -> ObjectOwners | None:
    try:
        path = api.path_of(obj)
        metadata = api.request("GET", path, accept=_METADATA)["metadata"]
    except KubeError as error:
        if error.status == 404:
            return None
        raise
    ref, entries = ref_of(obj), metadata.get("managedFields") or []
    by, beside = installers(ref.kind, entries), others(ref.kind, entries)
    if not by and not beside:
        return None
    undeclared = _undeclared(api, path, obj) if by else ()
    return ObjectOwners(ref, by, beside, undeclared, component_of(obj))


def _undeclared(api: KubeApi, path: str, obj: Object) -> tuple[FieldChange, ...]:
    """The server is asked what dropping the fields would leave: it fills in defaults, which are then no difference."""
    live = api.get(path)
    if live is None:
        return ()
    try:
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

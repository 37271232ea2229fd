"""Adapter: the objects of an environment's monitoring: read, compared by dry runs, applied, deleted."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex

from sohistio.adapters.kubernetes.access import may_apply
from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.apply import apply_object, of_object
from sohistio.adapters.kubernetes.compare import read_text
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.adapters.kubernetes.prune import prune_owned
from sohistio.model.footprint import Owned
from sohistio.model.monitoring import MONITORING_LABEL, RANDOM_SECRETS, monitoring_label
from sohistio.model.pull_secrets import MANAGED_BY, SOHISTIO
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.plan.changes import FieldChange, ref_of
from sohistio.plan.drift.edits import is_edited, undoing_patch
from sohistio.plan.drift.fields import changed_fields
from sohistio.plan.drift.subset import missing_fields
from sohistio.plan.monitoring_steps import deletion_order, is_monitorings
from sohistio.plan.ownership import MONITORING_MANAGER
from sohistio.system.parallel import side_by_side

_NAMESPACED = {
    "ConfigMap": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "PersistentVolumeClaim": "v1",
    "Deployment": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}
_CLUSTER_WIDE = dict.fromkeys(("ClusterRole", "ClusterRoleBinding"), "rbac.authorization.k8s.io/v1")
# Of 16, 24 or 32 bytes, as Kiali's signing key must be.
_RANDOM_BYTES = 16


@dataclass(frozen=True, slots=True)
class Looked:
    """`live` are the declared objects that are there, and all with the label. `differences` are the fields that an
    apply would change. `denied` is what the server says against an apply; `not_asked` are resources that may not be
    patched, `unread` the Secrets that may not be read.
    """

    live: Mapping[ObjectRef, Object] = field(default_factory=dict)
    differences: Mapping[ObjectRef, tuple[FieldChange, ...]] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    unread: frozenset[ObjectRef] = frozenset()


def has_monitoring(api: KubeApi) -> bool:
    """Whether there is anything with the label: every part has a ConfigMap, which is the last to be deleted; its
    Secrets are the first that is made; an uninstall leaves disks, which an older role of sohistio's did not list.

    Raises KubeError.
    """

    def is_there(kind: str) -> bool:
        path = collection_path(kind, ISTIO_NAMESPACE)
        try:
            return bool(api.items(path, labels=MONITORING_LABEL, metadata_only=True))
        except KubeError as error:
            if error.status == 403 and kind == "PersistentVolumeClaim":
                return False
            raise

    if any(side_by_side(is_there, ("ConfigMap", "PersistentVolumeClaim"))):
        return True
    secrets, _ = _secrets(api)
    return any(monitoring_label(secret) is not None for secret in secrets)


def look(api: KubeApi, wanted: Sequence[Object]) -> Looked:
    """The cluster's objects, and what applying `wanted` would change; nothing is written. Raises KubeError.

    Of Secrets only that they are there: their content is neither asked for nor kept.
    """
    secrets, unread = _secrets(api)
    live = {ref_of(item): item for item in (*_labelled(api), *secrets)}
    unknown = [obj for obj in wanted if ref_of(obj) not in live]
    for obj, item in zip(unknown, side_by_side(lambda obj: api.get(api.path_of(obj)), unknown), strict=True):
        if item is not None:
            live[ref_of(obj)] = item | {"kind": obj["kind"]}
    denied: list[str] = []
    not_asked: set[str] = set()

    def differing(obj: Object) -> tuple[FieldChange, ...]:
        path, ref = api.path_of(obj), ref_of(obj)
        try:
            applied = _dry_run(api, path, live.get(ref), obj)
        except KubeError as error:
            if error.status == 404:  # the namespace comes with the mesh
                return ()
            if error.status == 403 and not may_apply(api, path):
                not_asked.add(path.rsplit("/", 2)[-2])
                return missing_fields(live[ref], obj, read_text) if ref in live else ()
            if error.status in (400, 403, 413, 422):
                denied.append(f"{ref}: {', '.join(error.details) or error.what}")
                return ()
            raise
        return changed_fields(live[ref], applied, read_text) if ref in live else ()

    differences = dict(zip(map(ref_of, wanted), side_by_side(differing, wanted), strict=True))
    return Looked(live, differences, tuple(sorted(denied)), tuple(sorted(not_asked)), unread)


def owned_by_monitoring(api: KubeApi) -> tuple[Owned, ...]:
    """What sohistio made of any environment's monitoring, in the order in which it can be deleted. Raises KubeError."""
    if not has_monitoring(api):
        return ()
    secrets, _ = _secrets(api)
    found = [
        Owned(ref_of(item), path_of(ref_of(item)), environment)
        for item in (*_labelled(api), *secrets)
        if (environment := monitoring_label(item)) and is_monitorings(item, environment)
    ]
    return tuple(sorted(found, key=lambda item: deletion_order(item.ref)))


def has_key(api: KubeApi, name: str, key: str) -> bool | None:
    """Whether a Secret of istio-system has a key; None where it may not be read. Raises KubeError.

    The API server gives whole Secrets only: its values are not kept.
    """
    try:
        found = api.get(path_of(ObjectRef("Secret", ISTIO_NAMESPACE, name)))
    except KubeError as error:
        if error.status == 403:
            return None
        raise
    return found is not None and key in (found.get("data") or {})


def make_secret(api: KubeApi, ref: ObjectRef, key: str, environment: str) -> None:
    """Create a Secret with a random text, unless one is there by now. Raises KubeError.

    By an apply, whose rights can be given for one name.
    """
    if _secret(api, ref) is not None:
        return
    text = token_hex(_RANDOM_BYTES)
    labels = {MANAGED_BY: SOHISTIO, MONITORING_LABEL: environment}
    obj = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": labels},
        "type": "Opaque",
        "data": {key: base64.b64encode(text.encode()).decode()},
    }
    try:
        api.apply(path_of(ref), obj, MONITORING_MANAGER)
    except KubeError as error:
        if error.status != 409:  # somebody else was faster
            raise


def apply_monitoring_object(api: KubeApi, obj: Object) -> str:
    """Apply one, and own all of it: what others have added goes. Returns why it will not stay, empty where it will.

    Raises FailedError that names the object where the server refuses it, and KubeError where nobody answers.
    """
    path, ref = api.path_of(obj), ref_of(obj)
    try:
        live = api.get(path)
        if live is not None and is_edited(live | {"kind": obj["kind"]}, MONITORING_MANAGER):
            _patch(api, path, undoing_patch(live, obj))
    except KubeError as error:
        raise of_object(error, f"{ref} could not be applied") from error
    return apply_object(api, obj, ref, MONITORING_MANAGER, force=True)


def _dry_run(api: KubeApi, path: str, live: Object | None, obj: Object) -> Object:
    """What applying it, and undoing what others added, would leave. Raises KubeError."""
    if live is not None and is_edited(live, MONITORING_MANAGER):
        return _patch(api, path, undoing_patch(live, obj), dryRun="All")
    return api.dry_run_apply(path, obj, MONITORING_MANAGER)


def _patch(api: KubeApi, path: str, patch: Object, **query: str) -> Object:
    asked = {"fieldManager": MONITORING_MANAGER} | query
    return api.request("PATCH", path, query=asked, body=patch, content_type="application/merge-patch+json")


def prune_monitoring_object(api: KubeApi, ref: ObjectRef, path: str, environment: str) -> bool:
    """Delete an object of an environment's monitoring, as `prune_owned` does."""
    return prune_owned(api, ref, path, "monitoring", lambda live: is_monitorings(live, environment))


def _labelled(api: KubeApi) -> list[Object]:
    def listed(kind: tuple[str, str, str]) -> list[Object]:
        name, version, namespace = kind
        found = api.items(collection_path(name, namespace), labels=MONITORING_LABEL)
        return [{"apiVersion": version, "kind": name} | item for item in found]

    kinds = [(name, version, ISTIO_NAMESPACE) for name, version in _NAMESPACED.items()]
    kinds += [(name, version, "") for name, version in _CLUSTER_WIDE.items()]
    return [item for items in side_by_side(listed, kinds) for item in items]


def _secret(api: KubeApi, ref: ObjectRef) -> Object | None:
    """Its metadata alone, None where there is none. Raises KubeError."""
    try:
        found = api.request("GET", path_of(ref), accept="application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")
    except KubeError as error:
        if error.status == 404:
            return None
        raise
    return found | {"apiVersion": "v1", "kind": "Secret"}


def _secrets(api: KubeApi) -> tuple[list[Object], frozenset[ObjectRef]]:
    """The random Secrets that are there, and those that may not be read. Raises KubeError."""
    unread: set[ObjectRef] = set()

    def read(ref: ObjectRef) -> Object | None:
        try:
            return _secret(api, ref)
        except KubeError as error:
            if error.status != 403:
                raise
            unread.add(ref)
            return None

    found = [item for item in side_by_side(read, tuple(RANDOM_SECRETS)) if item is not None]
    return found, frozenset(unread)

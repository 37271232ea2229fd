"""Adapter: configuration that is kept the same in two clusters: read, tried by dry runs, applied.

All writes are server-side applies by the manager `sohistio-sync`, never forced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sohistio.adapters.kubernetes.access import may_apply
from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.apply import apply_object
from sohistio.adapters.kubernetes.custom_resources import custom_resources, resource_ref
from sohistio.adapters.kubernetes.served_kinds import kinds_in_all_versions
from sohistio.model.state import ObjectRef
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.system.parallel import side_by_side

# Its uid is a cluster's identity: it is made with the cluster and cannot be deleted.
_SYSTEM = "/api/v1/namespaces/kube-system"
# Of an object that does not fit the CRD's schema. The server answers an apply of it with 500 and no reason, as if it
# had failed itself (apimachinery 0.35, managedfields/internal/structuredmerge.go): only its words say so.
_UNDECLARED = "failed to create typed patch object"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a cluster has: every object with its managedFields, and the kinds it serves as `Kind.group`, with all their
    versions.
    """

    objects: Mapping[ObjectRef, Object]
    kinds: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Tried:
    """What dry runs would leave of objects, by reference; the server's words on those it would not take, and on those
    with fields that its CRD does not declare (`undeclared`); the resources that were not asked about, as the user lacks
    permission to patch them; and why nothing more was asked, where a webhook that has a say did not answer.
    """

    applied: Mapping[ObjectRef, Object] = field(default_factory=dict)
    conflicts: tuple[tuple[ObjectRef, str], ...] = ()
    denied: tuple[tuple[ObjectRef, str], ...] = ()
    undeclared: tuple[tuple[ObjectRef, str], ...] = ()
    not_asked: tuple[str, ...] = ()
    failing: str = ""


def read_configuration(api: KubeApi, resources: Callable[[], Sequence[Object]] | None = None) -> Configuration:
    """All custom resources of Istio, and the Gateway API's that Istio serves; `resources` gives those that are read
    already. Raises KubeError.
    """
    kinds: dict[str, frozenset[str]] = {}
    for kind in kinds_in_all_versions(api):
        name = f"{kind.kind}.{kind.group}"
        kinds[name] = kinds.get(name, frozenset()) | {kind.version}
    found = resources() if resources else custom_resources(api)
    return Configuration({resource_ref(item): item for item in found}, kinds)


def cluster_uid(api: KubeApi) -> str:
    """What distinguishes two clusters, whatever names lead to them. Raises KubeError."""
    return str(api.request("GET", _SYSTEM)["metadata"]["uid"])


def try_objects(api: KubeApi, objects: Sequence[Object]) -> Tried:
    """Ask the server what applying them would do; nothing is written. Raises KubeError where it does not answer."""
    applied: dict[ObjectRef, Object] = {}
    conflicts: list[tuple[ObjectRef, str]] = []
    denied: list[tuple[ObjectRef, str]] = []
    undeclared: list[tuple[ObjectRef, str]] = []
    failing: list[str] = []
    not_asked: set[str] = set()

    def ask(obj: Object) -> None:
        ref = resource_ref(obj)
        if failing:  # each would take as long as the first
            return
        try:
            path = api.path_of(obj)
            applied[ref] = api.try_apply(path, obj, SYNC_MANAGER)
        except KubeError as error:
            words = ", ".join(error.details) or error.what
            if error.status in (0, 401, 429) or error.status > 500:
                raise
            if error.status == 500 and _UNDECLARED in words:
                undeclared.append((ref, words))
            elif error.status == 500:  # a webhook with failurePolicy Fail, such as istiod's
                failing.append(words)
            elif error.status == 409:
                conflicts.append((ref, words))
            elif error.status == 403 and not may_apply(api, path):
                not_asked.add(path.rsplit("/", 2)[-2])
            else:
                denied.append((ref, words))

    side_by_side(ask, objects)
    return Tried(
        applied,
        tuple(sorted(conflicts)),
        tuple(sorted(denied)),
        tuple(sorted(undeclared)),
        tuple(sorted(not_asked)),
        "".join(failing[:1]),
    )


def apply_synced(api: KubeApi, obj: Object) -> str:
    """Apply one object, as `apply_object` does, never over what others set."""
    return apply_object(api, obj, resource_ref(obj), SYNC_MANAGER, force=False)

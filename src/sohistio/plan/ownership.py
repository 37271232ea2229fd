"""Whose fields the mesh's objects are: managedFields (fieldsV1) read, and moved to the manager istioctl applies with.

Follows k8s.io/client-go/util/csaupgrade, which `kubectl apply --server-side` uses for the same: an apply drops what
its own manager applied before and no longer does, so fields that came with another tool stay for ever unless moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from json import loads
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.plan.changes import FieldChange

# istioctl applies with this manager (operator/pkg/install); so did the in-cluster operator since about 1.8.
ISTIOCTL_MANAGER = "istio-operator"
# What sohistio writes by itself.
OWN_MANAGER = "sohistio"
# What it applies to a standby as the other environment has it.
SYNC_MANAGER = "sohistio-sync"
# What it makes of an environment's policy.
POLICY_MANAGER = "sohistio-policy"
# What it makes of an environment's monitoring.
MONITORING_MANAGER = "sohistio-monitoring"
# kubectl keeps here what it applied client-side; nobody reads it once server-side apply has taken over.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Tools that put whole manifests there (Helm: a release that was given up), and istioctl and its operator as they were
# before server-side apply.
_INSTALLERS = frozenset(
    {"kubectl-client-side-apply", "kubectl-create", "kubectl-replace", "kubectl", "helm", "operator", "istioctl"}
)
_APPLIERS = frozenset({"kubectl", "helm"})
# They write beside istioctl by themselves, now as ever; `kubectl rollout restart` leaves no more than a note.
_SYSTEM = frozenset(
    {
        ISTIOCTL_MANAGER,
        OWN_MANAGER,
        "pilot-discovery",
        "istioctl",
        "kube-controller-manager",
        "kube-apiserver",
        "cloud-controller-manager",
        "admissionsenforcer",
        "kubectl-rollout",
    }
)
_WEBHOOKS = "MutatingWebhookConfiguration"
_ANNOTATION = f"f:{LAST_APPLIED}"
# Never moved, as the next apply would drop them: an autoscaler's replicas would fall to 1 (istio/istio#41481), and
# without the note of the last restart all pods would be made anew.
_KEPT = {
    ("f:spec", "f:replicas"),
    ("f:metadata", "f:annotations", _ANNOTATION),
    ("f:spec", "f:template", "f:metadata", "f:annotations", "f:kubectl.kubernetes.io/restartedAt"),
}

Entry = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectOwners:
    """Who else has a say in an object: `installers` put it there, `others` wrote to it and are left alone.

    `undeclared` are the fields that came with the installers, are in no manifest, and go with the next apply.
    """

    ref: ObjectRef
    installers: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    undeclared: tuple[FieldChange, ...] = ()
    component: str = "other"


def is_installers(kind: str, entry: Entry) -> bool:
    """Whether an entry of managedFields is of a tool that put the object there and is to give way to istioctl."""
    manager, operation = entry.get("manager", ""), entry.get("operation")
    if entry.get("subresource") or "fieldsV1" not in entry:
        return False
    if manager == "istioctl" and kind == _WEBHOOKS:
        return False  # current istioctl parks the injector's webhooks so, once the default revision tag exists
    if operation == "Apply":
        return manager in _APPLIERS
    return manager in _INSTALLERS or manager == ISTIOCTL_MANAGER


def installers(kind: str, entries: Iterable[Entry]) -> tuple[str, ...]:
    """The managers that put an object there beside, or in place of, the one istioctl applies with; sorted."""
    return tuple(sorted({str(entry["manager"]) for entry in entries if is_installers(kind, entry)}))


def others(kind: str, entries: Iterable[Entry]) -> tuple[str, ...]:
    """The managers that are neither installers nor part of Kubernetes, AKS or Istio: somebody's edits; sorted."""
    found = (e for e in entries if not e.get("subresource") and not is_installers(kind, e))
    return tuple(sorted({str(e.get("manager", "")) for e in found} - _SYSTEM - {""}))


def moved(kind: str, entries: Sequence[Entry], managers: frozenset[str]) -> list[Entry]:
    """managedFields with the named installers' fields under istioctl's manager; the same list where there are none.

    Entries of another API version of the kind are dropped, as csaupgrade does: their paths may mean other fields.
    """
    old = [entry for entry in entries if entry.get("manager") in managers and is_installers(kind, entry)]
    if not old:
        return list(entries)
    own = _applied_by_istioctl(entries)
    base = own or old[0]
    fields = set(field_paths(own["fieldsV1"])) if own else set()
    for entry in old:
        if entry["apiVersion"] == base["apiVersion"]:
            fields |= field_paths(entry["fieldsV1"]) - _KEPT
    entry = dict(base) | {"manager": ISTIOCTL_MANAGER, "operation": "Apply", "fieldsV1": tree_of(fields)}
    return [*(e for e in entries if e is not own and e not in old), entry]


def undeclared_paths(kind: str, live: Sequence[Entry], applied: Sequence[Entry]) -> set[Path]:
    """What istioctl's next apply drops once the installers' fields are its own, and would leave alone before.

    `applied` are the managedFields that a dry run of that apply left.
    """
    old = [entry for entry in live if is_installers(kind, entry)]
    kept = [entry for entry in live if not is_installers(kind, entry) and entry.get("manager") != ISTIOCTL_MANAGER]
    own = _applied_by_istioctl(applied)
    if not old or own is None:
        return set()
    fields = set().union(*(field_paths(e["fieldsV1"]) for e in old if e["apiVersion"] == own["apiVersion"]))
    for entry in (own, *kept):
        for path in field_paths(entry.get("fieldsV1") or {}):
            fields -= {path[:depth] for depth in range(1, len(path) + 1)}  # what holds a field that stays, stays
    return fields - _KEPT


def without(obj: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """A copy of the object without these fields. A map or list that is only a container of others' fields stays."""
    result: dict[str, Any] = deepcopy(dict(obj))
    wanted = set(paths)
    items = {path for path in wanted if not path[-1].startswith("f:")}
    outermost = (path for path in wanted if not any(path[:depth] in items for depth in range(1, len(path))))
    for path in sorted(outermost, key=len, reverse=True):
        parent = _find(result, path[:-1])
        last = path[-1]
        if isinstance(parent, dict) and last.startswith("f:"):
            value = parent.get(last[2:])
            if not (isinstance(value, (dict, list)) and value):
                parent.pop(last[2:], None)
        elif isinstance(parent, list):
            item = _find(parent, (last,))
            parent[:] = [other for other in parent if other is not item]
    return result


def field_paths(tree: Mapping[str, Any]) -> set[Path]:
    """The set of fields that a fieldsV1 tree names (structured-merge-diff: "." is the node itself)."""
    found: set[Path] = set()

    def walk(node: Mapping[str, Any], path: Path) -> None:
        for key, child in node.items():
            if key == ".":
                found.add(path)
            elif child:
                walk(child, (*path, key))
            else:
                found.add((*path, key))

    walk(tree, ())
    return found


def tree_of(paths: Iterable[Path]) -> dict[str, Any]:
    """The fieldsV1 tree of a set of fields."""
    wanted = set(paths)
    root: dict[str, Any] = {}
    for path in sorted(wanted):
        node = root
        for depth, key in enumerate(path, start=1):
            node = node.setdefault(key, {})
            if depth < len(path) and path[:depth] in wanted:
                node["."] = {}
    return root


def _applied_by_istioctl(entries: Iterable[Entry]) -> Entry | None:
    applied = (e for e in entries if e.get("manager") == ISTIOCTL_MANAGER and e.get("operation") == "Apply")
    return next((entry for entry in applied if not entry.get("subresource")), None)


def _find(node: Any, path: Path) -> Any:
    """The value at a path; None where the object has none."""
    for key in path:
        if isinstance(node, dict) and key.startswith("f:"):
            node = node.get(key[2:])
        elif isinstance(node, list) and key.startswith("k:"):
            wanted = loads(key[2:])
            node = next((i for i in node if isinstance(i, dict) and wanted.items() <= i.items()), None)
        elif isinstance(node, list) and key.startswith("v:"):
            wanted = loads(key[2:])
            node = next((item for item in node if item == wanted), None)
        else:
            return None
    return node


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that makes `after` of `before`."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            if inner := merge_patch(old, value):
                patch[key] = inner
        elif old != value:
            patch[key] = value
    return patch

"""A check of other people's admission webhooks: none refuses the pods of the mesh, or of the namespaces it injects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import filterfalse

from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.webhooks import webhooks_in
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.checks.preflight.webhooks import is_istios
from sohistio.model.fault import Fault, Severity
from sohistio.model.injecting_hook import takes_new_pods
from sohistio.model.selector import selector_matches
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef
from sohistio.model.webhooks import Hook, Reach
from sohistio.model.words import first_names

_MOST_NAMED = 5
_DEAD = (Reach.NO_SERVICE, Reach.NO_POD)


@dataclass(frozen=True, slots=True)
class Places:
    """The namespaces that count: their labels by their names, those that hold the `mesh`, and what pods run where."""

    labels: Mapping[str, Mapping[str, str]]
    mesh: frozenset[str]
    pods: Sequence[Object]


def pod_webhooks(context: Context) -> Iterator[Verdict]:
    """Each that is asked about new pods and fails them when it does not answer has a Service with a ready pod."""
    others = {kind: list(filterfalse(is_istios, items)) for kind, items in context.webhooks().items()}
    places = _places(context.state, context.api.items("/api/v1/namespaces"), context.pods())
    yield from refusing(others, context.services(), places)


def refusing(found: Mapping[str, Sequence[Object]], services: Sequence[Object], places: Places) -> Iterator[Verdict]:
    """A fault for each configuration that refuses new pods: an error where it refuses the mesh's own."""
    raws = {(kind, item["metadata"]["name"]): item.get("webhooks") or () for kind in found for item in found[kind]}
    seen = {(item.kind, item.name): item.hooks for item in webhooks_in(found, services, places.pods).configurations}
    good: list[str] = []
    bad = 0
    for (kind, name), hooks in seen.items():
        asked = [(raw, hook) for raw, hook in zip(raws[kind, name], hooks, strict=True) if _is_asked(raw)]
        refused = {place: None for raw, hook in asked if hook.reach in _DEAD for place in _refused(raw, places)}
        if refused:
            bad += 1
            dead = next(hook for _, hook in asked if hook.reach in _DEAD)
            yield _fault(kind, name, dead, list(refused), places)
        elif asked:
            good.append(name)
    if good and not bad:
        yield Good(f"none refuses pods of the mesh or of injected namespaces: {', '.join(good)}")
    elif not bad:
        yield NotAsked("there is none")


def _fault(kind: str, name: str, hook: Hook, refused: Sequence[str], places: Places) -> Fault:
    named = first_names([ObjectRef("Namespace", "", place) for place in refused], _MOST_NAMED)
    message = f"{kind} {name} calls Service {hook.called}, {hook.why}: no pod can be created in {named}"
    todo = f"Bring back what answers there; if it is gone for good: kubectl delete {kind.lower()} {name}"
    return Fault(message, todo, Severity.ERROR if places.mesh & set(refused) else Severity.WARNING)


def _is_asked(hook: Object) -> bool:
    """Whether a new pod is refused where it does not answer; conditions of its own may let any of them pass."""
    takes = any(map(takes_new_pods, hook.get("rules") or ()))
    return takes and hook.get("failurePolicy", "Fail") == "Fail" and not hook.get("matchConditions")


def _refused(hook: Object, places: Places) -> Iterator[str]:
    """The namespaces that it picks, where it picks a pod that runs now, or all."""
    picks = hook.get("objectSelector") or {}
    for place, labels in places.labels.items():
        if not selector_matches(hook.get("namespaceSelector") or {}, labels):
            continue
        of_place = (pod["metadata"] for pod in places.pods if pod["metadata"]["namespace"] == place)
        if not picks or any(selector_matches(picks, metadata.get("labels") or {}) for metadata in of_place):
            yield place


def _places(state: ClusterState, namespaces: Sequence[Object], pods: Sequence[Object]) -> Places:
    mesh = {ISTIO_NAMESPACE, *(item.ref.namespace for item in state.mesh_deployments)}
    counts = mesh | {seen.name for seen in state.namespaces if seen.injected and not seen.ending}
    labels = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces}
    to_come = {name: {"kubernetes.io/metadata.name": name} for name in mesh}
    labels = to_come | labels
    return Places({name: labels[name] for name in sorted(counts & labels.keys())}, frozenset(mesh), pods)

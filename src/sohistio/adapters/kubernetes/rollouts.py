"""Adapter: rollouts and disruption budgets as they are now, by one watch for each kind."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.injection import INJECTION
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.adapters.kubernetes.watch import Watch
from sohistio.adapters.kubernetes.workloads import workload_of
from sohistio.model.restart_annotations import restart_annotations
from sohistio.model.restart_window import Around
from sohistio.model.revision import LABEL
from sohistio.model.rollout import Progress, progress_of
from sohistio.model.selector import selector_matches
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef

_BUDGET, _NAMESPACE = "PodDisruptionBudget", "Namespace"
_END_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Rollout:
    """A workload now, of which only what a restart asks for is kept: the generation of its spec, how far its rollout
    is, how many pods it wants and takes down at a time, its pods' labels, whether somebody paused it, and what its
    annotations say about restarts.
    """

    generation: int
    progress: Progress
    pods: int
    takes_down: int
    labels: Mapping[str, str]
    paused: bool
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Room:
    """A budget now: what it selects, and how many pods it lets be away."""

    selector: Mapping[str, Any] | None
    allowed: int


class Rollouts:
    """A context manager: what is there now of these workloads, their namespaces, all budgets around them, and istiod.

    Cluster-wide, or, where all of them are in one namespace, of that one (and istio-system's Deployments). Safe to ask
    from one thread while the watches work.
    """

    def __init__(self, api: KubeApi, refs: Collection[ObjectRef], istiods: Collection[ObjectRef]) -> None:
        self._asked = frozenset((*refs, *istiods))
        self._istiods = frozenset(istiods)
        self._lock = threading.Lock()
        self._seen: dict[ObjectRef, Rollout] = {}
        self._rooms: dict[ObjectRef, _Room] = {}
        self._around: dict[str, Around] = {}
        # Of each workload that was asked for; forgotten whenever a selector or a label changes.
        self._over: dict[ObjectRef, frozenset[ObjectRef]] = {}
        self._listed: set[str] = set()
        namespaces = {ref.namespace for ref in refs}
        one = namespaces.pop() if len(namespaces) == 1 else ""
        kinds = {ref.kind for ref in refs}
        places = {(kind, one) for kind in kinds} | {(_BUDGET, one), (_NAMESPACE, "")}
        if istiods:
            everywhere = not one and "Deployment" in kinds
            places.add(("Deployment", "" if everywhere else ISTIO_NAMESPACE))
        self._watches = [self._watch(api, kind, place) for kind, place in sorted(places)]

    def __enter__(self) -> Self:
        for watch in self._watches:
            watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watch in self._watches:
            watch.stop()
        for watch in self._watches:
            watch.join(_END_SECONDS)

    @property
    def ready(self) -> bool:
        """Whether every list was read once. Raises what ended a watch."""
        self.check()
        return len(self._listed) == len(self._watches)

    def check(self) -> None:
        """Raise what ended a watch: from then on this is old."""
        for watch in self._watches:
            if watch.error is not None:
                raise watch.error

    @property
    def polled(self) -> tuple[str, ...]:
        """Why lists are read every few seconds in place of a watch, for each kind where that is so."""
        return tuple(f"{watch.path}: {watch.polls}" for watch in self._watches if watch.polls)

    def rollout(self, ref: ObjectRef) -> Rollout | None:
        """A workload now, None where it is gone."""
        return self._seen.get(ref)

    def around(self, namespace: str) -> Around | None:
        """A namespace now, None where it is gone."""
        return self._around.get(namespace)

    def rooms(self) -> dict[ObjectRef, int]:
        """How many pods each budget lets be away now."""
        with self._lock:
            return {ref: room.allowed for ref, room in self._rooms.items()}

    def budgets_over(self, ref: ObjectRef, labels: Iterable[Mapping[str, str]]) -> frozenset[ObjectRef]:
        """The budgets over pods with one of these labels, or those of the workload's template."""
        with self._lock:
            if (known := self._over.get(ref)) is not None:
                return known
            rollout = self._seen.get(ref)
            labelled = [*labels, *([rollout.labels] if rollout else [])]
            over = frozenset(
                budget
                for budget, room in self._rooms.items()
                if budget.namespace == ref.namespace and any(selector_matches(room.selector, one) for one in labelled)
            )
            self._over[ref] = over
            return over

    def ready_istiods(self) -> int:
        """How many pods of istiod are ready."""
        return sum(rollout.progress.ready for ref in self._istiods if (rollout := self._seen.get(ref)))

    def _watch(self, api: KubeApi, kind: str, place: str) -> Watch:
        path = collection_path(kind, place)

        def ref_of(item: Object) -> ObjectRef:
            return ObjectRef(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])

        def changed(item: Object) -> None:
            self._put(ref_of(item), item)

        def gone(item: Object) -> None:
            ref = ref_of(item)
            with self._lock:
                self._seen.pop(ref, None)
                self._rooms.pop(ref, None)
                if ref.kind == _NAMESPACE:
                    self._around.pop(ref.name, None)
                self._over.clear()

        def all_seen(items: Iterable[Object]) -> None:
            there = {ref_of(item): item for item in items}
            with self._lock:
                spaces = (ObjectRef(_NAMESPACE, "", name) for name in self._around)
                known: list[ObjectRef] = [*self._seen, *self._rooms, *spaces]
            for ref in known:
                if ref.kind == kind and place in ("", ref.namespace) and ref not in there:
                    gone({"metadata": {"namespace": ref.namespace, "name": ref.name}})
            for ref, item in there.items():
                self._put(ref, item)
            self._listed.add(path)

        return Watch(api, path, all_seen, changed, gone)

    def _put(self, ref: ObjectRef, item: Object) -> None:
        with self._lock:
            if ref.kind == _NAMESPACE:
                self._around[ref.name] = _around(item)
                return
            if ref.kind == _BUDGET:
                room, before = _room(item), self._rooms.get(ref)
                self._rooms[ref] = room
                same = before is not None and before.selector == room.selector
            elif ref in self._asked:
                rollout, seen = _rollout(ref.kind, item), self._seen.get(ref)
                self._seen[ref] = rollout
                same = seen is not None and seen.labels == rollout.labels
            else:
                return
            if not same:
                self._over.clear()


def _rollout(kind: str, item: Object) -> Rollout:
    workload = workload_of(kind, item, ())
    return Rollout(
        generation=int(item["metadata"].get("generation", 0)),
        progress=progress_of(item | {"kind": kind}),  # items of a list do not say theirs
        pods=workload.desired,
        takes_down=workload.max_unavailable,
        labels=(item["spec"]["template"].get("metadata") or {}).get("labels") or {},
        paused=workload.paused,
        annotations=workload.annotations,
    )


def _around(item: Object) -> Around:
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    return Around(restart_annotations(item), labels.get(INJECTION), labels.get(LABEL))


def _room(item: Object) -> _Room:
    """A budget whose controller has not seen its newest spec yet allows nothing for the moment."""
    status = item.get("status") or {}
    current = int(status.get("observedGeneration", 0)) >= int(item["metadata"].get("generation", 0))
    return _Room(item["spec"].get("selector"), int(status.get("disruptionsAllowed", 0)) if current else 0)

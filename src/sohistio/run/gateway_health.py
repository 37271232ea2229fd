"""Looks at the gateways' pods while traffic is watched, in a thread of its own: requests do not wait for the API."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Self

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.model.health import GatewayHealth, PodLook
from sohistio.model.state import ObjectRef

LOOK_SECONDS = 1.0

Look = Callable[[], Mapping[ObjectRef, tuple[PodLook, ...]]]


class GatewayLooks:
    """A context manager. What the first look finds is how it was before; it counts from then on."""

    def __init__(self, refs: Collection[ObjectRef], look: Look) -> None:
        self._refs = tuple(refs)
        self._look = look
        self._before: Mapping[ObjectRef, tuple[PodLook, ...]] | None = None
        self._health: dict[ObjectRef, GatewayHealth] = {}
        self._restarts: dict[ObjectRef, dict[str, int]] = {}
        self._blind = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="gateway looks", daemon=True)

    def __enter__(self) -> Self:
        if self._refs:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()  # a look that hangs is not waited for

    @property
    def health(self) -> tuple[GatewayHealth, ...]:
        """Each gateway as far as it was looked at; none before the first look."""
        found = dict(self._health)
        return tuple(found[ref] for ref in self._refs if ref in found)

    @property
    def blind_seconds(self) -> float:
        """For how long nobody answered."""
        return self._blind

    def _sample(self) -> None:
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                self.count(self._look())
                answered = True
            except KubeError:
                answered = False
            self._stop.wait(LOOK_SECONDS)
            self._blind += 0.0 if answered else time.monotonic() - begun

    def count(self, found: Mapping[ObjectRef, tuple[PodLook, ...]]) -> None:
        """Take one look into account."""
        before = self._before = found if self._before is None else self._before
        for ref in self._refs:
            pods, known = found.get(ref, ()), {pod.uid: pod for pod in before.get(ref, ())}
            # A pod that has gone keeps what it had: a crash must not be forgotten with its pod.
            restarts = self._restarts.setdefault(ref, {})
            for pod in pods:
                then = known.get(pod.uid)
                restarts[pod.uid] = max(restarts.get(pod.uid, 0), pod.restarts - (then.restarts if then else 0))
            ready, last = sum(pod.ready for pod in pods), self._health.get(ref)
            loops = [pod.name for pod in pods if pod.crashes and not (pod.uid in known and known[pod.uid].crashes)]
            ends = [f"{pod.name}: {pod.last_end}" for pod in pods if restarts[pod.uid] and pod.last_end]
            self._health[ref] = GatewayHealth(
                ref,
                ready,
                min(ready, last.least if last else ready),
                sum(restarts.values()),
                tuple(dict.fromkeys((*(last.crash_loops if last else ()), *loops))),
                tuple(dict.fromkeys((*(last.ends if last else ()), *ends))),
            )

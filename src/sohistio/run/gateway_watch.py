"""Measures, while a run works, for how long each gateway had no ready pod: what traffic noticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ObjectRef

# How exact the seconds are.
SAMPLE_SECONDS = 0.5
# While workloads restart no step touches a gateway, and it may take hours: every look is a request.
SELDOM_SECONDS = 15.0


class GatewayWatch:
    """A context manager; afterwards `seconds` holds the time without a ready pod, by gateway's name.

    With its namespace before the name, where that is not the mesh's.

    Of a gateway that is there at first it is counted from then on; else from the first sight of a ready pod. It looks
    `every` so many seconds.
    """

    def __init__(self, api: KubeApi, gateways: Sequence[ObjectRef]) -> None:
        self._api = api
        self._gateways = gateways
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="gateway-watch", daemon=True)
        self.seconds: dict[str, float] = {}
        self.every = SAMPLE_SECONDS

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        last = time.monotonic()
        self.seconds |= {ref.short: 0.0 for ref in self._gateways if self._is_there(ref)}
        while not self._stop.wait(self.every):
            now = time.monotonic()
            for ref in self._gateways:
                ready = self._ready(ref)
                if ready:
                    self.seconds.setdefault(ref.short, 0.0)
                elif ready == 0 and ref.short in self.seconds:
                    self.seconds[ref.short] += now - last
            last = now

    def _is_there(self, ref: ObjectRef) -> bool:
        try:
            return self._api.get(path_of(ref)) is not None
        except KubeError:
            return False

    def _ready(self, ref: ObjectRef) -> int | None:
        """Ready pods; None where the API server does not answer, which says nothing about the gateway."""
        try:
            item = self._api.get(path_of(ref))
        except KubeError:
            return None
        return int(((item or {}).get("status") or {}).get("readyReplicas", 0))

"""Reads istiod's own metrics while workloads restart, and says how much of the declared pace it keeps up with."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.model.istiod_load import Keeping, pushes_in
from sohistio.model.state import ISTIO_NAMESPACE

# Through the API server, to one of the istiods behind the Service: a right on this one port (rbac/installer.yaml).
METRICS_PATH = f"/api/v1/namespaces/{ISTIO_NAMESPACE}/services/istiod:15014/proxy/metrics"
_READ_SECONDS = 10.0
# Readings in a row that failed: then there are none any more.
_MOST_FAILED = 3
_END_SECONDS = 1.0


class KeepingUp:
    """A context manager; its readings are made in a thread of its own.

    `share` is the part of the declared pace to keep to, `why_unread` why there are no readings; empty where there are.
    """

    def __init__(self, api: KubeApi) -> None:
        self.why_unread = ""
        self._api = api
        self._keeping = Keeping()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read, name="istiod's metrics", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(_END_SECONDS)

    @property
    def share(self) -> float:
        """1 while istiod keeps up, or nothing is known."""
        return self._keeping.share

    def _read(self) -> None:
        failed = 0
        while failed < _MOST_FAILED:
            try:
                found = pushes_in(self._api.text(METRICS_PATH, {}))
                failed = 0
            except KubeError as error:
                found, failed = None, failed + 1 if error.passing else _MOST_FAILED
                why = ", ".join((error.what, *error.details))
            if found is not None:
                self._keeping = self._keeping.after(found)
            if failed < _MOST_FAILED and self._done.wait(_READ_SECONDS):
                return
        self._keeping = Keeping()
        self.why_unread = why

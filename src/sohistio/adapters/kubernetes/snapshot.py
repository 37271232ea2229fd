"""Adapter: a cluster as one plan reads it. What was read is not asked for again, nor is a part of it.

The questions of a plan overlap: the look at the cluster lists all Deployments, and the comparison with the manifest
wants those of the mesh. Reading each once also means that one plan is made of one state of each object.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.gateways import COMPONENT, KEPT
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.adapters.kubernetes.requests import Listing, Request
from sohistio.model.selector import labels_match, requirements
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.model.webhooks import MUTATING, VALIDATING

_ADMISSION = "admissionregistration.k8s.io/v1"
# Short in every cluster, and asked for several times: read whole, whatever part was asked for first.
_READ_WHOLE = {
    collection_path("ConfigMap", ISTIO_NAMESPACE): {"apiVersion": "v1", "kind": "ConfigMap"},
    collection_path(MUTATING): {"apiVersion": _ADMISSION, "kind": MUTATING},
    collection_path(VALIDATING): {"apiVersion": _ADMISSION, "kind": VALIDATING},
}
# Of a long list only what has one of these labels is kept: the mesh's own.
_KEPT_LABELS = frozenset({COMPONENT, KEPT})


class Snapshot(KubeApi):
    """For one plan, from several threads; never for a run, which has to see what it changes."""

    def __init__(self, api: KubeApi) -> None:
        vars(self).update(vars(api))  # the same client, with what it knows
        self._whole: dict[str, list[Object]] = {}
        self._meshs: dict[str, list[Object]] = {}
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._adding = threading.Lock()

    def get(self, path: str) -> Object | None:
        """As KubeApi has it."""
        collection, _, name = path.rpartition("/")
        if collection not in _READ_WHOLE:
            return super().get(path)
        named = (item for item in self.items(collection) if item["metadata"]["name"] == name)
        return next((_READ_WHOLE[collection] | item for item in named), None)  # objects of a list do not say their kind

    def _listed(self, asked: Listing) -> list[Object]:
        """As KubeApi has it; what was read before may come with more than was asked for."""
        if asked.fields:
            return super()._listed(asked)
        path = asked.path
        with self._adding:
            lock = self._locks[path]
        with lock:  # whoever asks for the same at the same time waits for the first one's answer
            known = self._known(path, asked.labels)
            if known is None and path in _READ_WHOLE:
                self._whole[path] = super()._listed(Listing(path))
                known = self._known(path, asked.labels)
            if known is not None:
                return known
            found = super()._listed(asked)
            if not asked.labels and not asked.metadata_only:
                self._meshs[path] = [item for item in found if _labels(item).keys() & _KEPT_LABELS]
            return found

    def request(self, method: str, path: str, **how: Any) -> Object:
        """As KubeApi has it, for what writes nothing."""
        if Request(method, path, how.get("query") or {}, None).writes:
            raise AssertionError(f"a plan writes nothing: {method} {path}")
        return super().request(method, path, **how)

    def _known(self, path: str, labels: str) -> list[Object] | None:
        """The objects, where what was read has them all."""
        if path in self._whole:
            return _picked(self._whole[path], labels)
        if path in self._meshs and any(part.split("=")[0] in _KEPT_LABELS for part in requirements(labels)):
            return _picked(self._meshs[path], labels)
        return None


def _picked(items: Sequence[Object], labels: str) -> list[Object]:
    return [item for item in items if labels_match(labels, _labels(item))]


def _labels(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}

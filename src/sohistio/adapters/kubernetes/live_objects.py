"""Adapter: a manifest's objects as the cluster has them, read once: a list of each kind, and no request an object."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.errors import understood
from sohistio.adapters.kubernetes.gateways import COMPONENT, FIRST_MARKED, GATEWAY_KINDS, KEPT
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.plan.changes import ref_of
from sohistio.system.parallel import side_by_side

Kind = tuple[str, str]
"""apiVersion and kind."""
# A PDB or HPA whose component is switched off has no sibling left in the manifest.
_SWITCHED_OFF = (("policy/v1", "PodDisruptionBudget"), ("autoscaling/v2", "HorizontalPodAutoscaler"))


class LiveObjects:
    """What istioctl labelled, of each kind of the manifest, in all namespaces; what has no label is asked for by name.

    Raises KubeError.
    """

    def __init__(self, api: KubeApi, manifest: Sequence[Object]) -> None:
        self._api = api
        self._by_ref: dict[ObjectRef, Object] = {}
        with understood(api.server):
            self._read(manifest)

    def _read(self, manifest: Sequence[Object]) -> None:
        self._places = {ref.namespace for obj in manifest if (ref := ref_of(obj)).kind == "ConfigMap"}
        kinds = list(dict.fromkeys((*((obj["apiVersion"], obj["kind"]) for obj in manifest), *_SWITCHED_OFF)))
        lists = side_by_side(self._listed, kinds)
        self.labelled = dict(zip(kinds, lists, strict=True))
        """By apiVersion and kind; empty for one whose CRD is yet to come."""
        self._by_ref |= {ref_of(item): item for items in lists for item in items}
        others = [obj for obj in manifest if ref_of(obj) not in self._by_ref]
        for obj, found in zip(others, side_by_side(self._asked, others), strict=True):
            if found is not None:
                self._by_ref[ref_of(obj)] = found

    def of(self, obj: Object) -> Object | None:
        """The object of the manifest as it is now; None where it is not there."""
        return self._by_ref.get(ref_of(obj))

    def of_ref(self, ref: ObjectRef) -> Object | None:
        """As `of`, by the reference."""
        return self._by_ref.get(ref)

    def released(self, kinds: Sequence[Kind]) -> dict[Kind, list[Object]]:
        """What has sohistio's mark in place of istioctl's label. The first kinds to get a mark are the last to lose it:
        where none of these has one, nothing has.
        """
        gateways = [kind for kind in kinds if kind[1] in GATEWAY_KINDS]
        first = [kind for kind in gateways if kind[1] in FIRST_MARKED]
        if not any(side_by_side(partial(self._listed, labels=KEPT), first)):
            return {}
        lists = side_by_side(partial(self._listed, labels=f"{KEPT},!{COMPONENT}"), gateways)
        return dict(zip(gateways, lists, strict=True))

    def collection(self, kind: Kind) -> str:
        """The REST path of all objects of a kind, in all namespaces."""
        sample = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "-", "namespace": "-"}}
        return self._api.path_of(sample).rpartition("/")[0].replace("/namespaces/-/", "/")

    def _where(self, kind: Kind) -> str:
        """No gateway has a ConfigMap: theirs are looked for where the mesh is, not among those of every application."""
        if kind[1] == "ConfigMap" and self._places == {ISTIO_NAMESPACE}:
            return collection_path("ConfigMap", ISTIO_NAMESPACE)
        return self.collection(kind)

    def _listed(self, kind: Kind, labels: str = COMPONENT) -> list[Object]:
        try:
            found = self._api.items(self._where(kind), labels=labels)
        except KubeError as error:
            if error.status == 404:
                return []
            raise
        return [item | {"apiVersion": kind[0], "kind": kind[1]} for item in found]

    def _asked(self, obj: Object) -> Object | None:
        try:
            return self._api.get(self._api.path_of(obj))
        except KubeError as error:
            if error.status == 404:  # a kind whose CRD is yet to come
                return None
            raise

"""Adapter: Istio's custom resources, all kinds that the cluster serves; for backups and to see that none was lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from sohistio.cluster.kube import KubeApi, Object
from sohistio.state import ObjectRef

_GROUP_SUFFIX = ".istio.io"
# istioctl's own kind: no configuration of the mesh, and gone with its in-cluster operator.
_ISTIOCTLS_OWN = "operator.istio.io/component"
_NOT_CONFIGURATION = frozenset({"install.istio.io"})


_Kind = tuple[str, str, str]


def served_kinds(api: KubeApi) -> list[_Kind]:
    """Istio's kinds that the cluster knows, as (group and version, kind, plural); none without its CRDs."""
    kinds: list[_Kind] = []
    for group in api.request("GET", "/apis")["groups"]:
        if group["name"].endswith(_GROUP_SUFFIX) and group["name"] not in _NOT_CONFIGURATION:
            version = group["preferredVersion"]["groupVersion"]
            resources = api.request("GET", f"/apis/{version}")["resources"]
            kinds += [(version, item["kind"], item["name"]) for item in resources if "/" not in item["name"]]
    return kinds


def custom_resources(api: KubeApi) -> list[Object]:
    """Every VirtualService, Gateway, AuthorizationPolicy, … with apiVersion and kind, sorted by kind and name.

    Not among them is what istioctl installs itself (EnvoyFilters of the charts before 1.23): it comes and goes with
    its version.

    Raises KubeError where one kind cannot be listed: a part of them would be taken for all.
    """

    def listed(kind: _Kind) -> list[Object]:
        version, name, plural = kind
        found = api.items(f"/apis/{version}/{plural}", labels=f"!{_ISTIOCTLS_OWN}")
        return [{"apiVersion": version, "kind": name} | item for item in found]

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = [item for items in pool.map(listed, sorted(served_kinds(api))) for item in items]
    return sorted(
        found, key=lambda item: (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
    )


def digests(resources: list[Object]) -> Mapping[ObjectRef, str]:
    """SHA-256 of what somebody wrote into each (labels, annotations, spec): not of status, nor of the API's version."""
    return {
        _ref(item): hashlib.sha256(json.dumps(written(item), sort_keys=True).encode()).hexdigest() for item in resources
    }


def _ref(item: Object) -> ObjectRef:
    return ObjectRef(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])


def written(item: Object) -> list[object]:
    """What somebody wrote into an object, in a form that compares."""
    metadata = item["metadata"]
    return [metadata.get("labels") or {}, metadata.get("annotations") or {}, item.get("spec")]

"""Adapter: the kinds of custom resources that the API server serves, each of them once, whatever version has it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.model.gateway_api import GROUP

ISTIO_SUFFIX = ".istio.io"
GATEWAY_API = (GROUP, "gateway.networking.x-k8s.io")
# istioctl's own kind: no configuration of the mesh, and gone with its in-cluster operator.
NOT_CONFIGURATION = frozenset({"install.istio.io"})
# All groups, versions and kinds in one answer (Kubernetes 1.30 and newer); a server without it answers with the groups.
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class ServedKind(NamedTuple):
    """A kind in the version in which its objects are read: `networking.istio.io/v1`, `Sidecar`, `sidecars`."""

    group_version: str
    kind: str
    plural: str

    @property
    def group(self) -> str:
        """Its API group."""
        return self.group_version.partition("/")[0]

    @property
    def version(self) -> str:
        """Its version, without the group."""
        return self.group_version.rpartition("/")[2]

    @property
    def is_istios(self) -> bool:
        """Whether it is of Istio's own groups, not of the Gateway API."""
        return self.group.endswith(ISTIO_SUFFIX)


def served_kinds(api: KubeApi) -> list[ServedKind]:
    """All kinds of Istio's groups and of the Gateway API's, sorted; none without their CRDs. Raises KubeError.

    A kind is read in its group's preferred version, or in the next one that has it: `networking.istio.io/v1` lacks
    EnvoyFilter (v1alpha3) and ProxyConfig (v1beta1).
    """
    return sorted(_once(kinds_in_all_versions(api)))


def kinds_in_all_versions(api: KubeApi) -> list[ServedKind]:
    """The same kinds, once for each version that is served, the preferred first. Raises KubeError."""
    document = api.request("GET", "/apis", accept=_AGGREGATED)
    kinds = _from_aggregated(document)
    return kinds if kinds is not None else _from_lists(api, document)


def _is_wanted(group: str) -> bool:
    return group in GATEWAY_API or (group.endswith(ISTIO_SUFFIX) and group not in NOT_CONFIGURATION)


def _from_aggregated(document: Object) -> list[ServedKind] | None:
    """The kinds in the order of their versions; None where the answer is of another form, or is not up to date."""
    if document.get("kind") != "APIGroupDiscoveryList":
        return None
    kinds: list[ServedKind] = []
    for group in document.get("items") or ():
        name = group["metadata"]["name"]
        if not _is_wanted(name):
            continue
        for version in group.get("versions") or ():
            if version.get("freshness", "Current") != "Current":
                return None
            kinds += [
                ServedKind(f"{name}/{version['version']}", item["responseKind"]["kind"], item["resource"])
                for item in version.get("resources") or ()
            ]
    return kinds


def _from_lists(api: KubeApi, document: Object) -> list[ServedKind]:
    """The same, a request for each version of each group."""
    groups = document["groups"] if "groups" in document else api.request("GET", "/apis")["groups"]
    kinds: list[ServedKind] = []
    for group in groups:
        if not _is_wanted(group["name"]):
            continue
        preferred = group["preferredVersion"]["groupVersion"]
        versions = [version["groupVersion"] for version in group["versions"]]
        for version in dict.fromkeys([preferred, *versions]):
            listed = api.request("GET", f"/apis/{version}")["resources"]
            kinds += [ServedKind(version, item["kind"], item["name"]) for item in listed if "/" not in item["name"]]
    return kinds


def _once(kinds: Iterable[ServedKind]) -> Collection[ServedKind]:
    """Each kind of a group in the first of its versions."""
    first: dict[tuple[str, str], ServedKind] = {}
    for kind in kinds:
        first.setdefault((kind.group, kind.plural), kind)
    return first.values()

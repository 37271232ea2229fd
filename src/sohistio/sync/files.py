"""What environment files render, compared as files: a difference is reported with what to change, never applied. Pure.

Left out is what must differ between two regions, or belongs to one cluster alone; each line below says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from sohistio.model.sync import SyncRules
from sohistio.plan.changes import FieldChange
from sohistio.plan.drift.fields import value_changes
from sohistio.plan.drift.values import one_line
from sohistio.sync.differences import Difference, Subject

Document = Mapping[str, Any]

# Of environment.yaml: who it is, where it is, and what only a standby has. The version has a difference of its own.
_ENVIRONMENTS_OWN = frozenset(
    {"name", "description", "protected", "standbyOf", "promotesFrom", "ingressAddress", "cluster", "timeouts"}
    | {"restarts", "failover", "sync"}
    # What watches a mesh is its cluster's: addresses, disks, receivers, the host of its pages.
    | {"monitoring"}
)
# A Secret's name, and where it comes from, are a cluster's own: a registry may be a region's.
_ISTIOS_OWN = frozenset({"version", "pullSecret", "pullSecretSource"})
_GATEWAYS = ("ingressGateways", "egressGateways")
# The load balancer's place in its region: addresses, subnet, resource group, names.
_AZURE = "service.beta.kubernetes.io/azure-"
_PLACES = frozenset(
    f"{_AZURE}{name}"
    for name in (
        "load-balancer-ipv4",
        "load-balancer-ipv6",
        "load-balancer-internal-subnet",
        "load-balancer-resource-group",
        "pip-name",
        "pip-name-ipv6",
        "pip-prefix-id",
        "pip-prefix-id-ipv6",
        "dns-label-name",
    )
)


def environment_differences(
    source: Document, target: Document, rules: SyncRules, names: tuple[str, str]
) -> Iterator[Difference]:
    """Of two environment.yaml (merged): version, hub, application namespaces. `names` are source's and target's."""
    versions = [str(document["istio"]["version"]) for document in (source, target)]
    if versions[0] != versions[1]:
        yield Difference(
            Subject.VERSION,
            "istio.version",
            f"istio.version: {names[0]} has {versions[0]}, {names[1]} has {versions[1]}",
            f"Set it in environments/{names[1]}/environment.yaml, then `sohistio install --env {names[1]}`.",
        )
    for field in value_changes(_shared(rules.substituted(source)), _shared(target)):
        yield _of_file(field, names, "environment.yaml")


def operator_differences(
    source: Document, target: Document, rules: SyncRules, names: tuple[str, str]
) -> Iterator[Difference]:
    """Of two IstioOperators that were rendered for the same version, neither with its gateways off."""
    for field in value_changes(_comparable(rules.substituted(source)), _comparable(target)):
        yield _of_file(field, names, "istiooperator.yaml")


def installed_difference(source: str, target: str, names: tuple[str, str]) -> Iterator[Difference]:
    """Of the versions that run in the two clusters, empty where there is none."""
    if source != target:
        yield Difference(
            Subject.VERSION,
            "installed",
            ", ".join(
                f"{name} runs Istio {version}" if version else f"{name} has none"
                for name, version in zip(names, (source, target), strict=True)
            ),
            f"`sohistio install --env {names[1]}` installs what its files say.",
        )


def _of_file(field: FieldChange, names: tuple[str, str], file: str) -> Difference:
    what = f"{file} of {names[0]} → {names[1]}: {one_line(field)}"
    todo = f"Change it in environments/{names[1]}/{file} or in base's; or declare it (sync.substitutions)."
    return Difference(Subject.FILES, field.path, what, todo)


def _shared(document: Document) -> dict[str, Any]:
    """What both environments are meant to have alike."""
    found = {key: value for key, value in document.items() if key not in _ENVIRONMENTS_OWN}
    istio = {key: value for key, value in document["istio"].items() if key not in _ISTIOS_OWN}
    namespaces = sorted(document.get("applicationNamespaces") or ())
    if policy := found.get("policy"):  # where the CA is kept is a region's own; that both have one root is compared
        found["policy"] = {key: value for key, value in policy.items() if key != "authority"}
    return found | {"istio": istio, "applicationNamespaces": namespaces}


def _comparable(operator: Document) -> dict[str, Any]:
    """Without the load balancers' places, the pull Secrets, the cluster's own name, and without the hub, which
    environment.yaml has.
    """
    document = deepcopy(dict(operator))
    spec = document["spec"]
    spec.pop("hub", None)
    for gateway in (item for key in _GATEWAYS for item in (spec.get("components") or {}).get(key) or ()):
        k8s = gateway.get("k8s") or {}
        (k8s.get("service") or {}).pop("loadBalancerIP", None)
        annotations = k8s.get("serviceAnnotations") or {}
        k8s["serviceAnnotations"] = {key: value for key, value in annotations.items() if key not in _PLACES}
        gateway["k8s"] = {key: value for key, value in k8s.items() if value != {}}
    values = spec.get("values") or {}
    shared = dict(values.get("global") or {})
    for key in ("imagePullSecrets", "network"):
        shared.pop(key, None)
    several = {key: value for key, value in (shared.pop("multiCluster", None) or {}).items() if key != "clusterName"}
    shared |= {"multiCluster": several} if several else {}
    spec["values"] = values | {"global": shared}
    return document

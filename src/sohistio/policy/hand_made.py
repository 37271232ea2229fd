"""Objects that people made for what the policy is for: of two, one has no effect, or opens what the other closes. Pure.

What has the very name of a policy object is not here: it stops the plan (`Comparison.foreign`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.model.policy import GatewayPlace, Policy
from sohistio.model.state import ObjectRef
from sohistio.plan.policy_steps import is_policys
from sohistio.policy.objects import KINDS, ROOT, selected_labels, service_host
from sohistio.policy.surroundings import of_kind

Objects = Mapping[ObjectRef, Mapping[str, Any]]


OBSERVED = (*KINDS, "Sidecar")
"""The kinds in which there may be such objects."""
_FILTERS = ("envoy.filters.http.rbac", "envoy.filters.network.rbac", "envoy.filters.http.jwt_authn")


@dataclass(frozen=True, order=True, slots=True)
class HandMade:
    """An object, and what it does to the policy, as the predicate of a sentence.

    `undoes` where the policy does not hold with it, else it is worth a look.
    """

    ref: ObjectRef
    effect: str
    undoes: bool = True

    def __str__(self) -> str:
        return f"{self.ref} {self.effect}"


def hand_made(policy: Policy, live: Objects, environment: str) -> tuple[HandMade, ...]:
    """All of them, sorted: whatever label they have, if sohistio did not make them from this environment's policy."""
    others = {ref: obj for ref, obj in live.items() if not is_policys(obj, environment)}
    found = (
        *_of_mtls(policy, others),
        *_of_access(policy, others),
        *_of_hosts(policy, others),
        *_past_the_gateway(policy, others),
        *_of_filters(policy, others),
        *_logs(policy, others),
    )
    return tuple(sorted(set(found)))


def _of_mtls(policy: Policy, others: Objects) -> Iterator[HandMade]:
    if policy.mtls is None or policy.is_audit:
        return
    for ref, obj in of_kind(others, "PeerAuthentication"):
        spec = obj.get("spec") or {}
        mode = (spec.get("mtls") or {}).get("mode", "UNSET")
        if ref.namespace == ROOT and not spec.get("selector"):
            yield HandMade(ref, f"sets mTLS of the whole mesh as well ({mode}): Istio takes the older one")
        elif policy.mtls.strict and ref.namespace not in policy.mtls.permissive:
            ports = {item.get("mode") for item in (spec.get("portLevelMtls") or {}).values()}
            if weak := sorted({mode, *ports} & {"PERMISSIVE", "DISABLE"}):
                yield HandMade(ref, f"takes plaintext ({', '.join(weak)}) in spite of mode strict")


def _of_access(policy: Policy, others: Objects) -> Iterator[HandMade]:
    gateways: list[tuple[GatewayPlace, str]] = []
    if policy.hosts:
        effect = "lets requests in at the ingress gateway, whatever policy.hosts says"
        gateways += [(gateway, effect) for gateway in policy.guarded_gateways]
    if policy.egress is not None and policy.egress.hosts:
        gateways.append((policy.egress_gateway, "lets calls out at the egress gateway, whatever policy.egress says"))
    closed = {access.namespace for access in policy.workloads}
    for ref, obj in of_kind(others, "AuthorizationPolicy"):
        spec = obj.get("spec") or {}
        if spec.get("action", "ALLOW") != "ALLOW" or not spec.get("rules"):
            continue
        for gateway, effect in gateways:
            if _applies_to(ref, spec, gateway):
                yield HandMade(ref, effect)
        if ref.namespace in closed or (closed and ref.namespace == ROOT and not spec.get("selector")):
            yield HandMade(ref, "lets calls in, whatever policy.workloads says of its namespace")
    if policy.jwt and not policy.is_audit:
        for ref, obj in of_kind(others, "RequestAuthentication"):
            if any(_applies_to(ref, obj.get("spec") or {}, gateway) for gateway in policy.guarded_gateways):
                yield HandMade(ref, "accepts tokens at the ingress gateway as well")


def _of_hosts(policy: Policy, others: Objects) -> Iterator[HandMade]:
    external = {item.host for item in policy.egress.hosts} if policy.egress else set()
    called = {service_host(name, item.namespace) for item in policy.defaults for name in item.services}
    served = {host for item in policy.ingress for host in item.hosts}
    ruled = {service_host("*", item.namespace) for item in policy.defaults}
    for ref, obj in of_kind(others, "VirtualService"):
        spec = obj.get("spec") or {}
        hosts = {_full(host, ref.namespace) for host in spec.get("hosts") or ()}
        meshwide = "mesh" in (spec.get("gateways") or ["mesh"])
        if same := sorted(hosts & (external | called) if meshwide else hosts & served):
            yield HandMade(ref, f"routes {', '.join(same)} as well: Istio takes one of the two")
    for ref, obj in of_kind(others, "DestinationRule"):
        host = _full(str((obj.get("spec") or {}).get("host", "")), ref.namespace)
        if host in external | ruled | ({policy.egress_gateway.host} if external else set()):
            yield HandMade(ref, f"has rules for {host} as well: Istio takes one of the two")
    for ref, obj in of_kind(others, "ServiceEntry"):
        if same := sorted(external & set((obj.get("spec") or {}).get("hosts") or ())):
            yield HandMade(ref, f"declares {', '.join(same)} as well, past the egress gateway")


def _past_the_gateway(policy: Policy, others: Objects) -> Iterator[HandMade]:
    if not policy.registry_only:
        return
    external = {item.host for item in policy.egress.hosts} if policy.egress else set()
    for ref, obj in of_kind(others, "Sidecar"):
        if ((obj.get("spec") or {}).get("outboundTrafficPolicy") or {}).get("mode") == "ALLOW_ANY":
            yield HandMade(ref, "lets all external hosts be called, whatever policy.egress says")
    for ref, obj in of_kind(others, "ServiceEntry"):
        spec = obj.get("spec") or {}
        hosts = sorted({str(host) for host in spec.get("hosts") or ()} - external)
        if hosts and spec.get("location", "MESH_EXTERNAL") == "MESH_EXTERNAL":
            yield HandMade(ref, f"lets {', '.join(hosts)} be called, past the egress gateway", undoes=False)


def _of_filters(policy: Policy, others: Objects) -> Iterator[HandMade]:
    """EnvoyFilters are above everything else: one that takes a filter out leaves nothing to refuse by."""
    if policy.is_audit or not (policy.hosts or policy.workloads or policy.jwt or policy.egress):
        return
    for ref, obj in of_kind(others, "EnvoyFilter"):
        for item in (obj.get("spec") or {}).get("configPatches") or ():
            text = json.dumps(item.get("match") or {})
            named = sorted(name for name in _FILTERS if name in text)
            if named and (item.get("patch") or {}).get("operation") in ("REMOVE", "REPLACE", "MERGE"):
                yield HandMade(ref, f"changes {', '.join(named)}, by which the policy refuses")


def _logs(policy: Policy, others: Objects) -> Iterator[HandMade]:
    if policy.telemetry is None:
        return
    for ref, obj in of_kind(others, "Telemetry"):
        spec = obj.get("spec") or {}
        if ref.namespace == ROOT and not (spec.get("selector") or spec.get("targetRefs")):
            yield HandMade(ref, "is for the whole mesh as well: Istio takes the older one")
        elif any(item.get("disabled") for item in spec.get("accessLogging") or ()) and policy.telemetry.access_log:
            yield HandMade(ref, "switches the access log off where it applies", undoes=False)


def _applies_to(ref: ObjectRef, spec: Mapping[str, Any], gateway: GatewayPlace) -> bool:
    if ref.namespace not in (ROOT, gateway.namespace):
        return False
    return selected_labels(spec).items() <= dict(gateway.labels).items() and not spec.get("targetRefs")


def _full(host: str, namespace: str) -> str:
    """A short name is of the object's own namespace (istio.io, "VirtualService", hosts)."""
    return host if "." in host or not host or host == "*" else service_host(host, namespace)

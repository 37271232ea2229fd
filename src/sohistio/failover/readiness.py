"""Whether the standby could take over now: judgements over what was read. Pure; each takes plain objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from sohistio.failover.world import Side
from sohistio.model.fault import Fault, Severity
from sohistio.model.readiness import REHEARSAL_DAYS

Object = Mapping[str, Any]
CERTIFICATE_DAYS = 14
_INGRESS = {"istio": "ingressgateway", "app": "istio-ingressgateway"}


def address_faults(sides: Iterable[Side]) -> Iterator[Fault]:
    """Each side's address is pinned in its environment, and the gateway has it."""
    for side in sides:
        if not side.pinned:
            yield Fault(
                f"{side.environment} has no ingressAddress: its address may change with its Service",
                f"Pin the address that it has: ingressAddress: {side.address or '…'}",
            )
        elif side.is_reachable and side.pinned != side.address:
            yield Fault(
                f"the ingress gateway of {side.environment} has {side.address or 'no address'}, "
                f"its environment says {side.pinned}"
            )


def version_faults(primary: Side, standby: Side) -> Iterator[Fault]:
    """Both run the same Istio: another version may treat the same configuration in another way."""
    if primary.is_reachable and primary.version != standby.version:
        mesh = f"{standby.environment} runs Istio {standby.version or '(none)'}"
        yield Fault(f"{mesh}, {primary.environment} {primary.version or '(none)'}")


def unscaled_faults(standby: Side) -> Iterator[Fault]:
    """Each gateway has its autoscaler: without one it stays at its minimum, whatever the traffic."""
    for ref in standby.unscaled:
        yield Fault(
            f"{ref.short} has no autoscaler: it would stay at {standby.minimum(ref)} pods",
            f"If somebody deleted it, `sohistio install --env {standby.environment}` puts it back.",
            severity=Severity.WARNING,
        )


def idle_hosts(
    gateways: Sequence[Object], routes: Sequence[Object], slices: Sequence[Object]
) -> tuple[tuple[str, str], ...]:
    """The hosts that the ingress gateway routes to nobody, each with the reason: deployed but idle.

    Gateways and VirtualServices of networking.istio.io, EndpointSlices of discovery.k8s.io.
    """
    own = {_key(item) for item in gateways if _is_ingress(item["spec"].get("selector") or {})}
    ready = _ready_services(slices)
    found: dict[str, str] = {}
    for route in routes:
        if not any(_gateway_key(name, route) in own for name in route["spec"].get("gateways") or ()):
            continue
        for host, port_owner in _destinations(route):
            service = _service_key(host, port_owner)
            if service is not None and service not in ready:
                for name in route["spec"].get("hosts") or ():
                    found.setdefault(str(name), f"Service {service[0]}/{service[1]} has no ready endpoint")
    return tuple(sorted(found.items()))


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def _is_ingress(selector: Mapping[str, str]) -> bool:
    return bool(selector) and all(_INGRESS.get(key) == value for key, value in selector.items())


def _gateway_key(name: str, route: Object) -> tuple[str, str]:
    namespace, slash, rest = name.partition("/")
    return (namespace, rest) if slash else (route["metadata"]["namespace"], name)


def _destinations(route: Object) -> Iterator[tuple[str, str]]:
    for kind in ("http", "tls", "tcp"):
        for rule in route["spec"].get(kind) or ():
            for target in rule.get("route") or ():
                yield str((target.get("destination") or {}).get("host", "")), route["metadata"]["namespace"]


def _service_key(host: str, namespace: str) -> tuple[str, str] | None:
    """The Service that a destination names; None for a host outside the cluster."""
    parts = host.removesuffix(".").split(".")
    if len(parts) == 1:
        return namespace, parts[0]
    inside = len(parts) == 2 or parts[2:3] == ["svc"]
    return (parts[1], parts[0]) if inside else None


def _ready_services(slices: Sequence[Object]) -> set[tuple[str, str]]:
    return {
        (item["metadata"]["namespace"], (item["metadata"].get("labels") or {}).get("kubernetes.io/service-name", ""))
        for item in slices
        if any((endpoint.get("conditions") or {}).get("ready") for endpoint in item.get("endpoints") or ())
    }


def idle_faults(found: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    """One for each host."""
    for host, why in found:
        yield Fault(f"{host}: {why}")


def certificate_fault(name: str, days: float | None) -> Fault | None:
    """`days` until the certificate of a Secret ends; None where there is no Secret with one."""
    if days is None:
        return Fault(f"Secret {name} does not exist, or has no certificate")
    if days <= 0:
        return Fault(f"the certificate of Secret {name} has expired")
    if days < CERTIFICATE_DAYS:
        return Fault(f"the certificate of Secret {name} ends in {days:.0f} days", severity=Severity.WARNING)
    return None


def root_fault(names: Sequence[str], roots: Sequence[Set[str]], *, both_declare: bool) -> Fault | None:
    """`roots` are the fingerprints that each side's mesh publishes: one in common is enough, as in a rotation.

    A warning unless both environments declare a CA: without that each istiod makes a root of its own.
    """
    if roots[0] & roots[1]:
        return None
    shown = ", ".join(f"{name} {min(one)[:16]}…" for name, one in zip(names, roots, strict=True))
    return Fault(
        f"the meshes have different roots (SHA-256): {shown}",
        "Plug CAs of one root into both (policy.authority): docs/certificates.md. It matters to clients that trust the "
        "mesh's root themselves, and to meshes that call each other.",
        Severity.ERROR if both_declare else Severity.WARNING,
    )


def rehearsal_fault(days: float | None) -> Fault | None:
    """`days` since the last rehearsal that proved all; None where there was none."""
    if days is None:
        return Fault("it was never rehearsed")
    return Fault(f"the last rehearsal was {days:.0f} days ago") if days > REHEARSAL_DAYS else None

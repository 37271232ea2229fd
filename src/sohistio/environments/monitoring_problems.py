"""What the monitoring of an environment and the rest of it disagree about."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.environments.istiooperator import NAMESPACE
from sohistio.environments.model import Environment
from sohistio.environments.monitoring import ExposeKeys
from sohistio.environments.monitoring_policy import INGRESS_NAME
from sohistio.environments.policy import PolicyKeys
from sohistio.environments.yaml_files import Key
from sohistio.model.monitoring import COLLECTOR, Part

_EXPOSE: Key = ("monitoring", "expose")
_ADDRESSES: Key = (*_EXPOSE, "addresses")


def monitoring_problems(environment: Environment) -> Iterator[tuple[Key, str]]:
    """Each as the key and what is wrong with it: above all, a page that anybody could open."""
    monitoring, keys = environment.monitoring, environment.policy
    if keys:
        if monitoring.jaeger and keys.telemetry and keys.telemetry.tracing:
            yield ("policy", "telemetry", "tracing"), "is set by monitoring.jaeger: expected one of the two"
        yield from _ways_around(keys)
    if expose := monitoring.expose:
        yield from _of_gateways(environment, expose)
        yield from _of_callers(keys, expose)
        if monitoring.grafana and keys and any(issuer.forward for issuer in keys.jwt):
            yield (
                ("policy", "jwt"),
                "expected no forward: true beside monitoring.expose: Grafana refuses tokens of others",
            )


def _ways_around(keys: PolicyKeys) -> Iterator[tuple[Key, str]]:
    """Most of its Services have no login of their own."""
    for item in keys.ingress:
        for route in item.routes:
            name, _, namespace = route.service.partition(".")
            if namespace == NAMESPACE and name in {*(part.value for part in Part), COLLECTOR}:
                text = f"{item.name} leads to {route.service}: expected monitoring.expose, which guards it"
                yield ("policy", "ingress"), text


def _of_gateways(environment: Environment, expose: ExposeKeys) -> Iterator[tuple[Key, str]]:
    ingress = [gateway for gateway in environment.gateways if gateway.kind == "ingress"]
    if not ingress:
        yield _EXPOSE, "expected an ingress gateway in istiooperator.yaml: the pages are served by it"
    # Of all of them: those whose pods have the same labels serve the host, too.
    blind = [gateway.name for gateway in ingress if not gateway.sees_callers]
    if expose.addresses and blind:
        yield (
            _ADDRESSES,
            f"expected k8s.service.externalTrafficPolicy: Local of {', '.join(blind)} in istiooperator.yaml, and no "
            "overlay that changes it: without it a gateway sees the addresses of nodes, not of callers",
        )
    if expose.addresses and environment.trusts_requests:
        yield (
            _ADDRESSES,
            "expected no meshConfig.defaultConfig.gatewayTopology in istiooperator.yaml: with it a gateway believes "
            "what callers say of their addresses",
        )


def _of_callers(keys: PolicyKeys | None, expose: ExposeKeys) -> Iterator[tuple[Key, str]]:
    if keys and keys.stage == "audit":
        yield _EXPOSE, "expected policy.stage enforce: in stage audit anybody could open the pages"
    if not expose.addresses and not (keys and keys.jwt):
        yield _EXPOSE, "expected policy.jwt (whose tokens are let in) or addresses: the pages are never anonymous"
    if keys is None:
        return
    hosts = [host for item in keys.hosts for host in item.hosts]
    hosts += [host for item in keys.ingress for host in item.hosts]
    if expose.host in hosts:
        yield (*_EXPOSE, "host"), f"{expose.host} is in policy as well: expected a host of its own"
    if any(item.name == INGRESS_NAME for item in keys.ingress):
        yield ("policy", "ingress"), f"expected another name than {INGRESS_NAME}, which monitoring.expose has"

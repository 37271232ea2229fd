"""What the monitoring of an environment and the rest of it disagree about."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.environments.model import Environment
from sohistio.environments.monitoring_policy import INGRESS_NAME
from sohistio.environments.yaml_files import Key

_EXPOSE: Key = ("monitoring", "expose")


def monitoring_problems(environment: Environment) -> Iterator[tuple[Key, str]]:
    """Each as the key and what is wrong with it: above all, a page that anybody could open."""
    monitoring, keys = environment.monitoring, environment.policy
    if monitoring.jaeger and keys and keys.telemetry and keys.telemetry.tracing:
        yield ("policy", "telemetry", "tracing"), "is set by monitoring.jaeger: expected one of the two"
    expose = monitoring.expose
    if expose is None:
        return
    ingress = [gateway for gateway in environment.gateways if gateway.kind == "ingress"]
    if not ingress:
        yield _EXPOSE, "expected an ingress gateway in istiooperator.yaml: the pages are served by it"
    # Of all of them: those whose pods have the same labels serve the host, too.
    blind = [gateway.name for gateway in ingress if not gateway.sees_callers]
    if expose.addresses and blind:
        yield (
            (*_EXPOSE, "addresses"),
            f"expected k8s.service.externalTrafficPolicy: Local of {', '.join(blind)} in istiooperator.yaml: without "
            "it a gateway sees the addresses of nodes, not of callers",
        )
    if keys and keys.stage == "audit":
        yield _EXPOSE, "expected policy.stage enforce: in stage audit anybody could open the pages"
    if not expose.addresses and not (keys and keys.jwt):
        yield _EXPOSE, "expected policy.jwt (whose tokens are let in) or addresses: the pages are never anonymous"
    if keys:
        hosts = [
            *(host for item in keys.hosts for host in item.hosts),
            *(h for item in keys.ingress for h in item.hosts),
        ]
        if expose.host in hosts:
            yield (*_EXPOSE, "host"), f"{expose.host} is in policy as well: expected a host of its own"
        if any(item.name == INGRESS_NAME for item in keys.ingress):
            yield ("policy", "ingress"), f"expected another name than {INGRESS_NAME}, which monitoring.expose has"

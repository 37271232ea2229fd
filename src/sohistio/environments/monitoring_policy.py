"""What monitoring asks of the mesh's policy: where spans go, and what the ingress gateway serves to whom."""

from __future__ import annotations

from dataclasses import replace

from sohistio.environments.istiooperator import NAMESPACE
from sohistio.model.monitoring import COLLECTOR, OTLP_PORT, UI_PORTS, Exposure, Monitoring
from sohistio.model.policy import Policy, Telemetry, Tracing
from sohistio.model.policy_access import HostAccess, HostRule
from sohistio.model.policy_traffic import IngressHosts, Route

INGRESS_NAME = "monitoring"
"""Of the Gateway and the VirtualService that expose its pages."""


def with_monitoring(policy: Policy, monitoring: Monitoring) -> Policy:
    """The policy with what monitoring needs: proxies trace to Jaeger, and exposed pages are closed but for one rule."""
    if monitoring.jaeger:
        tracing = Tracing(f"{COLLECTOR}.{NAMESPACE}", OTLP_PORT, monitoring.jaeger.sampling)
        policy = replace(policy, telemetry=replace(policy.telemetry or Telemetry(), tracing=tracing))
    if expose := monitoring.expose:
        routes = tuple(Route(f"/{part}", part.value, NAMESPACE, UI_PORTS[part]) for part in monitoring.exposed)
        ingress = IngressHosts(INGRESS_NAME, (expose.host,), expose.credential, routes)
        access = HostAccess((expose.host,), (_rule(expose),))
        policy = replace(policy, ingress=(*policy.ingress, ingress), hosts=(*policy.hosts, access))
    return policy


def _rule(expose: Exposure) -> HostRule:
    if expose.addresses:
        return HostRule(anonymous=True, addresses=expose.addresses)
    return HostRule(claims=expose.claims)

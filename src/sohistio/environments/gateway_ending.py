"""Key `gateways`: how a gateway's pod ends, so that no request is cut which takes no longer than the environment says.

A pod that is deleted first sleeps (preStop) while load balancers still send it connections; then pilot-agent gets
SIGTERM, and has Envoy take no new ones and end those that are open; when the grace period is over, which began with the
deletion, the rest is cut (Kubernetes, "Termination of Pods"). pilot-agent waits for open connections only with
EXIT_ON_ZERO_ACTIVE_CONNECTIONS (istio, pkg/envoy/agent.go), otherwise for 5 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from sohistio.environments.failover import ProbePart
from sohistio.environments.istiooperator import GATEWAY_LISTS
from sohistio.environments.layers import merge
from sohistio.environments.values import Part, Seconds, SecondsOrNone

# Seconds that a new pod must be ready before an old one may go: a load balancer finds it by its next probe.
_NEXT_PROBE_SECONDS = 5
_PLACES = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
_WAIT_FOR_CONNECTIONS = {"name": "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "value": "true"}


class Gateways(Part):
    """How gateways are replaced without cutting a request."""

    longest_request_seconds: Seconds = Field(
        75, alias="longestRequest", description="What takes longer may be cut when a gateway's pod is replaced"
    )
    load_balancer_delay_seconds: SecondsOrNone = Field(
        10,
        alias="loadBalancerDelay",
        description="How long the load balancer still sends connections to a pod that ends: probe interval × threshold",
    )

    probes: Annotated[tuple[ProbePart, ...], Field(strict=False)] = Field(
        (),
        description="Requests to the ingress gateway that judge its new pods before the old ones go; "
        "failover.probes where there are none",
    )
    egress_probes: Annotated[tuple[ProbePart, ...], Field(strict=False)] = Field(
        (),
        description="Requests to the ingress gateway whose answer needs the egress gateway, such as a page that calls "
        "an external host",
    )

    @property
    def grace_seconds(self) -> int:
        """terminationGracePeriodSeconds: preStop counts towards it."""
        return self.load_balancer_delay_seconds + self.longest_request_seconds

    def under(self, operator: Mapping[str, Any]) -> dict[str, Any]:
        """An IstioOperator with this under each gateway's own settings: what its `k8s` says wins."""
        components = operator.get("spec", {}).get("components", {})
        lists = {name: [self._under(item) for item in components[name]] for name in GATEWAY_LISTS if name in components}
        return merge(operator, {"spec": {"components": lists}} if lists else {})

    def _under(self, gateway: Mapping[str, Any]) -> dict[str, Any]:
        k8s = gateway.get("k8s") or {}
        rolling = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
        env = merge({"env": [_WAIT_FOR_CONNECTIONS]}, {"env": k8s.get("env") or []}, by_name=True)
        return {**gateway, "k8s": {**merge(rolling, k8s), **env, "overlays": self._overlays(gateway, k8s)}}

    def _overlays(self, gateway: Mapping[str, Any], k8s: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the operator API has no key for. Patches of the environment's own come later, so they win."""
        values: dict[str, Any] = {"spec.template.spec.terminationGracePeriodSeconds": self.grace_seconds}
        if self.load_balancer_delay_seconds:
            values["spec.minReadySeconds"] = min(_NEXT_PROBE_SECONDS, self.load_balancer_delay_seconds)
            sleep = {"preStop": {"sleep": {"seconds": self.load_balancer_delay_seconds}}}
            values["spec.template.spec.containers.[name:istio-proxy].lifecycle"] = sleep
        values["spec.template.spec.topologySpreadConstraints"] = _spread(gateway["name"])
        patches = [{"path": path, "value": value} for path, value in values.items()]
        own = {"apiVersion": "apps/v1", "kind": "Deployment", "name": gateway["name"], "patches": patches}
        return [own, *(k8s.get("overlays") or [])]


def _spread(name: str) -> list[dict[str, Any]]:
    """Over zones and nodes, each template's pods for themselves; a pod that finds no better place starts all the same.

    The charts give each gateway's pods this label, and no others.
    """
    selector = {"matchLabels": {"service.istio.io/canonical-name": name}}
    each = {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}
    return [{**each, "topologyKey": key, "matchLabelKeys": ["pod-template-hash"]} for key in _PLACES]

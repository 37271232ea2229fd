"""How gateways end is rendered below what an environment says of them itself, so that its figures fit one another."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.environments.gateway_ending import Gateways

PATHS = {
    "ready": "spec.minReadySeconds",
    "grace": "spec.template.spec.terminationGracePeriodSeconds",
    "lifecycle": "spec.template.spec.containers.[name:istio-proxy].lifecycle",
    "spread": "spec.template.spec.topologySpreadConstraints",
}
SPREAD = [
    {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"service.istio.io/canonical-name": "istio-gateway"}},
        "matchLabelKeys": ["pod-template-hash"],
    }
    for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
]


def rendered(keys: dict[str, str], k8s: dict[str, Any] | None = None, kind: str = "ingress") -> dict[str, Any]:
    """The `k8s` of the one gateway of an environment with these keys below `gateways`."""
    gateway = {"name": "istio-gateway", "enabled": True, **({"k8s": k8s} if k8s is not None else {})}
    operator = {"spec": {"profile": "default", "components": {f"{kind}Gateways": [gateway]}}}
    found = Gateways.model_validate(keys).under(operator)["spec"]["components"][f"{kind}Gateways"]
    assert [item["name"] for item in found] == ["istio-gateway"]
    result: dict[str, Any] = found[0]["k8s"]
    return result


def patches(k8s: dict[str, Any]) -> dict[str, Any]:
    return {patch["path"]: patch["value"] for patch in k8s["overlays"][0]["patches"]}


@pytest.mark.parametrize("kind", ["ingress", "egress"])
def test_the_figures_fit_one_another(kind: str) -> None:
    k8s = rendered({"longestRequest": "2m", "loadBalancerDelay": "15s"}, kind=kind)
    assert patches(k8s) == {
        PATHS["ready"]: 5,
        PATHS["grace"]: 135,
        PATHS["lifecycle"]: {"preStop": {"sleep": {"seconds": 15}}},
        PATHS["spread"]: SPREAD,
    }
    assert k8s["env"] == [{"name": "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "value": "true"}]
    assert k8s["strategy"] == {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_what_holds_where_nothing_is_said() -> None:
    assert patches(rendered({}))[PATHS["grace"]] == 85


def test_a_load_balancer_that_knows_at_once_needs_no_time() -> None:
    found = patches(rendered({"loadBalancerDelay": "0s"}))
    assert found == {PATHS["grace"]: 75, PATHS["spread"]: SPREAD}


def test_what_the_environment_says_itself_wins() -> None:
    own: dict[str, Any] = {
        "strategy": {"rollingUpdate": {"maxUnavailable": 1}},
        "env": [{"name": "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "value": "false"}, {"name": "OTHER", "value": "1"}],
        "overlays": [
            {"kind": "Deployment", "name": "istio-gateway", "patches": [{"path": PATHS["grace"], "value": 9}]}
        ],
        "resources": {"requests": {"cpu": "1"}},
    }
    k8s = rendered({}, own)
    assert k8s["strategy"] == {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    assert k8s["env"] == own["env"]
    assert k8s["overlays"][1:] == own["overlays"], "istioctl applies them in this order"
    assert k8s["resources"] == own["resources"]


def test_an_operator_without_gateways_is_left_alone() -> None:
    operator = {"spec": {"profile": "minimal"}}
    assert Gateways().under(operator) == operator

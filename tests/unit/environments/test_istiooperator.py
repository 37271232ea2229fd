"""The one IstioOperator: overlays checked and merged by name, and what the environment itself puts into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sohistio.environments.istiooperator import gateways_of, merge_operator, render_operator
from sohistio.environments.istiooperator_checks import check_operator
from sohistio.environments.yaml_files import Document, read_document
from sohistio.model.versions import Version

BASE = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: default
  components:
    pilot:
      k8s:
        env:
          - {name: A, value: "1"}
    ingressGateways:
      - name: istio-ingressgateway
        enabled: true
        k8s:
          serviceAnnotations: {service.beta.kubernetes.io/azure-load-balancer-internal: "true"}
          resources: {limits: {cpu: 1000m, memory: 1024Mi}}
    egressGateways:
      - name: istio-egressgateway
        enabled: true
"""


def document(tmp_path: Path, text: str, file: str = "qa/istiooperator.yaml") -> Document:
    path = tmp_path / file.replace("/", "-")
    path.write_text(text)
    return read_document(path, file, {})


def rendered(
    operator: dict[str, Any], address: str | None = "10.20.20.188", gateways_off: bool = False
) -> dict[str, Any]:
    return render_operator(
        operator,
        Version(1, 31, 1),
        hub="dtr.metlife.com/istio",
        pull_secret="jfrogauth",
        ingress_address=address,
        gateways_off=gateways_off,
    )


def test_gateways_merge_by_name_and_are_not_replaced(tmp_path: Path) -> None:
    overlay = """\
    spec:
      components:
        pilot: {k8s: {env: [{name: B, value: "2"}, {name: A, value: "3"}]}}
        ingressGateways:
          - name: extra
            enabled: true
            namespace: edge
          - name: istio-ingressgateway
            k8s: {resources: {limits: {cpu: 2000m}}}
        egressGateways:
          - name: istio-egressgateway
            enabled: false
    """
    base, over = document(tmp_path, BASE, "base"), document(tmp_path, overlay)
    assert check_operator(over, base) == []
    merged = merge_operator(base.data, over.data)
    components = merged["spec"]["components"]
    assert components["pilot"]["k8s"]["env"] == [{"name": "A", "value": "3"}, {"name": "B", "value": "2"}]
    assert [item["name"] for item in components["ingressGateways"]] == ["istio-ingressgateway", "extra"]
    assert components["ingressGateways"][0]["k8s"]["resources"] == {"limits": {"cpu": "2000m", "memory": "1024Mi"}}
    assert [(item.name, item.namespace, item.kind) for item in gateways_of(merged)] == [
        ("istio-ingressgateway", "istio-system", "ingress"),
        ("extra", "edge", "ingress"),
    ]


def test_the_environment_sets_hub_tag_pull_secret_and_address() -> None:
    base = yaml.safe_load(BASE)
    operator = rendered(base)
    assert operator["metadata"] == {"name": "sohistio", "namespace": "istio-system"}
    assert (operator["spec"]["hub"], operator["spec"]["tag"]) == ("dtr.metlife.com/istio", "1.31.1")
    assert operator["spec"]["values"]["global"] == {"imagePullSecrets": ["jfrogauth"]}
    ingress, egress = (operator["spec"]["components"][f"{kind}Gateways"][0] for kind in ("ingress", "egress"))
    assert ingress["k8s"]["serviceAnnotations"] == {
        "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
        "service.beta.kubernetes.io/azure-load-balancer-ipv4": "10.20.20.188",
    }
    assert "serviceAnnotations" not in egress["k8s"]
    assert "replicaCount" not in ingress["k8s"]
    assert base == yaml.safe_load(BASE)


def test_a_standby_has_gateways_of_0_replicas_whatever_its_files_say() -> None:
    base = merge_operator(
        yaml.safe_load(BASE),
        {"spec": {"components": {"egressGateways": [{"name": "istio-egressgateway", "k8s": {"replicaCount": 3}}]}}},
    )
    components = rendered(base, address=None, gateways_off=True)["spec"]["components"]
    assert [components[f"{kind}Gateways"][0]["k8s"]["replicaCount"] for kind in ("ingress", "egress")] == [0, 0]
    assert "replicaCount" not in components["pilot"]["k8s"]
    annotations = components["ingressGateways"][0]["k8s"]["serviceAnnotations"]
    assert annotations == {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}


def test_the_order_of_keys_is_fixed() -> None:
    def reversed_keys(value: Any) -> Any:
        return {key: reversed_keys(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    operator = rendered(yaml.safe_load(BASE))
    again = rendered(reversed_keys(yaml.safe_load(BASE)))
    assert yaml.dump(operator, sort_keys=False) == yaml.dump(again, sort_keys=False)
    assert list(operator) == ["apiVersion", "kind", "metadata", "spec"]
    assert list(operator["spec"]) == ["profile", "hub", "tag", "components", "values"]
    assert list(operator["spec"]["components"]["ingressGateways"][0]) == ["name", "enabled", "k8s"]


BAD_OVERLAYS = [
    ("kind: IstioOperater", ["1: kind: expected IstioOperator, got 'IstioOperater'"]),
    ("apiVersion: v1", ["1: apiVersion: expected install.istio.io/v1alpha1, got 'v1'"]),
    ("sepc: {}", ["1: sepc: unknown key; did you mean spec?"]),
    ("spec:", ["1: spec: expected keys and values"]),
    ("spec:\n  componets: {}", ["2: spec.componets: unknown key; did you mean components?"]),
    ("spec: {components: {pilott: {}}}", ["1: spec.components.pilott: unknown key; did you mean pilot?"]),
    ("spec: {components: {pilot: {k8: {}}}}", ["1: spec.components.pilot.k8: unknown key; did you mean k8s?"]),
    (
        "spec:\n  components:\n    ingressGateways:\n      - name: istio-ingressgateway\n        k8s:\n"
        "          resorces: {}",
        ["6: spec.components.ingressGateways[0].k8s.resorces: unknown key; did you mean resources?"],
    ),
    ("spec: {values: {globl: {}}}", ["1: spec.values.globl: unknown key; did you mean global?"]),
    ("spec: {hub: docker.io/istio}", ["1: spec.hub: is set by istio.hub in environment.yaml"]),
    ("spec:\n  tag: 1.30.0", ["2: spec.tag: is set by istio.version in environment.yaml"]),
    (
        "spec: {revision: canary}",
        ["1: spec.revision: is not supported: upgrades are done in place, in the default revision"],
    ),
    (
        "spec: {values: {global: {imagePullSecrets: [x]}}}",
        ["1: spec.values.global.imagePullSecrets: is set by istio.pullSecret in environment.yaml"],
    ),
    (
        "spec: {components: {ingressGateways: {enabled: false}}}",
        ["1: spec.components.ingressGateways: expected a list of gateways, each with a name"],
    ),
    (
        "spec: {components: {ingressGateways: null}}",
        ["1: spec.components.ingressGateways: expected a list of gateways, each with a name"],
    ),
    (
        "spec: {components: {egressGateways: [{name: istio-egressgateway, enabled: 'no', namespace: null}]}}",
        [
            "1: spec.components.egressGateways[0].namespace: expected the name of a namespace",
            "1: spec.components.egressGateways[0].enabled: expected true or false",
        ],
    ),
    (
        "spec: {components: {ingressGateways: [{enabled: false}]}}",
        ["1: spec.components.ingressGateways[0]: expected a gateway with a name"],
    ),
    (
        "spec:\n  components:\n    egressGateways:\n      - name: istio-egresgateway\n        k8s: {}",
        [
            "4: spec.components.egressGateways[0].name: unknown gateway; did you mean istio-egressgateway? "
            "(a new gateway needs `enabled: true`)"
        ],
    ),
    (
        "spec: {components: {egressGateways: [{name: istio-egressgateway}, {name: istio-egressgateway}]}}",
        ["1: spec.components.egressGateways[1]: the gateway istio-egressgateway is given twice"],
    ),
    ("metadata: {name: x}\nkid: x", [
        "1: metadata: is not set here: it is always in istio-system",
        "2: kid: unknown key; did you mean kind?",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD_OVERLAYS, ids=[text for text, _ in BAD_OVERLAYS])
def test_a_bad_overlay_is_told_with_file_line_and_key(tmp_path: Path, text: str, expected: list[str]) -> None:
    problems = check_operator(document(tmp_path, text), document(tmp_path, BASE, "base"))
    assert [str(problem) for problem in problems] == [f"qa/istiooperator.yaml:{line}" for line in expected]


@pytest.mark.parametrize(
    ("values", "component", "least"),
    [
        pytest.param({}, {}, 1, id="nothing"),
        pytest.param({"autoscaleMin": 3}, {}, 3, id="values"),
        pytest.param({"autoscaleMin": 3}, {"hpaSpec": {"minReplicas": 5}}, 5, id="the-component-wins"),
        pytest.param({"autoscaleMin": 3, "autoscaleEnabled": False}, {"replicaCount": 2}, 2, id="no-autoscaler"),
    ],
)
def test_the_least_pods_of_a_gateway(values: dict[str, Any], component: dict[str, Any], least: int) -> None:
    item = {"name": "edge", "k8s": component}
    spec = {"components": {"ingressGateways": [item]}, "values": {"gateways": {"istio-ingressgateway": values}}}
    (found,) = gateways_of({"spec": spec})
    assert found.least == least

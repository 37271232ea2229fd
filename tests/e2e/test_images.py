"""The images that a version needs, as the real istioctl says; no cluster is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from json_schemas import check
from own_environments import own_environments
from sandboxes import Sandbox

pytestmark = pytest.mark.e2e

INJECTED = ["injected pods", "injected gateways"]
GATEWAYS = [f"Deployment istio-system/istio-{kind}gateway" for kind in ("egress", "ingress")]


def listed(box: Sandbox, flags: tuple[str, ...]) -> dict[str, list[str]]:
    """Who uses which image."""
    done = box.run("images", "list", *flags, "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    return {item["target"]: item["usedBy"] for item in check(done.stdout, "ImageList")["images"]}


def with_operator(folder: Path, spec: dict[str, Any], **changes: Any) -> tuple[str, ...]:
    flags = own_environments(folder, **changes)
    overlay = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    Path(flags[-1], "local", "istiooperator.yaml").write_text(yaml.safe_dump(overlay))
    return flags


def test_a_mesh_of_sidecars(sandbox: Sandbox) -> None:
    assert listed(sandbox, ("--env", "local")) == {
        "docker.io/istio/pilot:1.31.1": ["Deployment istio-system/istiod"],
        "docker.io/istio/proxyv2:1.31.1": [*GATEWAYS, *INJECTED],
    }
    assert list(listed(sandbox, ("--env", "local", "--version", "1.30.5"))) == [
        "docker.io/istio/pilot:1.30.5",
        "docker.io/istio/proxyv2:1.30.5",
    ]


def test_what_watches_the_mesh_comes_through_the_hub(sandbox: Sandbox, tmp_path: Path) -> None:
    monitoring: dict[str, Any] = {"prometheus": {}, "grafana": {}, "kiali": {}, "jaeger": {}}
    monitoring["alerts"] = {"webhook": {"secret": "on-call"}}
    flags = own_environments(tmp_path, istio={"hub": "jfrog.example.com/istio"}, monitoring=monitoring)
    done = sandbox.run("images", "list", *flags, "--output", "json")
    images = check(done.stdout, "ImageList")["images"]
    of_parts = {
        item["target"]: item["source"] for item in images if "istiod" not in str(item) and "proxyv2" not in str(item)
    }
    assert of_parts == {
        "jfrog.example.com/istio/alertmanager:v0.31.1": "docker.io/prom/alertmanager:v0.31.1",
        "jfrog.example.com/istio/grafana:12.0.1": "docker.io/grafana/grafana:12.0.1",
        "jfrog.example.com/istio/jaeger:2.17.0": "docker.io/jaegertracing/jaeger:2.17.0",
        "jfrog.example.com/istio/kiali:v2.27.0": "quay.io/kiali/kiali:v2.27.0",
        "jfrog.example.com/istio/prometheus:v3.10.0": "docker.io/prom/prometheus:v3.10.0",
    }
    public = listed(sandbox, own_environments(tmp_path, monitoring={"prometheus": {}}))
    assert public["docker.io/prom/prometheus:v3.10.0"] == ["Deployment istio-system/prometheus"]


def test_cni_ambient_a_variant_and_a_hub_with_a_path(sandbox: Sandbox, tmp_path: Path) -> None:
    spec = {
        "components": {"cni": {"enabled": True}, "ztunnel": {"enabled": True}},
        "values": {"global": {"variant": "distroless"}, "ztunnel": {"variant": "distroless"}},
    }
    hub = "jfrog.example.com/docker-local/istio"
    found = listed(sandbox, with_operator(tmp_path, spec, istio={"hub": hub}))
    assert found == {
        f"{hub}/install-cni:1.31.1-distroless": ["DaemonSet istio-system/istio-cni-node"],
        f"{hub}/pilot:1.31.1-distroless": ["Deployment istio-system/istiod"],
        f"{hub}/proxyv2:1.31.1-distroless": [*GATEWAYS, *INJECTED],
        f"{hub}/ztunnel:1.31.1-distroless": ["DaemonSet istio-system/ztunnel"],
    }


def test_a_gateway_whose_image_the_injector_chooses(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its own annotation says another proxy, which is not in the hub."""
    annotations = {"sidecar.istio.io/proxyImage": "registry.example.com/own/proxy:7"}
    spec = {
        "components": {
            "ingressGateways": [{"name": "istio-ingressgateway", "k8s": {"podAnnotations": annotations}}],
        },
        "values": {"gateways": {"istio-ingressgateway": {"injectionTemplate": "gateway"}}},
    }
    flags = with_operator(tmp_path, spec)
    assert listed(sandbox, flags) == {
        "docker.io/istio/pilot:1.31.1": ["Deployment istio-system/istiod"],
        "docker.io/istio/proxyv2:1.31.1": [GATEWAYS[0], *INJECTED],
        "registry.example.com/own/proxy:7": [GATEWAYS[1]],
    }
    shown = sandbox.run("images", "list", *flags).stdout
    assert "not in the target, so never mirrored: registry.example.com/own/proxy:7" in shown
    rows = [line.split()[0] for line in shown.splitlines() if "not known" in line]
    assert rows == ["pilot:1.31.1", "proxyv2:1.31.1", "registry.example.com/own/proxy:7"], "in a pipe a row each"


def test_the_table_and_a_pin(sandbox: Sandbox, tmp_path: Path) -> None:
    flags = own_environments(tmp_path)
    digest = "sha256:" + "0123456789ab" + "c" * 52
    Path(flags[-1], "images.lock").write_text(f"{digest}  docker.io/istio/pilot:1.31.1\n")
    lines = sandbox.run("images", "list", *flags).stdout.splitlines()
    assert lines[:3] == ["local, Istio 1.31.1: 2 images", "source  docker.io/istio", "target  docker.io/istio"]
    assert [line.split()[0] for line in lines[4:7]] == ["image", "pilot:1.31.1", "proxyv2:1.31.1"]
    assert "sha256:0123456789ab  istiod" in lines[5]
    found = json.loads(sandbox.run("images", "list", *flags, "--output", "json").stdout)["images"]
    assert [item["digest"] for item in found] == [digest, None]


def test_a_name_that_no_runtime_takes(sandbox: Sandbox, tmp_path: Path) -> None:
    done = sandbox.run("images", "list", *with_operator(tmp_path, {"values": {"pilot": {"image": "example.com/A:1"}}}))
    assert done.returncode == 3
    assert "'example.com/A:1' is not the name of an image" in done.stderr

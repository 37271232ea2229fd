"""The versions of the gateways' proxies: what fails the verification, and what must not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer
from observed import HUB, istiod, mesh, sidecar, state
from sohistio.adapters.kubernetes.observe import observe
from sohistio.checks.mesh import Evidence, verify
from sohistio.checks.result import CheckResult, Result
from sohistio.model.desired import DesiredDeployment, DesiredMesh, desired_mesh
from sohistio.model.fault import Severity
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version

INGRESS = "istio-ingressgateway"
REF = ObjectRef("Deployment", "istio-system", INGRESS)
NEW, OLD = f"{HUB}/proxyv2:1.31.1", f"{HUB}/proxyv2:1.29.8"


def found(*images: str, wanted: str = NEW, minimum: int = 3, rolling: bool = False, **more: Any) -> list[CheckResult]:
    """The check's results for a gateway whose pods run these images, where the manifest has the one `wanted`."""
    gateway = replace(mesh(INGRESS), proxy_images=images, rolling=rolling)
    seen = state(**({"mesh_deployments": (gateway,)} | more))
    item = DesiredDeployment(REF, "gateway", minimum, "2", proxy_image=wanted)
    desired = DesiredMesh(Version(1, 31, 1), "", (item,), (), sidecar())
    return [result for result in verify(Evidence(seen, desired, ())) if result.name == "gateway-proxies"]


@pytest.mark.parametrize(
    ("images", "hint"),
    [
        pytest.param((OLD,), "`sohistio install`", id="old"),
        pytest.param((NEW, OLD), "`sohistio install`", id="some-old"),
        pytest.param((f"{HUB}/proxyv2:1.29.8-distroless@sha256:{'0' * 64}",), "`sohistio install`", id="a-variant"),
    ],
)
def test_a_gateway_that_an_interrupted_replace_left_behind(images: tuple[str, ...], hint: str) -> None:
    (result,) = found(*images)
    assert result.breaks
    assert result.message == f"{INGRESS} runs proxies of 1.29.8, istiod is 1.31.1"
    assert hint in result.hint


def test_one_whose_image_the_injector_chooses_is_restarted() -> None:
    (result,) = found(OLD, wanted="")
    assert (result.breaks, result.hint) == (
        True,
        f"kubectl -n istio-system rollout restart deployment {INGRESS}",
    )


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        pytest.param((NEW,), NEW, id="as-wanted"),
        pytest.param((f"{HUB}/proxyv2:1.31.1-distroless",), NEW, id="a-variant"),
        pytest.param((f"mirror.example.com:5000/proxyv2:1.31.1@sha256:{'0' * 64}",), NEW, id="rewritten"),
        pytest.param((OLD,), OLD, id="the-environment's-own-version"),
        pytest.param((NEW,), "", id="the-injector's"),
    ],
)
def test_what_passes(images: tuple[str, ...], wanted: str) -> None:
    (result,) = found(*images, wanted=wanted)
    assert result.result is Result.PASSED


@pytest.mark.parametrize(
    ("images", "more"),
    [
        pytest.param(("example.com/edge:stable",), {"wanted": "example.com/edge:stable"}, id="no-version-in-its-tag"),
        pytest.param((OLD,), {"wanted": "example.com/edge:stable"}, id="nor-in-the-manifest's"),
        pytest.param((f"example.com/edge@sha256:{'0' * 64}",), {}, id="a-digest-alone"),
        pytest.param((), {"minimum": 0}, id="a-standby"),
        pytest.param((OLD,), {"minimum": 0}, id="a-standby-on-its-way-out"),
        pytest.param((), {}, id="no-pod-yet"),
        pytest.param((OLD,), {"mesh_deployments": ()}, id="no-gateway"),
        pytest.param((OLD,), {"istiods": ()}, id="no-istiod"),
    ],
)
def test_what_says_nothing(images: tuple[str, ...], more: dict[str, Any]) -> None:
    assert found(*images, **more) == []


def test_a_rollout_under_way_is_a_warning() -> None:
    (result,) = found(NEW, OLD, rolling=True)
    assert (result.severity, result.breaks) == (Severity.WARNING, False)
    assert "its rollout is under way" in result.message


def test_it_is_the_control_planes_version_that_counts() -> None:
    """Not the environment's: that istiod is older than that is said by a check of its own."""
    (result,) = found(f"{HUB}/proxyv2:1.30.5", istiods=(istiod("1.30.5"),))
    assert result.result is Result.PASSED


def manifest(image: str) -> dict[str, Any]:
    """A gateway's Deployment."""
    labels = {"app": INGRESS, "operator.istio.io/component": "IngressGateways"}
    return {
        "kind": "Deployment",
        "metadata": {"name": INGRESS, "namespace": "istio-system", "uid": "1", "labels": labels, "generation": 2},
        "spec": {
            "replicas": 2,
            "template": {"metadata": {}, "spec": {"containers": [{"name": "istio-proxy", "image": image}]}},
        },
    }


def pod(name: str, image: str, **metadata: str) -> dict[str, Any]:
    owner = {"uid": "2", "kind": "ReplicaSet", "name": "gateway-1", "controller": True}
    return {
        "metadata": {"name": name, "namespace": "istio-system", "ownerReferences": [owner], **metadata},
        "spec": {"containers": [{"name": "istio-proxy", "image": image}]},
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(("seen", "rolling"), [(2, False), (1, True)])
def test_what_the_cluster_shows_of_a_gateway(tmp_path: Path, seen: int, rolling: bool) -> None:
    """Its running pods' images, without those that are going."""
    status = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "observedGeneration": seen}
    owner = {"uid": "1", "kind": "Deployment", "name": "gateway", "controller": True}
    replica_set = {"name": "gateway-1", "uid": "2", "namespace": "istio-system", "ownerReferences": [owner]}
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    with ApiServer() as server:
        server.shows(
            deployments=[manifest(NEW) | {"status": status}],
            replicasets=[{"metadata": replica_set}],
            pods=[pod("a", NEW), pod("b", NEW), pod("c", OLD, **going)],
        )
        (gateway,) = observe(server.api(tmp_path)).mesh_deployments
    assert (gateway.proxy_images, gateway.rolling) == ((NEW,), rolling)


@pytest.mark.parametrize(("image", "wanted"), [(NEW, NEW), ("auto", "")])
def test_what_the_manifest_wants_of_a_gateway(image: str, wanted: str) -> None:
    (gateway,) = desired_mesh([manifest(image)], Version(1, 31, 1), "").gateways
    assert gateway.proxy_image == wanted

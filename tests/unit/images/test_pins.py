"""The values that make the charts render name:tag@digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sohistio.errors import ExitCode, RefusedError
from sohistio.images.pins import pinned_values
from sohistio.model.image import Image

HUB = "dtr.example.com/istio"
PLACES = ("docker.io/istio", HUB)
ONE, TWO, OWN = (f"sha256:{digit * 64}" for digit in "123")
PINS = {
    Image.parse("docker.io/istio/pilot:1.31.1"): ONE,
    Image.parse("docker.io/istio/proxyv2:1.31.1"): TWO,
    Image.parse("docker.io/istio/install-cni:1.31.1"): ONE,
    Image.parse("docker.io/istio/ztunnel:1.31.1"): TWO,
    Image.parse("registry.example.com/own/pilot:7"): OWN,
}
PILOT, PROXY = f"{HUB}/pilot:1.31.1", f"{HUB}/proxyv2:1.31.1"


def item(name: str, **images: str) -> dict[str, Any]:
    containers = [{"name": key.replace("_", "-"), "image": image} for key, image in images.items()]
    spec = {"containers": containers}
    kind, pods = ("Pod", spec) if name.startswith("sohistio-sample") else ("Deployment", {"template": {"spec": spec}})
    return {"kind": kind, "metadata": {"name": name}, "spec": pods}


def sample(**images: str) -> dict[str, Any]:
    return item("sohistio-sample-pod", application="auto", **images)


MESH = (item("istiod", discovery=PILOT), sample(istio_proxy=PROXY, istio_init=PROXY))


@pytest.mark.parametrize(
    ("objects", "values"),
    [
        pytest.param(
            (*MESH, item("istio-ingressgateway", istio_proxy=PROXY)),
            {"pilot": f"{PILOT}@{ONE}", "global.proxy": f"{PROXY}@{TWO}", "global.proxy_init": f"{PROXY}@{TWO}"},
            id="sidecars",
        ),
        pytest.param(
            (
                *MESH[:1],
                item("istio-cni-node", install_cni=f"{HUB}/install-cni:1.31.1"),
                item("ztunnel", istio_proxy=f"{HUB}/ztunnel:1.31.1"),
                sample(istio_validation=PROXY, istio_proxy=PROXY),
            ),
            {
                "pilot": f"{PILOT}@{ONE}",
                "cni": f"{HUB}/install-cni:1.31.1@{ONE}",
                "ztunnel": f"{HUB}/ztunnel:1.31.1@{TWO}",
                "global.proxy": f"{PROXY}@{TWO}",
                "global.proxy_init": f"{PROXY}@{TWO}",
            },
            id="cni-and-ambient",
        ),
        pytest.param(
            (sample(istio_proxy=PROXY),),
            {"global.proxy": f"{PROXY}@{TWO}", "global.proxy_init": f"{PROXY}@{TWO}"},
            id="a-pod-may-ask-for-the-init-container-that-the-mesh-does-not-have",
        ),
        pytest.param(
            (item("istiod", discovery="registry.example.com/own/pilot:7"),),
            {"pilot": f"registry.example.com/own/pilot:7@{OWN}"},
            id="not-of-the-hub-pinned-by-itself",
        ),
        pytest.param(
            (item("istiod", discovery=f"{PILOT}@{OWN}"), item("edge", istio_proxy=f"{HUB}/own@{OWN}", app="auto")),
            {"pilot": f"{PILOT}@{OWN}"},
            id="a-digest-of-the-environments-own-stays",
        ),
        pytest.param((item("other", main=""),), {}, id="nothing"),
    ],
)
def test_each_value(objects: tuple[dict[str, Any], ...], values: Mapping[str, str]) -> None:
    found = pinned_values(objects, PINS, PLACES, "")
    flat = {"pilot": found.get("pilot"), "cni": found.get("cni"), "ztunnel": found.get("ztunnel")} | {
        f"global.{name}": part for name, part in found.get("global", {}).items()
    }
    assert {name: part["image"] for name, part in flat.items() if part} == values


@pytest.mark.parametrize(
    ("objects", "what", "details"),
    [
        pytest.param(
            (item("istiod", discovery=f"{HUB}/pilot:1.30.5"),),
            f"istio.pinDigests is on and images.lock has no digest for {HUB}/pilot:1.30.5",
            (),
            id="one",
        ),
        pytest.param(
            (item("istiod", discovery=f"{HUB}/pilot:1"), sample(istio_proxy=f"{HUB}/proxyv2:1-distroless")),
            "istio.pinDigests is on and images.lock has no digest for these",
            (f"{HUB}/pilot:1", f"{HUB}/proxyv2:1-distroless"),
            id="two",
        ),
        pytest.param(
            (*MESH, item("edge", istio_proxy=f"{HUB}/proxyv2:1.30.5")),
            "istio.pinDigests cannot pin an image that a gateway or a pod template has by itself",
            (f"{HUB}/proxyv2:1.30.5",),
            id="a-gateway-with-a-tag-of-its-own",
        ),
    ],
)
def test_what_cannot_be_pinned_is_named(
    objects: tuple[dict[str, Any], ...], what: str, details: tuple[str, ...]
) -> None:
    with pytest.raises(RefusedError) as caught:
        pinned_values(objects, PINS, PLACES, "Mirror it.")
    assert (caught.value.what, caught.value.details, caught.value.exit_code) == (what, details, ExitCode.REFUSED)
    assert caught.value.todo

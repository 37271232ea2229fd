"""Which images a manifest and its injector need, and who uses each."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.errors import UsageError
from sohistio.images.needed import containers_of, needed_of, to_inject

HUB = "dtr.example.com/istio"


def workload(kind: str, name: str, *images: str, inits: tuple[str, ...] = ()) -> dict[str, Any]:
    spec = {
        "initContainers": [{"name": f"init-{number}", "image": image} for number, image in enumerate(inits)],
        "containers": [{"name": f"main-{number}", "image": image} for number, image in enumerate(images)],
    }
    pods: dict[str, Any] = {"template": {"metadata": {}, "spec": spec}}
    if kind == "Pod":
        pods = spec
    elif kind == "CronJob":
        pods = {"jobTemplate": {"spec": pods}}
    return {"kind": kind, "metadata": {"name": name, "namespace": "istio-system"}, "spec": pods}


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob", "Pod"])
def test_every_kind_with_pods(kind: str) -> None:
    found = needed_of([workload(kind, "one", f"{HUB}/pilot:1.31.1", inits=(f"{HUB}/proxyv2:1.31.1",))])
    assert [(str(item.image), item.used_by) for item in found] == [
        (f"{HUB}/pilot:1.31.1", (f"{kind} istio-system/one",)),
        (f"{HUB}/proxyv2:1.31.1", (f"{kind} istio-system/one",)),
    ]


def test_an_image_is_listed_once_with_all_its_users() -> None:
    proxy = f"{HUB}/proxyv2:1.31.1-distroless"
    pod, gateway = to_inject([])[:2]
    pod = {**pod, "spec": {"containers": [{"name": "application", "image": "auto"}, {"name": "p", "image": proxy}]}}
    gateway = {**gateway, "spec": {"containers": [{"name": "istio-proxy", "image": proxy}]}}
    found = needed_of([workload("Deployment", "edge", proxy, proxy), pod, gateway])
    assert [(str(item.image), item.used_by) for item in found] == [
        (proxy, ("Deployment istio-system/edge", "injected pods", "injected gateways"))
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"kind": "ConfigMap", "metadata": {"name": "istio"}, "data": {"mesh": "image: no/image:1"}},
        {"kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {"versions": [{"schema": {}}]}},
        {"kind": "Service", "metadata": {"name": "x"}, "spec": {"template": None}},
        workload("Deployment", "left-to-the-injector", "auto"),
        workload("Deployment", "without-image", ""),
    ],
    ids=lambda item: str(item["metadata"]["name"]),
)
def test_what_needs_no_image(item: dict[str, Any]) -> None:
    assert needed_of([item]) == ()


def test_the_injector_is_asked_about_samples_and_about_what_is_left_to_it() -> None:
    left, own = workload("Deployment", "edge", "auto"), workload("Deployment", "istiod", f"{HUB}/pilot:1")
    asked = to_inject([left, own])
    assert [item["metadata"]["name"] for item in asked] == ["sohistio-sample-pod", "sohistio-sample-gateway", "edge"]
    assert [list(containers_of(item)) for item in asked[:2]] == [[("application", "auto")], [("istio-proxy", "auto")]]


def test_a_name_that_is_none() -> None:
    with pytest.raises(UsageError, match="is not the name of an image"):
        needed_of([workload("Deployment", "istiod", "Dtr.example.com/IStio/pilot:1")])

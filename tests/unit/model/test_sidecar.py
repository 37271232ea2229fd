"""The image of a new sidecar, and whether a pod's is that one, with digests and without."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sohistio.model.sidecar import Injector, SidecarTemplate, is_same_image

HUB = "dtr.example.com/istio"
TAGGED = f"{HUB}/proxyv2:1.31.1"
ONE, TWO = (f"@sha256:{digit * 64}" for digit in "12")
BY_TAG = SidecarTemplate(HUB, "1.31.1", variant="debug")
PINNED = SidecarTemplate(HUB, "1.31.1", TAGGED + ONE, "debug")
IMAGE, TYPE = "sidecar.istio.io/proxyImage", "sidecar.istio.io/proxyImageType"


@pytest.mark.parametrize(
    ("template", "annotations", "image"),
    [
        pytest.param(BY_TAG, {}, f"{TAGGED}-debug", id="by-tag"),
        pytest.param(BY_TAG, {TYPE: "distroless"}, f"{TAGGED}-distroless", id="a-variant"),
        pytest.param(PINNED, {}, TAGGED + ONE, id="pinned"),
        pytest.param(PINNED, {TYPE: "distroless"}, TAGGED + ONE, id="a-pin-leaves-no-variant"),
        pytest.param(PINNED, {IMAGE: "own.example.com/proxy:7"}, "own.example.com/proxy:7", id="a-pods-own"),
    ],
)
def test_the_image_of_a_new_pod(template: SidecarTemplate, annotations: dict[str, str], image: str) -> None:
    assert template.image_for(annotations) == image


@pytest.mark.parametrize(
    ("image", "expected", "same"),
    [
        pytest.param(TAGGED, TAGGED, True, id="by-tag"),
        pytest.param(TAGGED + ONE, TAGGED + ONE, True, id="pinned"),
        pytest.param(TAGGED, TAGGED + ONE, False, id="switched-on-the-pod-may-have-anything"),
        pytest.param(TAGGED + ONE, TAGGED, True, id="switched-off-the-pod-has-that-tag"),
        pytest.param(TAGGED + ONE, TAGGED + TWO, False, id="another-pin"),
        pytest.param(f"{HUB}/proxyv2:1.30.5{ONE}", TAGGED + ONE, False, id="another-tag"),
    ],
)
def test_whether_it_is_the_one(image: str, expected: str, same: bool) -> None:
    assert is_same_image(image, expected) is same


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_the_template_of_a_pinned_mesh() -> None:
    values = {"global": {"hub": HUB, "tag": "1.31.1", "proxy": {"image": TAGGED + ONE}}}
    injector = config_map("istio-sidecar-injector", values=json.dumps(values))
    found = SidecarTemplate.from_injector(injector)
    assert found is not None
    assert found.image_for({}) == TAGGED + ONE


@pytest.mark.parametrize(
    "values", ["[" * 100_000, "5", '{"global": 5}', '{"global": {"hub": "h", "tag": "t", "proxy": 5}}']
)
def test_an_injector_that_is_none(values: str) -> None:
    assert SidecarTemplate.from_injector(config_map("istio-sidecar-injector", values=values)) is None


def test_an_injector_in_a_manifest() -> None:
    maps = [
        config_map("istio-sidecar-injector", config="c", values="v"),
        config_map("istio", mesh="m"),
        {"kind": "Service", "metadata": {"name": "istio"}},
    ]
    assert Injector.from_manifest(maps) == Injector("c", "v", "m")
    assert Injector.from_manifest(maps[:1]) is Injector.from_manifest([]) is None

"""Where an image is published, and the same in a hub."""

from __future__ import annotations

import pytest

from sohistio.images.targets import source_of
from sohistio.model.image import PUBLISHED, Image

DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    ("hub", "target", "source"),
    [
        ("dtr.example.com/istio", "dtr.example.com/istio/pilot:1.31.1", "docker.io/istio/pilot:1.31.1"),
        ("dtr.example.com", "dtr.example.com/pilot:1.31.1", "docker.io/istio/pilot:1.31.1"),
        (
            "jfrog.example.com/docker-local/istio",
            f"jfrog.example.com/docker-local/istio/proxyv2:1-distroless@{DIGEST}",
            f"docker.io/istio/proxyv2:1-distroless@{DIGEST}",
        ),
        ("127.0.0.1:5000/istio", "127.0.0.1:5000/istio/pilot:1", "docker.io/istio/pilot:1"),
        ("docker.io/istio", "docker.io/istio/pilot:1", "docker.io/istio/pilot:1"),
        ("index.docker.io/istio", "docker.io/istio/pilot:1", "docker.io/istio/pilot:1"),
        ("istio", "docker.io/istio/pilot:1", "docker.io/istio/pilot:1"),
    ],
)
def test_one_names_the_other(hub: str, target: str, source: str) -> None:
    assert source_of(Image.parse(target), hub) == Image.parse(source)
    assert source_of(Image.parse(source), PUBLISHED, hub) == Image.parse(target)


@pytest.mark.parametrize(
    ("hub", "image"),
    [
        ("dtr.example.com/istio", "dtr.example.com/istio-own/pilot:1"),
        ("dtr.example.com/istio", "other.example.com/istio/pilot:1"),
        ("dtr.example.com/istio", "busybox:1.28"),
    ],
)
def test_what_is_not_of_the_hub_has_no_source(hub: str, image: str) -> None:
    assert source_of(Image.parse(image), hub) is None

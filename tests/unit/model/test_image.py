"""The name of an image."""

from __future__ import annotations

import pytest

from sohistio.errors import UsageError
from sohistio.model.image import Image, brief, tag_of

_DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("pilot", "docker.io/library/pilot:latest"),
        ("istio/pilot:1.31.1", "docker.io/istio/pilot:1.31.1"),
        ("index.docker.io/istio/pilot:1.31.1", "docker.io/istio/pilot:1.31.1"),
        ("dtr.example.com/istio/pilot:1.31.1-distroless", "dtr.example.com/istio/pilot:1.31.1-distroless"),
        ("localhost/pilot:1", "localhost/pilot:1"),
        ("127.0.0.1:5000/repo/istio/pilot:1", "127.0.0.1:5000/repo/istio/pilot:1"),
        (f"host:5000/a@{_DIGEST}", f"host:5000/a@{_DIGEST}"),
        (f"host.a/b/c:1.2@{_DIGEST}", f"host.a/b/c:1.2@{_DIGEST}"),
    ],
)
def test_names_are_read_as_a_container_runtime_reads_them(text: str, whole: str) -> None:
    assert str(Image.parse(text)) == whole
    assert Image.parse(whole) == Image.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "a b:1",
        "Istio/pilot:1",
        "host.a/",
        "host.a//b:1",
        "a:",
        "a:-1",
        "a@",
        "a@sha256:12",
        "a@md5:" + "0" * 32,
        "../a:1",
        "host.a/../b:1",
        "https://host.a/b:1",
        "a:1:2",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not the name of an image"):
        Image.parse(text)


def test_parts() -> None:
    image = Image.parse("host.a/repo/istio/pilot:1")
    assert (image.repository, image.name) == ("host.a/repo/istio/pilot", "pilot")
    assert str(image.pinned(_DIGEST)) == f"host.a/repo/istio/pilot:1@{_DIGEST}"
    assert image.pinned(_DIGEST).by_tag == image


def test_a_digest_is_shown_as_its_beginning() -> None:
    long, other = f"host/a/b:1.2@{_DIGEST}", "host/a/b:1.2"
    assert brief(f"{long} and {other}") == f"host/a/b:1.2@sha256:{'a1' * 6} and {other}"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("host:5000/istio/pilot:1.31.1", "1.31.1"),
        (f"host:5000/istio/pilot:1.31.1-distroless@{_DIGEST}", "1.31.1-distroless"),
        (f"host:5000/istio/pilot@{_DIGEST}", ""),
        ("host:5000/istio/pilot", ""),
        ("pilot:latest", "latest"),
        ("", ""),
    ],
)
def test_the_tag_in_any_text(text: str, tag: str) -> None:
    assert tag_of(text) == tag

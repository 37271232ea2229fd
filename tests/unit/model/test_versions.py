"""Versions: what is one, and how far apart two are."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sohistio.errors import UsageError
from sohistio.model.versions import Version


@pytest.mark.parametrize("text", ["1.31.1", "1.31.0-rc.1", "1.9.10"])
def test_a_version_reads_and_prints(text: str) -> None:
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.31",
        "v1.31.1",
        "latest",
        "1.31.1 ",
        "1.31.x",
        "1.31.1/../x",
        "\uff11.2.3",
        "01.31.1",
        "1.031.1",
        "1.31.01",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an Istio version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("1.31.1", Version(1, 31, 1)),
        ("1.31.1-distroless", Version(1, 31, 1)),
        ("1.31.1-debug", Version(1, 31, 1)),
        ("1.31.1-company.7", Version(1, 31, 1)),
        ("1.32.0-beta.1", Version(1, 32, 0, "beta.1")),
        ("1.32.0-beta.1-distroless", Version(1, 32, 0, "beta.1")),
        ("1.32.0-rc.0", Version(1, 32, 0, "rc.0")),
        ("1.32.0-alpha.2d3f0ab", Version(1, 32, 0, "alpha.2d3f0ab")),
        ("latest", None),
        ("", None),
    ],
)
def test_a_version_in_an_image_tag(tag: str, expected: Version | None) -> None:
    assert Version.from_tag(tag) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("dtr.example.com/istio/pilot:1.31.1", Version(1, 31, 1)),
        (f"dtr.example.com/istio/pilot:1.31.1@sha256:{'0' * 64}", Version(1, 31, 1)),
        (f"host:5000/proxyv2:1.31.1-distroless@sha256:{'0' * 64}", Version(1, 31, 1)),
        (f"host:5000/proxyv2@sha256:{'0' * 64}", None),
        ("host:5000/proxyv2", None),
    ],
)
def test_a_version_in_the_name_of_an_image(image: str, expected: Version | None) -> None:
    assert Version.from_image(image) == expected


@pytest.mark.parametrize(
    ("newer", "older", "ahead"),
    [("1.31.1", "1.30.5", 1), ("1.31.1", "1.31.0", 0), ("1.29.8", "1.31.1", -2), ("2.0.0", "1.31.1", 969)],
)
def test_how_many_minors_apart(newer: str, older: str, ahead: int) -> None:
    assert Version.parse(newer).minors_ahead_of(Version.parse(older)) == ahead


def test_versions_sort_as_semantic_versioning_has_it() -> None:
    lower = ["1.9.10", "1.10.0", "1.31.1", "1.32.0-alpha", "1.32.0-alpha.1", "1.32.0-alpha.beta", "1.32.0-beta"]
    higher = ["1.32.0-beta.2", "1.32.0-beta.11", "1.32.0-rc.0", "1.32.0-rc.1", "1.32.0", "1.32.1-rc.0", "1.32.1"]
    rising = [*lower, *higher]
    versions = [Version.parse(text) for text in rising]
    assert [str(version) for version in sorted(set(versions))] == rising
    assert all(older < newer and newer > older and older != newer for older, newer in pairwise(versions))

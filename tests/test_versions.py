"""Versions: what is one, and how far apart two are."""

from __future__ import annotations

import pytest

from sohistio.errors import UsageError
from sohistio.versions import Version


@pytest.mark.parametrize("text", ["1.31.1", "1.31.0-rc.1", "1.9.10"])
def test_a_version_reads_and_prints(text: str) -> None:
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "1", "1.31", "v1.31.1", "latest", "1.31.1 ", "1.31.x", "1.31.1/../x", "\uff11.2.3"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an Istio version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("1.31.1", Version(1, 31, 1)), ("1.31.1-distroless", Version(1, 31, 1)), ("latest", None), ("", None)],
)
def test_a_version_in_an_image_tag(tag: str, expected: Version | None) -> None:
    assert Version.from_tag(tag) == expected


@pytest.mark.parametrize(
    ("newer", "older", "ahead"),
    [("1.31.1", "1.30.5", 1), ("1.31.1", "1.31.0", 0), ("1.29.8", "1.31.1", -2), ("2.0.0", "1.31.1", 969)],
)
def test_how_many_minors_apart(newer: str, older: str, ahead: int) -> None:
    assert Version.parse(newer).minors_ahead_of(Version.parse(older)) == ahead


def test_versions_sort_by_number() -> None:
    assert Version.parse("1.9.10") < Version.parse("1.10.0")

"""Versions: one order for all of them, and what anybody writes as a tag or a version is one or none."""

from __future__ import annotations

import functools
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sohistio.errors import UsageError
from sohistio.model.image import tag_of
from sohistio.model.versions import Version

_PARTS = st.sampled_from(["alpha", "beta", "rc", "0", "1", "2", "10", "x-1", "01"])
VERSIONS = st.builds(
    Version, st.integers(1, 2), st.integers(9, 11), st.integers(0, 1), st.lists(_PARTS, max_size=3).map(".".join)
)
_TEXTS = st.one_of(
    st.text(),
    st.builds("{}{}{}".format, VERSIONS, st.sampled_from(["", "-", "@sha256:", "+", "\n"]), st.text(max_size=4)),
    st.integers(120, 5_000).map(lambda digits: f"1.31.1-rc.{'9' * digits}"),
)


def precedes(one: str, other: str) -> bool:
    """Semantic Versioning 2.0.0, item 11, said once more: numbers by number, below words; more parts are more."""
    for a, b in zip(one.split("."), other.split("."), strict=False):
        if a != b:
            if a.isdecimal() and b.isdecimal() and int(a) != int(b):
                return int(a) < int(b)
            if a.isdecimal() != b.isdecimal():
                return a.isdecimal()
            if not a.isdecimal():
                return a < b
    return len(one.split(".")) < len(other.split("."))


@given(VERSIONS, VERSIONS)
def test_the_order_is_that_of_semantic_versioning(one: Version, other: Version) -> None:
    numbers, others = ((v.major, v.minor, v.patch) for v in (one, other))
    if numbers != others:
        assert (one < other) is (numbers < others)
    elif one.suffix and other.suffix:
        assert (one < other) is precedes(one.suffix, other.suffix)
    else:
        assert (one < other) is (bool(one.suffix) and not other.suffix), "a release is above its pre-releases"


@given(st.lists(VERSIONS, max_size=8))
def test_sorting_is_the_same_from_wherever_it_begins(versions: list[Version]) -> None:
    found = sorted(versions)
    assert all(not later < earlier for earlier, later in pairwise(found))
    turned = versions[::-1]
    releases, again = ([v for v in items if not v.suffix] for items in (found, sorted(turned)))
    assert releases == again
    if found:
        assert functools.reduce(lambda a, b: b if a < b else a, versions) >= found[0]


@given(VERSIONS)
def test_a_version_is_read_as_it_is_written(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(_TEXTS)
@example(f"1.31.1-rc.{'9' * 5_000}")
def test_what_anybody_writes_is_a_version_or_none(text: str) -> None:
    found = [
        Version.from_tag(text),
        Version.from_image(f"docker.io/istio/pilot:{text}"),
        Version.from_tag(tag_of(text)),
    ]
    try:
        found.append(Version.parse(text))
    except UsageError as error:
        assert error.todo  # noqa: PT017 - it may be one as well
    for version in filter(None, found):
        assert (version < Version(1, 31, 1)) in (True, False)
        assert (version < Version(version.major, version.minor, version.patch, "rc.1")) in (True, False)


def test_a_tag_is_never_longer() -> None:
    with pytest.raises(UsageError, match="is not an Istio version"):
        Version.parse(f"1.31.1-rc.{'9' * 126}")

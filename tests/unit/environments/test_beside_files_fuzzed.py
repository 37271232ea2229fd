"""The files beside environments: a person's defaults and the locks: read, or refused with the line; never written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from damage import damaged_bytes, nothing_written
from sohistio.adapters.releases.lock import read_lock
from sohistio.environments.images_lock import read_images_lock
from sohistio.environments.user_defaults import user_defaults
from sohistio.errors import UsageError
from sohistio.system.paths import expanded

DEFAULTS = b"env: qa\nenvironments: ~/mesh\nauth: auto\noutput: json\ntimeout: 20m\ncomponentTimeout: 5m\n"
ISTIOCTL = b"# reviewed\n" + b"0123456789abcdef" * 4 + b"  istioctl-1.31.1-linux-amd64.tar.gz\n"
IMAGES = b"# pins\nsha256:" + b"0123456789abcdef" * 4 + b"  docker.io/istio/pilot:1.31.1\n"
HOMES = (b"~nobody-here/x", b"~", b"~/", b"~\n")


def read(path: Path, content: bytes, reads: Any) -> bool:
    """Whether it was understood; a refusal names the file."""
    path.write_bytes(content)
    path.chmod(0o600)
    with nothing_written(path.parent):
        try:
            reads(path)
        except UsageError as error:
            said = "\n".join((error.what, *error.details))
        else:
            return True
    assert str(path) in said
    return False


@pytest.mark.parametrize(
    ("content", "reads"),
    [
        (DEFAULTS, lambda path: user_defaults(path, {})),
        (ISTIOCTL, read_lock),
        (IMAGES, read_images_lock),
    ],
    ids=["defaults", "istioctl", "images"],
)
def test_what_is_damaged_was_good(tmp_path: Path, content: bytes, reads: Any) -> None:
    assert read(tmp_path / "file", content, reads)


@settings(max_examples=80)
@given(st.one_of(damaged_bytes(DEFAULTS), damaged_bytes(DEFAULTS, HOMES)))
@example(b"environments: ~nobody-here/x\n")
def test_a_persons_defaults(tmp_path: Path, content: bytes) -> None:
    read(tmp_path / "config.yaml", content, lambda path: user_defaults(path, {"A": "x"}))


@settings(max_examples=80)
@given(damaged_bytes(ISTIOCTL))
@example(ISTIOCTL.replace(b"1.31.1", b"1.31.1.2"))
@example(ISTIOCTL.replace(b"1.31.1", b"001.31.1"))
@example(ISTIOCTL.replace(b"1.31.1", "\u0661.31.1".encode()))
def test_the_pins_of_istioctl(tmp_path: Path, content: bytes) -> None:
    """Nothing of a damaged line is a pin of another version."""
    if read(tmp_path / "istioctl.lock", content, read_lock):
        for (version, platform), digest in read_lock(tmp_path / "istioctl.lock").items():
            assert f"{digest}  {platform.archive(version)}" in content.decode().replace(" *", "  ")


@settings(max_examples=80)
@given(damaged_bytes(IMAGES))
def test_the_pins_of_images(tmp_path: Path, content: bytes) -> None:
    read(tmp_path / "images.lock", content, read_images_lock)


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("~nobody-here/x")
@example("~")
def test_whatever_a_person_writes_is_a_path(text: str) -> None:
    assert isinstance(expanded(text), Path)

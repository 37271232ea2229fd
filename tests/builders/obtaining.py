"""Obtaining istioctl from a test's mirror, and what a refusal must be like."""

from __future__ import annotations

from pathlib import Path

import pytest

from sohistio.adapters.releases.downloads import Patience
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.errors import ExitCode, RefusedError, SohistioError
from sohistio.istioctl import Istioctl
from sohistio.model.versions import Version

VERSION = Version.parse("1.31.1")
QUICK = Patience(attempts=3, first_wait=0.01, longest_wait=0.3, connect=5, silence=5, total=20)


def obtain(cache: Path, url: str, *, lock: Path | None = None, explicit: Path | None = None) -> Istioctl:
    source = IstioctlSource(cache, Mirror.parse(url), lock, explicit, QUICK)
    return obtain_istioctl(VERSION, source, lambda _: None)


def refusal(cache: Path, url: str, *, lock: Path | None = None) -> str:
    """What the refusal says in all its parts; a refusal leaves nothing in the cache but the lock."""
    with pytest.raises(RefusedError) as caught:
        obtain(cache, url, lock=lock)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert "Nothing was changed on the cluster" in caught.value.todo
    assert files(cache) == []
    return said(caught.value)


def said(error: SohistioError) -> str:
    return "\n".join((error.what, *error.details, error.todo))


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.name != ".lock")

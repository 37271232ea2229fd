"""What istioctl renders before anybody asks: once, never fetched for, and its error is seen by who asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from obtaining import VERSION
from release_mirror import ReleaseMirror, tar_gz
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource
from sohistio.errors import RefusedError
from sohistio.planning.istioctls import Istioctls

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"


def program(log: Path, printed: str) -> bytes:
    """An istioctl that notes each manifest it is asked for."""
    version = '{"clientVersion": {"version": "1.31.1"}}'
    return (
        f"#!/bin/sh\ncase $1 in\nversion) echo '{version}' ;;\n"
        f"manifest) cat >> {log}; printf '%s' '{printed}' ;;\nesac\nexit 0\n"
    ).encode()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "asked"


def istioctls(tmp_path: Path, mirror: ReleaseMirror, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Istioctls:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mirror.publish("1.31.1", body=tar_gz(("istioctl", content)))
    source = IstioctlSource(tmp_path / "istioctls", Mirror.parse(mirror.url))
    return Istioctls("qa", lambda _: source, lambda _: None)


def test_it_is_rendered_once(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ReleaseMirror() as mirror:
        mine = istioctls(tmp_path, mirror, program(log, MANIFEST), monkeypatch)
        mine.render_ahead(VERSION, lambda: "mine: 1\n")
        assert not mirror.asked, "nothing is fetched for it"
        mine.of(VERSION)
        mine.render_ahead(VERSION, lambda: "mine: 1\n")
        for _ in range(2):
            assert [item["kind"] for item in mine.render(VERSION, "mine: 1\n")[1]] == ["ConfigMap"]
        assert log.read_text() == "mine: 1\n"
        mine.render_ahead(VERSION, lambda: "mine: 2\n")
        mine.render(VERSION, "other: 1\n")
        assert "other: 1\n" in log.read_text()


def test_its_error_is_raised_where_it_is_asked_for(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ReleaseMirror() as mirror:
        mine = istioctls(tmp_path, mirror, program(log, "all is well"), monkeypatch)
        mine.of(VERSION)
        mine.render_ahead(VERSION, lambda: "mine: 1\n")
        with pytest.raises(RefusedError, match="printed no manifest"):
            mine.render(VERSION, "mine: 1\n")

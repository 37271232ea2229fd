"""Which program copies, by which arguments, and how it gets the logins."""

from __future__ import annotations

from pathlib import Path

import pytest

from sohistio.adapters.registry.copy_tools import CopyTool, find_tool, tool_logins
from sohistio.errors import RefusedError
from sohistio.model.image import Image

DIGEST = "sha256:" + "0f" * 32
SOURCE = Image.parse(f"docker.io/istio/pilot:1.31.1@{DIGEST}")
TARGET = Image.parse("dtr.example.com/istio/pilot:1.31.1")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (
            "skopeo",
            "copy --quiet --all --preserve-digests --authfile /f "
            f"docker://docker.io/istio/pilot@{DIGEST} docker://{TARGET}",
        ),
        ("crane", f"copy docker.io/istio/pilot@{DIGEST} {TARGET}"),
        (
            "oras",
            "copy --recursive --from-registry-config=/f --to-registry-config=/f "
            f"docker.io/istio/pilot@{DIGEST} {TARGET}",
        ),
    ],
)
def test_arguments(name: str, arguments: str) -> None:
    assert " ".join(CopyTool(name, f"/bin/{name}").command(SOURCE, TARGET, "/f")) == f"/bin/{name} {arguments}"


def test_the_first_one_in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusedError, match="no skopeo, crane or oras in PATH"):
        find_tool()
    for name in ("oras", "crane", "skopeo"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert find_tool() == CopyTool(name, str(tmp_path / name))


@pytest.mark.parametrize("name", ["skopeo", "crane", "oras"])
def test_no_login_is_in_a_file_with_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOHISTIO_REGISTRY_PASSWORD", "s3cret")
    with tool_logins(CopyTool(name, name), "s3cret", tmp_path) as given:
        assert given.stdin == "s3cret"
        assert "s3cret" not in given.env.values()
        assert Path(given.path).readlink() == Path("/proc/self/fd/0") if name != "crane" else True
        files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
        assert [path for path in files if "s3cret" in path.read_text()] == []
    assert not list(tmp_path.rglob("config.json"))

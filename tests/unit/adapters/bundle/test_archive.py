"""Bundles as archives: written, read, and refused where they are not what they say."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sohistio.adapters.bundle.archive import read_contents, unpack_bundle, write_bundle
from sohistio.errors import NotObtainedError

FILES = {"images.lock": b"pins\n", "images/oci/blobs/sha256/aa": os.urandom(3 * 2**20), "environments/qa/empty": b""}
FILES["istioctl/istioctl-1.31.1-linux-amd64.tar.gz"] = b"an archive"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    write_bundle(folder, tmp_path / "qa.tar", environment="qa", version="1.31.1")
    return tmp_path / "qa.tar"


def unpacked(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_goes_in_comes_out(bundle: Path, tmp_path: Path) -> None:
    contents = unpack_bundle(bundle, tmp_path / "out")
    assert unpacked(tmp_path / "out") == FILES
    assert (contents.environment, contents.version) == ("qa", "1.31.1")
    assert contents == read_contents(bundle)
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def test_only_what_is_wanted_is_written(bundle: Path, tmp_path: Path) -> None:
    unpack_bundle(bundle, tmp_path / "out", lambda path: path == "images.lock")
    assert unpacked(tmp_path / "out") == {"images.lock": b"pins\n"}


def test_equal_content_gives_an_equal_archive(bundle: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "source", tmp_path / "again.tar", environment="qa", version="1.31.1")
    assert (tmp_path / "again.tar").read_bytes() == bundle.read_bytes()


def rebuilt(bundle: Path, change: Callable[[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]], None]) -> None:
    """The bundle with its list or its files changed."""
    with tarfile.open(bundle) as tar:
        members = [(item, (tar.extractfile(item) or io.BytesIO()).read()) for item in tar.getmembers()]
    listed = json.loads(members[0][1])
    rest = members[1:]
    change(listed, rest)
    text = json.dumps(listed).encode()
    with tarfile.open(bundle, "w") as tar:
        for item, content in [(tarfile.TarInfo("bundle.json"), text), *rest]:
            item.size = len(content)
            tar.addfile(item, io.BytesIO(content))


def _named(name: str) -> Callable[[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]], None]:
    """A file of that name, listed as it is."""
    import hashlib

    def change(listed: dict[str, Any], rest: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        listed["files"][name] = {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
        rest.append((tarfile.TarInfo(name), b"x"))

    return change


def _link(_: dict[str, Any], rest: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    item = rest[0][0]
    item.type, item.linkname = tarfile.SYMTYPE, "/etc/passwd"
    rest[0] = (item, b"")


CHANGES: list[tuple[str, Callable[[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]], Any], str]] = [
    ("another-content", lambda _, rest: rest.__setitem__(1, (rest[1][0], b"PINS\n")), "is not what was put into it"),
    ("another-size", lambda _, rest: rest.__setitem__(1, (rest[1][0], b"more pins\n")), "has 0.0 MiB, not"),
    ("one-more", lambda _, rest: rest.append((tarfile.TarInfo("more"), b"")), "which it does not list so"),
    ("one-twice", lambda _, rest: rest.append(rest[0]), "which it does not list so"),
    ("one-missing", lambda _, rest: rest.pop(), "it lacks istioctl/"),
    ("link", _link, "which it does not list so"),
    ("parent", _named("../x"), "no bundle"),
    ("absolute", _named("/etc/x"), "no bundle"),
    ("drive", _named("C:x"), "no bundle"),
    ("backslash", _named("a\\..\\..\\x"), "no bundle"),
    ("not-normal", _named("a//x"), "no bundle"),
    ("newer", lambda listed, _: listed.update(schemaVersion=2), "has the schema version 2"),
    ("another-kind", lambda listed, _: listed.update(kind="X"), "no bundle"),
    ("another-version", lambda listed, _: listed.update(version="1.31.2"), "no bundle"),
    ("no-version", lambda listed, _: listed.pop("version"), "no bundle"),
    ("another-environment", lambda listed, _: listed.update(environment="prod"), "no bundle"),
    ("parent-as-environment", lambda listed, _: listed.update(environment="qa/../.."), "no bundle"),
    ("no-schema", lambda listed, _: listed.pop("schemaVersion"), "has the schema version None"),
    ("files-in-a-list", lambda listed, _: listed.update(files=[1]), "no bundle"),
    ("file-is-a-number", lambda listed, _: listed["files"].update({"images.lock": 5}), "no bundle"),
    ("no-files", lambda listed, _: listed.pop("files"), "no bundle"),
    ("size-no-number", lambda listed, _: listed["files"]["images.lock"].update(size="5"), "no bundle"),
    ("no-digest", lambda listed, _: listed["files"]["images.lock"].update(sha256="x"), "no bundle"),
]


@pytest.mark.parametrize(("change", "words"), [pytest.param(*case, id=name) for name, *case in CHANGES])
def test_a_changed_bundle_is_refused(
    bundle: Path, tmp_path: Path, change: Callable[[dict[str, Any], list[Any]], None], words: str
) -> None:
    rebuilt(bundle, change)
    out = tmp_path / "deep" / "out"
    with pytest.raises(NotObtainedError) as caught:
        unpack_bundle(bundle, out)
    assert words in caught.value.what
    assert caught.value.todo
    assert not any(name in str(caught.value.document()) for name in ("Error:", "object has", "NoneType"))
    assert not (out.parent / "x").exists()


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"\0" * 10240])
def test_anything_else_is_no_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NotObtainedError, match="cannot be used"):
        read_contents(tmp_path / "file")


@pytest.mark.parametrize("more", [b"x", b"\0" * 5 + b"x", b"\0" * 20480], ids=["text", "zeros-and-text", "zeros"])
def test_a_bundle_that_goes_on(bundle: Path, tmp_path: Path, more: bytes) -> None:
    bundle.write_bytes(bundle.read_bytes() + more)
    with pytest.raises(NotObtainedError, match="goes on after its end"):
        unpack_bundle(bundle, tmp_path / "out")


def test_a_bundle_that_was_compressed(bundle: Path) -> None:
    bundle.write_bytes(gzip.compress(bundle.read_bytes()))
    with pytest.raises(NotObtainedError, match="it is compressed") as caught:
        read_contents(bundle)
    assert "gunzip" in caught.value.todo


@pytest.mark.parametrize("text", ["[" * 300_000, "{", "[]", "5"], ids=["deep", "half", "list", "number"])
def test_a_list_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "bundle.json").write_text(text)
    with tarfile.open(tmp_path / "qa.tar", "w") as tar:
        tar.add(tmp_path / "bundle.json", "bundle.json")
    with pytest.raises(NotObtainedError, match="is no bundle") as caught:
        read_contents(tmp_path / "qa.tar")
    assert caught.value.details[0].startswith("it is no JSON")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_bundle_that_is_cut_off(bundle: Path, tmp_path: Path, share: float) -> None:
    content = bundle.read_bytes()
    bundle.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(NotObtainedError, match="cannot be used"):
        unpack_bundle(bundle, tmp_path / "out")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotObtainedError, match="cannot be used"):
        read_contents(tmp_path / "nowhere.tar")
    with pytest.raises(FileNotFoundError):
        write_bundle(tmp_path, tmp_path / "nowhere" / "qa.tar", environment="qa", version="1.31.1")

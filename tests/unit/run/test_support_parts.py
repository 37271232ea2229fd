"""A support bundle's parts: what keeps one from being read costs no other, and the archive is new and private."""

from __future__ import annotations

import json
import stat
import tarfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.errors import FailedError, RefusedError, UsageError
from sohistio.planning.support import Content, SupportPart, Texts
from sohistio.run.support_bundle import check_new, collect, write_archive

RIGHTS = "rbac/reader.yaml and rbac/support.yaml have the rights"
NEVER = threading.Event()


def _raising(error: Exception, cause: Exception | None = None) -> Callable[[], Content]:
    def read() -> Content:
        raise error from cause

    return read


def _late() -> Content:
    NEVER.wait(30)
    return {}


FORBIDDEN = KubeError("the API server forbids a request", 403, details=("pods is forbidden", "more"))
LOST = {"b.log": FORBIDDEN, "c.log": FORBIDDEN, "a.log": FORBIDDEN, "2 containers": FailedError("left out: too many")}
PARTS = (
    SupportPart("good", "good.json", lambda: {"a": 1}),
    SupportPart("texts", "logs", lambda: {"x.log": "one\n", "y.log": "two\n"}, free_text=True),
    SupportPart("some", "some", lambda: Texts({"z.log": "three\n"}, LOST)),
    SupportPart("forbidden", "f.json", _raising(FORBIDDEN)),
    SupportPart("refused", "r.json", _raising(RefusedError("no record", details=("quoted",)), FORBIDDEN)),
    SupportPart("istioctl", "i.json", _raising(FailedError("istioctl failed", details=("token: hunter2",)))),
    SupportPart("bug", "b.json", _raising(KeyError("hunter2"))),
    SupportPart("late", "l.json", _late, seconds=0.2),
    SupportPart("large", "g.json", lambda: {"text": "x" * 9_000_000}),
)


def test_each_part_for_itself(tmp_path: Path) -> None:
    collected = collect(PARTS, lambda content: json.dumps(dict(content)))
    assert {one.part.name: one.problem for one in collected} == {
        "good": "",
        "texts": "",
        "some": f"2 containers: left out: too many; "
        f"a.log, b.log and 1 more: the API server forbids a request: pods is forbidden; {RIGHTS}",
        "forbidden": f"the API server forbids a request: pods is forbidden; {RIGHTS}",
        "refused": f"no record: the API server forbids a request: pods is forbidden; {RIGHTS}",
        "istioctl": "istioctl failed",
        "bug": "sohistio has a bug here: KeyError",
        "late": "no answer within 0 s",
        "large": "larger than 8 MiB (9000013 bytes)",
    }
    path = tmp_path / "help.tar.gz"
    write_archive(path, "qa", collected, datetime.now(UTC), lambda content: json.dumps(dict(content)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as archive:
        names = archive.getnames()
        assert names == ["help/index.json", "help/good.json", "help/logs/x.log", "help/logs/y.log", "help/some/z.log"]
        file = archive.extractfile("help/index.json")
        assert file is not None
        index = json.load(file)
    assert [part["name"] for part in index["parts"]] == [part.name for part in PARTS]
    with pytest.raises(FailedError, match="could not be written"):
        write_archive(path, "qa", (), datetime.now(UTC), lambda content: json.dumps(dict(content)))


def test_only_a_new_file(tmp_path: Path) -> None:
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("x")
    link.symlink_to(tmp_path / "nowhere")
    for path in (there, link):
        with pytest.raises(UsageError, match="is there already"):
            check_new(path)
    with pytest.raises(UsageError, match=f"there is no folder {tmp_path / 'no'}"):
        check_new(tmp_path / "no" / "file")
    with pytest.raises(UsageError, match="no file can be written in /proc/self"):
        check_new(Path("/proc/self/file"))
    check_new(tmp_path / "new")

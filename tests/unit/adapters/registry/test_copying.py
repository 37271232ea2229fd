"""How far a copy is, by what the target has; and whether what is there is what was to be copied."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from image_content import ImageContent, image_content
from registries import PASSWORD, USER, RealRegistry
from registry_proxy import until
from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.copy_tools import CopyTool, ToolLogins
from sohistio.adapters.registry.copying import Copy, Progress, check_copy, copy_once
from sohistio.adapters.registry.logins import Login
from sohistio.adapters.registry.manifests import Content
from sohistio.errors import FailedError, InterruptedRunError
from sohistio.model.image import Image

SOURCE = Image.parse("docker.io/istio/pilot:1.31.1").pinned("sha256:" + "0f" * 32)
PUSHER = Login(USER, PASSWORD, "a test")


def content_of(pushed: ImageContent) -> Content:
    sizes = {digest: len(blob) for digest, blob in pushed.blobs.items()}
    return Content(pushed.digest, (), tuple(pushed.manifests), sizes)


def test_progress_counts_the_bytes_that_the_target_has(by_token: RealRegistry) -> None:
    pushed = image_content(layers=4)
    target = Image.parse(f"{by_token.host}/progress/pilot:1.31.1")
    copy = Copy(SOURCE, target, content_of(pushed))
    said: list[int] = []
    with Registry(by_token.host, PUSHER, print) as registry:
        with Progress(registry, lambda seen: said.append(seen.bytes_there)) as progress:
            progress.begin(copy)
            by_token.push("progress/pilot", "1.31.1", pushed)
            until(lambda: copy.bytes_there == pushed.bytes)
            progress.end(copy)
        assert said == sorted(said)
        assert said[-1] == pushed.bytes
        check_copy(registry, target, copy.content)


def test_a_copy_that_is_not_whole(by_token: RealRegistry) -> None:
    by_token.push("whole/pilot", "1.31.1", image_content())
    other = image_content()
    target = Image.parse(f"{by_token.host}/whole/pilot:1.31.1")
    with Registry(by_token.host, PUSHER, print) as registry, pytest.raises(FailedError, match="not what was") as caught:
        check_copy(registry, target, content_of(other))
    assert len(caught.value.details) == 1 + len(other.manifests) + len(other.blobs)
    assert caught.value.details[0].startswith("the tag 1.31.1 has sha256:")


@dataclass(frozen=True)
class Script(CopyTool):
    """A tool that does something else."""

    script: str = ""

    def command(self, source: Image, target: Image, login_file: str) -> tuple[str, ...]:  # noqa: ARG002
        return (self.path, "-c", self.script)


def run(script: str, log: Path, stop: threading.Event) -> None:
    copy = Copy(SOURCE, SOURCE.by_tag, Content(SOURCE.digest, ()))
    copy_once(copy, Script("sh", "/bin/sh", script=script), ToolLogins("", "", {}), log, stop)


def test_a_tool_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="exit code 7") as caught:
        run("echo no such host >&2; exit 7", tmp_path / "log", threading.Event())
    assert caught.value.details == ("no such host",)
    assert (tmp_path / "log").read_text() == "no such host\n"


def test_a_tool_is_stopped_with_the_run(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    with pytest.raises(InterruptedRunError):
        run("sleep 60", tmp_path / "log", stop)
    assert time.monotonic() - started < 30, "it was not left to end by itself"

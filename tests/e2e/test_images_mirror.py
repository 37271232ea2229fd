"""`images mirror` between two real registries: copied whole, once, and never what it should not be."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from typing import Any

import pytest

from image_content import image_content
from mirrors import NAMES, VERSION, Mirror, pins
from registry_proxy import Trouble, until
from sandboxes import CHECKOUT

pytestmark = pytest.mark.e2e


def test_mirrored_whole_and_then_never_again(mirror: Mirror) -> None:
    planned = mirror.document("--plan")
    assert planned["outcome"] == "planned"
    assert planned["bytes"] == sum(content.bytes for content in mirror.contents.values())
    assert not mirror.lock.exists()
    with mirror.both.target.counted() as written:
        done = mirror.document()
    assert mirror.states(done) == dict.fromkeys(NAMES, "copied")
    assert done["images"][0]["platforms"] == ["linux/amd64", "linux/arm64"]
    assert all(map(mirror.is_there, NAMES))
    assert any(request.is_blob_write for request in written)
    assert pins(mirror.lock) == {name: mirror.contents[name].digest for name in NAMES}
    before = mirror.lock.stat().st_mtime_ns

    with mirror.both.source.counted() as read, mirror.both.target.counted() as written:
        again = mirror.document()
    assert (again["outcome"], again["bytes"]) == ("upToDate", 0)
    assert mirror.states(again) == dict.fromkeys(NAMES, "skipped")
    for seen, path in ((read, mirror.path), (written, mirror.hub_path)):
        heads = sorted(f"/v2/{path}/{name}/manifests/{VERSION}" for name in NAMES)
        assert sorted(r.path for r in seen if r.method == "HEAD") == heads
        assert [r for r in seen if r.method != "HEAD" and r.path != "/v2/"] == []
    assert mirror.lock.stat().st_mtime_ns == before
    shown = mirror.run().stdout
    assert f"local: all 4 images are at {mirror.both.target.host}/{mirror.hub_path}, nothing was written" in shown
    assert max(len(line) for line in shown.splitlines() if line.startswith(NAMES)) <= 100


def test_a_lock_that_cannot_be_written_any_more(mirror: Mirror) -> None:
    """What is copied by then is said, and pinned by the next run; one that cannot be written at first ends it there."""
    mirror.lock.write_text("# mine\n")
    mirror.both.way.begin(Trouble("GET .*/pilot/blobs/", times=1000, pause=1))
    mirror.both.way.seen.clear()
    found: list[dict[str, Any]] = []
    run = threading.Thread(target=lambda: found.append(mirror.document(code=1)))
    run.start()
    until(lambda: any("/pilot/blobs/" in request for request in mirror.both.way.seen), 60)
    mirror.lock.unlink(missing_ok=True)
    mirror.lock.mkdir()
    run.join()
    assert mirror.states(found[0]) == dict.fromkeys(NAMES, "copied")
    assert found[0]["outcome"] == "failed"
    assert "4 images were copied" in found[0]["error"]["what"]
    assert str(mirror.lock) in found[0]["error"]["details"][0]
    assert all(map(mirror.is_there, NAMES))
    mirror.lock.rmdir()
    mirror.both.way.begin()
    assert mirror.states(mirror.document()) == dict.fromkeys(NAMES, "skipped")
    assert sorted(pins(mirror.lock)) == sorted(NAMES)


def test_a_tag_that_moved_and_an_image_that_is_not_there(mirror: Mirror) -> None:
    mirror.document()
    mirror.push("proxyv2", moved := image_content())
    done = mirror.run()
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "1 of 4 images are not mirrored" in said
    assert f"the source {moved.digest} now; the target has what is pinned" in said
    assert pins(mirror.lock)["proxyv2"] != moved.digest

    # Whoever deletes the line takes the new one, which is approved: the tag is in use at the target.
    lines = mirror.lock.read_text().splitlines(keepends=True)
    mirror.lock.write_text("".join(line for line in lines if "/proxyv2:" not in line))
    refused = mirror.run()
    assert refused.returncode == 3
    assert "This plan replaces 1 image" in " ".join(refused.stdout.split())
    assert mirror.states(mirror.document("--yes")) == dict.fromkeys(NAMES, "skipped") | {"proxyv2": "copied"}
    assert mirror.is_there("proxyv2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_an_answer_does_not_end(mirror: Mirror, number: signal.Signals) -> None:
    mirror.both.way.begin(Trouble("GET .*/manifests/", times=1000, pause=60))
    process = subprocess.Popen(
        mirror.command(), cwd=CHECKOUT, env=mirror.environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: any(re.match(f"GET .*{mirror.path}/.*/manifests/", request) for request in mirror.both.way.seen), 60)
    process.send_signal(number)
    assert process.wait(30) == 130

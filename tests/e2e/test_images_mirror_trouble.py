"""`images mirror` in trouble: servers, blobs and logins that are wrong, runs that are killed, secrets that stay so."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_content import image_content
from mirrors import NAMES, VERSION, Mirror, Registries, a_mirror, pins
from registries import LOGIN, PASSWORD, USER, auth_file
from registry_proxy import ConnectProxy, Trouble, until
from sandboxes import CHECKOUT, Sandbox
from token_server import READER

pytestmark = pytest.mark.e2e

ALL_COPIED = dict.fromkeys(NAMES, "copied")


def test_servers_in_trouble_are_asked_again_when_they_say(mirror: Mirror) -> None:
    busy = Trouble("HEAD .*pilot/manifests", status=503, headers={"Retry-After": "1"})
    limited = Trouble("GET .*proxyv2/manifests", status=429, headers={"Retry-After": "1"})
    on_the_way = Trouble("GET .*ztunnel/blobs", times=2, status=503)
    mirror.both.way.begin(busy, limited, on_the_way)
    mirror.both.way.headers["ratelimit-remaining"] = "11;w=21600"
    done = mirror.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (busy.happened, limited.happened, on_the_way.happened) == (1, 1, 2)
    assert all(map(mirror.is_there, NAMES))
    said = " ".join((done.stdout + done.stderr).split())
    assert "it answered 503; trying again in 1" in said
    assert "it answered 429; trying again in 1" in said
    assert f"Note: {mirror.both.way.host} lets 11 more manifests be pulled, and this needs 12" in said


def test_a_blob_that_is_corrupted_on_the_way(mirror: Mirror) -> None:
    """Once: it is fetched again. Always: that image fails by name, the others are there; the next run has the rest."""
    first, second = (blobs_of(manifest) for manifest in mirror.contents["proxyv2"].manifests.values())
    once = Trouble("GET .*pilot/blobs", corrupted=True)
    always = Trouble(f"GET .*({'|'.join(second)})", times=1000, corrupted=True)
    mirror.both.way.begin(once, always)
    failed = mirror.document(code=1)
    assert mirror.states(failed) == ALL_COPIED | {"proxyv2": "failed"}
    image = next(image for image in failed["images"] if "/proxyv2:" in image["target"])
    assert "skopeo failed" in image["error"]["what"]
    assert sorted(pins(mirror.lock)) == ["install-cni", "pilot", "ztunnel"]
    assert mirror.both.target.digest(f"{mirror.hub_path}/proxyv2", VERSION) is None

    mirror.both.way.begin()
    mirror.both.way.seen.clear()
    assert mirror.states(mirror.document()) == dict.fromkeys(NAMES, "skipped") | {"proxyv2": "copied"}
    assert all(map(mirror.is_there, NAMES))
    fetched = {request.rpartition("/")[2] for request in mirror.both.way.seen if re.match("GET .*/blobs/", request)}
    assert not fetched & set(first[1:]), "the first platform's layers were there; skopeo reads its configuration"


def blobs_of(manifest: bytes) -> list[str]:
    """The configuration, then the layers."""
    return re.findall("sha256:[0-9a-f]{64}", manifest.decode())


def test_an_image_that_is_missing_at_the_source(mirror: Mirror) -> None:
    mirror.both.way.begin(Trouble("HEAD .*ztunnel/manifests", times=1000, status=404))
    done = mirror.run()
    assert done.returncode == 1
    assert f"/ztunnel:{VERSION}: {mirror.both.way.host} has no such image" in done.stderr
    assert [mirror.is_there(name) for name in NAMES] == [True, True, True, False]


def test_logins_that_are_wrong_or_not_there(mirror: Mirror) -> None:
    source, target = mirror.both.way.host, mirror.both.target.host

    def refused(why: str, variables: dict[str, str], code: int = 3) -> None:
        done = mirror.run(**variables)
        assert done.returncode == code, done.stdout + done.stderr
        assert why in " ".join(done.stderr.split())
        assert "hunter2" not in done.stdout + done.stderr

    wrong = auth_file(mirror.folder / "wrong.json", source, target, login=("pusher", "Wr0ng-hunter2"))
    refused(f"{source} rejects the login of {wrong}", {"REGISTRY_AUTH_FILE": str(wrong)})
    only_source = {"REGISTRY_AUTH_FILE": str(auth_file(mirror.folder / "source.json", source))}
    refused(f"{target} wants a login, and there is none for it", only_source)
    reader = {"SOHISTIO_REGISTRY_USERNAME": READER[0], "SOHISTIO_REGISTRY_PASSWORD": READER[1]}
    refused("lacks permission to push to", only_source | reader, 1)
    assert not mirror.lock.exists()
    own = {"SOHISTIO_REGISTRY_USERNAME": USER, "SOHISTIO_REGISTRY_PASSWORD": PASSWORD}
    done = mirror.run(**only_source, **own)
    assert done.returncode == 0, done.stdout + done.stderr


def tools_at_work(mirror: Mirror) -> list[str]:
    """The command lines of skopeo processes that copy for this mirror."""
    found = [" ".join(words) for words in command_lines() if any(mirror.hub_path in word for word in words)]
    return [line for line in found if " copy " in line]


def command_lines() -> Iterator[list[str]]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield file.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended meanwhile
            continue


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_stopped_half_way_and_resumed(mirror: Mirror, number: signal.Signals) -> None:
    """One image is there, another on its way. The tools end with sohistio, and what is there is not fetched again."""
    mirror.both.way.begin(Trouble("GET .*(proxyv2|ztunnel|install-cni)/blobs", times=1000, pause=60))
    process = subprocess.Popen(
        mirror.command("--jobs", "2"),
        cwd=CHECKOUT,
        env=mirror.environ(TMPDIR=str(mirror.folder)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: mirror.lock.exists() and list(pins(mirror.lock)) == ["pilot"] and tools_at_work(mirror), 60)
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130), output
    until(lambda: not tools_at_work(mirror), 5)
    if number == signal.SIGTERM:
        assert "interrupted: 1 of 4 images were copied" in output
    assert files_with_the_login(mirror) == []

    mirror.both.way.begin()
    mirror.both.way.seen.clear()
    assert mirror.states(mirror.document()) == ALL_COPIED | {"pilot": "skipped"}
    assert [request for request in mirror.both.way.seen if "GET" in request and "/pilot/" in request] == []
    assert all(map(mirror.is_there, NAMES))


def test_stopped_while_a_registry_is_waited_for(mirror: Mirror) -> None:
    mirror.both.way.begin(Trouble("HEAD", times=1000, status=503, headers={"Retry-After": "30"}))
    said = mirror.folder / "said"
    with said.open("w") as output:
        process = subprocess.Popen(mirror.command(), cwd=CHECKOUT, env=mirror.environ(), stdout=output, stderr=output)
    until(lambda: "trying again in 30" in said.read_text(), 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 130
    assert "interrupted by SIGTERM" in said.read_text()


def files_with_the_login(mirror: Mirror) -> list[Path]:
    """Files of sohistio and of its tools that have the password, plain or as auth files have it."""
    places = (mirror.box.state_home / "sohistio" / "logs", mirror.box.state_home / "sohistio" / "logins", mirror.folder)
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    users_own = set(mirror.folder.glob("*.json"))
    return [path for path in files if path not in users_own and is_secret(path.read_bytes().decode(errors="replace"))]


def is_secret(text: str) -> bool:
    return PASSWORD in text or b64encode(f"{USER}:{PASSWORD}".encode()).decode().rstrip("=") in text


def test_no_tool(mirror: Mirror) -> None:
    empty = mirror.folder / "bin"
    empty.mkdir()
    done = mirror.run(PATH=str(empty))
    assert done.returncode == 3
    said = " ".join(done.stderr.split())
    assert "there is no skopeo, crane or oras in PATH" in said
    assert "sudo apt-get install skopeo" in said


@pytest.mark.parametrize("tool", ["skopeo", "crane", "oras"])
def test_logins_are_seen_nowhere(mirror: Mirror, tool: str) -> None:
    """In no process's arguments while it runs, in no log and in no file afterwards."""
    built = Path(sys.prefix, "tools")
    program = shutil.which(tool, path=f"{os.environ['PATH']}{os.pathsep}{built}")
    assert program, f"make system-packages copy-tools brings {tool}"
    folder = mirror.folder / "bin"
    folder.mkdir()
    (folder / tool).symlink_to(program)
    shown: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.002):
            shown.update(word for words in command_lines() for word in words)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        mirror.both.way.begin(Trouble("GET .*/blobs", times=4, pause=0.3))
        done = mirror.run(PATH=str(folder), TMPDIR=str(mirror.folder))
    finally:
        ended.set()
        watching.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(map(mirror.is_there, NAMES))
    assert any(word.endswith(f"/{tool}") for word in shown)
    assert [word for word in shown if is_secret(word)] == []
    assert files_with_the_login(mirror) == []
    assert not is_secret(done.stdout + done.stderr)


def test_through_a_proxy(sandbox: Sandbox, both: Registries, tmp_path: Path) -> None:
    """Hosts that only the proxy knows: both the tool and sohistio go through it."""
    mirror = a_mirror(sandbox, both, tmp_path, "through-a-proxy")
    hosts = {"hub.example.test": both.target.port, "mirror.example.test": both.source.port}
    file = Path(mirror.flags[-1], "local", "environment.yaml")
    text = file.read_text().replace(both.target.host, "hub.example.test")
    file.write_text(text.replace(both.way.host, "mirror.example.test"))
    logins = auth_file(tmp_path / "proxy.json", *hosts, login=LOGIN)
    variables = {"REGISTRY_AUTH_FILE": str(logins), "NO_PROXY": "127.0.0.1,localhost"}
    with ConnectProxy(hosts) as proxy:
        done = mirror.run(HTTPS_PROXY=proxy.url, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        # Ours, and the tool's for each of four images, to each side.
        assert {host: proxy.asked.count(f"{host}:443") >= 5 for host in hosts} == dict.fromkeys(hosts, True)
    assert all(map(mirror.is_there, NAMES))


def test_an_image_of_one_platform_and_one_of_many(sandbox: Sandbox, both: Registries, tmp_path: Path) -> None:
    platforms = ("linux/amd64", "linux/arm64", "linux/s390x")
    one, many = image_content(("linux/amd64",)), image_content(platforms)
    mirror = a_mirror(sandbox, both, tmp_path, "platforms", pilot=one, proxyv2=many)
    done = mirror.document()
    found = {image["target"].rpartition("/")[2]: image["platforms"] for image in done["images"]}
    assert found[f"proxyv2:{VERSION}"] == list(platforms)
    assert all(map(mirror.is_there, NAMES))

"""The sandbox's building blocks, each against real files, sockets and processes."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sohistio.errors import FailedError, RefusedError, UsageError
from sohistio.sandbox.archives import write_release
from sohistio.sandbox.credentials import write_service_account_key, write_serving_certificate, write_tokens
from sohistio.sandbox.location import sandbox_folder, sandbox_kubeconfig, sandbox_mirror_url
from sohistio.sandbox.locks import locked
from sohistio.sandbox.mirror import ReleaseMirror
from sohistio.sandbox.modules import ISTIO_VERSIONS, archive_name, module_key, programs, provided
from sohistio.sandbox.part import Part
from sohistio.sandbox.parts import Command
from sohistio.sandbox.ports import free_ports, mirror_ports
from sohistio.sandbox.processes import ProcessId, end, identify, processes_of
from sohistio.sandbox.progress import duration
from sohistio.sandbox.record import read_record
from sohistio.sandbox.toolchain import find_go


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a/b", "..", "a" * 33])
def test_names_that_cannot_be_a_folder_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a sandbox"):
        sandbox_folder(name)


def test_asking_for_a_sandbox_that_is_not_there_says_how_to_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(RefusedError, match="'local' is not running") as caught:
        sandbox_kubeconfig("local")
    assert caught.value.todo == "sohistio sandbox up"
    with pytest.raises(RefusedError) as caught:
        sandbox_mirror_url("dr")
    assert caught.value.todo == "sohistio sandbox up --name dr"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"name": "local"}'])
def test_a_damaged_record_is_one_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "sandbox.json").write_text(content)
    with pytest.raises(RefusedError, match="is damaged") as caught:
        read_record(tmp_path)
    assert "sohistio sandbox down" in caught.value.todo


def test_a_process_is_told_by_its_start_time_too(sleeper: subprocess.Popen[bytes]) -> None:
    process = identify(sleeper.pid)
    assert process is not None
    assert process.alive()
    another = ProcessId(process.pid, process.started + 1)
    assert not another.alive()
    assert end([another], 0.1) == []
    assert sleeper.poll() is None, "a process with the same pid and another start time must be left alone"
    assert end([process], 5.0) == []
    assert sleeper.wait(5) == -signal.SIGTERM


def test_a_process_that_ignores_sigterm_is_made_to_end() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = identify(process.pid)
        assert identity is not None
        assert end([identity], 0.3) == []
        assert process.wait(5) == -signal.SIGKILL


def test_parts_are_found_by_their_folder_and_tell_how_they_ended(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    code = "import sys, time; print('about to go', flush=True); time.sleep(2); sys.exit(7)"
    part = Part(tmp_path, Command("mortal", (sys.executable, "-c", code)))
    deadline = time.monotonic() + 10
    while not processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)  # its environment is there once the kernel has begun the program
    assert [process.pid for process in processes_of(tmp_path)] == [part.record().pid]
    assert processes_of(tmp_path / "other") == []
    while part.exit_code() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (part.record().state, part.record().exit_code) == ("crashed", 7)
    assert part.last_lines() == ("about to go",)
    assert processes_of(tmp_path) == []


def test_a_part_whose_program_is_missing_says_so(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with pytest.raises(FailedError, match="etcd could not be started"):
        Part(tmp_path, Command("etcd", (str(tmp_path / "etcd"),)))


def test_a_lock_is_waited_for_and_leaves_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "box"
    told: list[str] = []
    with (
        locked(folder, 1, lambda: told.append("no")),
        pytest.raises(RefusedError, match="at work"),
        locked(folder, 0.3, lambda: told.append("waiting")),
    ):
        pytest.fail("two held the lock")
    assert told == ["waiting"]
    assert list(folder.iterdir()) == []
    with locked(folder, 1, lambda: told.append("no")):
        folder.rmdir()
        with locked(folder, 1, lambda: told.append("no")):
            assert folder.exists()
    assert told == ["waiting"]


def test_ports_are_free_and_different() -> None:
    ports = [port for _ in range(50) for port in free_ports(4)]
    assert len(set(ports)) == 200, "none is given again while its program may not listen yet"


def test_tokens_and_keys_are_private_and_kept(tmp_path: Path) -> None:
    tokens = write_tokens(tmp_path / "tokens.csv")
    assert len(set(tokens.values())) == len(tokens) == 4
    assert write_tokens(tmp_path / "tokens.csv") == tokens
    key = tmp_path / "key"
    write_service_account_key(key)
    first = key.read_bytes()
    write_service_account_key(key)
    assert key.read_bytes() == first
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_service_account_key_is_one_that_others_read(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    write_service_account_key(tmp_path / "key")
    key = load_pem_private_key((tmp_path / "key").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"


def test_the_api_servers_certificate_is_private_kept_and_trusted_for_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    certificate = write_serving_certificate(folder, "10.0.0.0/16")
    first = certificate.read_bytes()
    assert write_serving_certificate(folder, "10.0.0.0/16").read_bytes() == first
    assert (folder / "apiserver.key").stat().st_mode & 0o777 == 0o600
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, folder / "apiserver.key")
    client = ssl.create_default_context(cafile=str(certificate))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("127.0.0.1", "10.0.0.1", "kubernetes.default.svc"):
        assert_trusted(client, server, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        assert_trusted(client, server, "10.0.0.2")


def assert_trusted(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """A handshake of the two, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=name)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (one, other, one):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert one.version() == "TLSv1.3"


def test_archives_are_the_same_bytes_whenever_they_are_made(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(os.urandom(100_000))
    made = []
    for second in (1_000_000_000, 1_100_000_000):
        os.utime(binary, (second, second))
        archive = tmp_path / f"{second}" / "istioctl-1.30.5-linux-amd64.tar.gz"
        archive.parent.mkdir()
        write_release(binary, archive)
        made.append(archive.read_bytes())
        digest = hashlib.sha256(made[-1]).hexdigest()
        assert Path(f"{archive}.sha256").read_text() == f"{digest} {archive.name}\n"
    assert made[0] == made[1]
    with tarfile.open(fileobj=io.BytesIO(made[0])) as tar:
        (entry,) = tar.getmembers()
        content = tar.extractfile(entry)
        assert content is not None
        assert (entry.name, entry.mode, content.read()) == ("istioctl", 0o755, binary.read_bytes())


def test_the_mirror_serves_releases_and_nothing_else(tmp_path: Path) -> None:
    release = ISTIO_VERSIONS[0]
    name = archive_name(release)
    (tmp_path / release).mkdir()
    (tmp_path / release / name).write_bytes(b"archive")
    (tmp_path / release / "secret").write_bytes(b"secret")
    mirror = ReleaseMirror(tmp_path)
    mirror.start()
    try:
        with httpx.Client(base_url=mirror.url, trust_env=False) as client:
            assert client.get(f"/{release}/{name}").content == b"archive"
            assert client.head(f"/{release}/{name}").headers["Content-Length"] == "7"
            refused = (
                f"/{release}/",
                f"/{release}/secret",
                f"/{release}/{name}.sha256",
                "/9.9.9/x",
                "/../../etc/passwd",
            )
            assert {client.get(path).status_code for path in refused} == {404}
            assert client.put(f"/{release}/{name}").status_code == 501
    finally:
        mirror.stop()


def test_programs_of_a_module_share_its_key_and_modules_do_not() -> None:
    folders = {program.module: set[Path]() for program in programs()}
    for program in programs():
        folders[program.module].add(program.output.parents[2 if program.release else 1])
    assert {len(found) for found in folders.values()} == {1}
    assert len({module_key(module) for module in folders}) == 3


def test_kubebuilder_assets_are_used_for_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    for name, mode in (("etcd", 0o755), ("kube-apiserver", 0o644), ("kwok", 0o755)):
        (tmp_path / name).touch(mode=mode)
    assert provided("etcd") == tmp_path / "etcd"
    assert provided("kube-apiserver") is None, "it cannot be run"
    assert provided("kwok") is None, "only what envtest provides is taken from there"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "there is no `go` on the PATH"),
        ("echo go version go1.18.1 linux/amd64", "is too old: go version go1.18.1"),
        ("echo nonsense", "does not work"),
        ("exit 1", "does not work"),
        (
            'test "$1" = version && echo go version go1.22.0 linux/amd64 || '
            '{ echo "go: go.mod requires go >= 1.26.0 (running go 1.22.0; GOTOOLCHAIN=local)" >&2; exit 1; }',
            "cannot build the sandbox's kwok parts",
        ),
    ],
)
def test_a_go_that_will_not_do_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, message: str
) -> None:
    if script is not None:
        go = tmp_path / "go"
        go.write_text(f"#!/bin/sh\n{script}\n")
        go.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusedError, match=message) as caught:
        find_go(("kwok",))
    assert "go.dev/doc/install" in caught.value.todo


@pytest.mark.parametrize(("seconds", "text"), [(4.23, "4.2 s"), (75, "75 s"), (245, "4 min 05 s")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_mirror_keeps_its_port_where_nobody_has_taken_it(tmp_path: Path) -> None:
    mine, others = mirror_ports(tmp_path), mirror_ports(tmp_path / "other")
    assert mine[0] != others[0]
    assert mirror_ports(tmp_path) == mine
    assert mirror_ports(tmp_path, 23_456)[:2] == [23_456, mine[0]]
    first = ReleaseMirror(tmp_path, mine)
    first.start()
    second = ReleaseMirror(tmp_path, mine)
    second.start()
    try:
        assert first.url != second.url
    finally:
        first.stop()
        second.stop()
    again = ReleaseMirror(tmp_path, mine)
    again.start()
    again.stop()
    assert again.url == first.url

"""Requests of several kinds at once, each counted and none tried twice: by vegeta, and uploads that last, by curl."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from built import built
from shop import HOST, Shop

_KINDS = {
    "HTTP/1.1, a connection each": ("-http2=false", "-keepalive=false"),
    "HTTP/1.1, kept connections": ("-http2=false", "-keepalive=true", "-connections=8"),
    "HTTP/2": ("-http2=true", "-keepalive=true"),
}
UPLOADS = "uploads"
_BYTES_A_SECOND = 2048
_BETWEEN_UPLOADS = 5.0


@dataclass
class Counted:
    """Of one kind: the answers by their status, and what went wrong instead of an answer."""

    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return self.statuses.total()

    @property
    def failed(self) -> int:
        return self.sent - self.statuses["200"]


@contextmanager
def mixed_load(shop: Shop, folder: Path, per_second: int, upload_seconds: int) -> Iterator[dict[str, Counted]]:
    """So many requests a second of each kind, and uploads of so many seconds, until the block ends."""
    authority = folder / "authority.pem"
    authority.write_text(shop.authority)
    found = {UPLOADS: Counted()}
    stop = threading.Event()
    uploads = [
        threading.Thread(target=_upload, args=(shop, authority, upload_seconds, (stop, found[UPLOADS]), number))
        for number in range(max(1, round(upload_seconds / _BETWEEN_UPLOADS)))
    ]
    with tempfile.TemporaryDirectory() as results:
        attacks = {}
        for number, (kind, flags) in enumerate(_KINDS.items()):
            output = Path(results) / str(number)
            attacks[kind] = output, _attack(shop, authority, per_second, flags, output)
        for thread in uploads:
            thread.start()
        try:
            yield found
        finally:
            stop.set()
            for _, attack in attacks.values():
                attack.send_signal(signal.SIGINT)
            for kind, (output, attack) in attacks.items():
                attack.wait(60)
                found[kind] = _counted(output)
            for thread in uploads:
                thread.join()


def _attack(
    shop: Shop, authority: Path, per_second: int, flags: tuple[str, ...], output: Path
) -> subprocess.Popen[bytes]:
    command = [built("vegeta"), "attack", "-duration=0", f"-rate={per_second}", "-timeout=30s", f"-output={output}"]
    command += [f"-root-certs={authority}", f"-connect-to={HOST}:443:{shop.address}:443", *flags]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(f"GET https://{HOST}/\n".encode())
    process.stdin.close()
    return process


def _counted(output: Path) -> Counted:
    said = subprocess.run([built("vegeta"), "encode", "-to=json", str(output)], capture_output=True, check=True).stdout
    counted = Counted()
    for line in said.splitlines():
        answer = json.loads(line)
        counted.statuses[str(answer["code"])] += 1
        if answer["error"]:
            counted.errors[answer["error"]] += 1
    return counted


def _upload(shop: Shop, authority: Path, seconds: int, until: tuple[threading.Event, Counted], number: int) -> None:
    """One upload after the other; those that are under way at the end are finished."""
    stop, counted = until
    if stop.wait(number * _BETWEEN_UPLOADS):
        return
    command = ["curl", "--silent", "--show-error", "--http1.1", "--output", "/dev/null", "--write-out", "%{http_code}"]
    command += ["--resolve", f"{HOST}:443:{shop.address}", "--cacert", str(authority), "--data-binary", "@-"]
    command += ["--limit-rate", str(_BYTES_A_SECOND), "--header", "Expect:", f"https://{HOST}/upload"]
    body = b"x" * (_BYTES_A_SECOND * seconds)
    while not stop.is_set():
        done = subprocess.run(command, input=body, capture_output=True, check=False)
        counted.statuses[done.stdout.decode()] += 1
        if done.returncode:
            counted.errors[done.stderr.decode().strip()] += 1

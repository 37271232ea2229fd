"""Free ports on loopback."""

from __future__ import annotations

import hashlib
import random
import socket
import time
from collections.abc import Container
from pathlib import Path

from sohistio.errors import FailedError
from sohistio.system.file_lock import locked
from sohistio.system.paths import cache_dir

_RANGE = range(20_000, 32_000)
"""Below the range Linux takes for outgoing connections, so that none of those gets in between."""
_GIVEN_SECONDS = 120.0
_LOCK_SECONDS = 10.0
_MIRRORS = range(_RANGE.stop, 32_768)
"""Release mirrors have their own: shells keep the address, so no other part may take it while a sandbox is down."""


def mirror_ports(folder: Path, last: int | None = None) -> list[int]:
    """The ports to try for a sandbox's release mirror, in order, always the same ones for a folder.

    The one that it had `last` comes first. 0, any port, is the end.
    """
    first = int.from_bytes(hashlib.sha256(str(folder).encode()).digest()[:4]) % len(_MIRRORS)
    usual = [*_MIRRORS[first:], *_MIRRORS[:first]]
    return [*dict.fromkeys((*((last,) if last else ()), *usual)), 0]


def free_ports(count: int) -> list[int]:
    """This many different TCP ports that nobody listens on; raises FailedError where there are too few.

    None of them is given again for two minutes, to no sandbox of this user: a program takes a while to listen on its
    own, and one that comes second may not even say so.
    """
    folder = cache_dir() / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ports"
    with locked(folder / "ports.lock", _LOCK_SECONDS, lambda: None, lambda: _busy(file)):
        now, given = time.time(), _given(file)
        recent = {port: since for port, since in given.items() if abs(now - since) < _GIVEN_SECONDS}
        found = _free(count, recent)
        lines = (f"{port} {since}\n" for port, since in (recent | dict.fromkeys(found, now)).items())
        file.write_text("".join(lines), encoding="utf-8")
    return found


def _busy(file: Path) -> FailedError:
    return FailedError(f"{file} stays locked", todo="End the sandbox that hangs: `sohistio sandbox status`.")


def _given(file: Path) -> dict[int, float]:
    """When each port was given; a line that was not written whole says nothing."""
    found: dict[int, float] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            port, since = line.split()
            found[int(port)] = float(since)
        except ValueError:
            continue
    return found


def _free(count: int, taken: Container[int]) -> list[int]:
    found: list[int] = []
    for port in random.sample(_RANGE, 2_000):  # any free port will do  # nosec B311
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise FailedError(
        f"no {count} free ports between {_RANGE.start} and {_RANGE.stop} on 127.0.0.1",
        todo="End what uses them: `ss -ltnp`.",
    )

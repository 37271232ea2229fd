"""A real name server on loopback: BIND's named, primary for one zone that takes signed updates (RFC 2136, TSIG)."""

from __future__ import annotations

import base64
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from sohistio.errors import FailedError, RefusedError
from sohistio.sandbox.part import last_lines
from sohistio.sandbox.ports import free_ports

KEY_NAME = "sohistio"
ALGORITHM = "hmac-sha256"
_START_SECONDS = 15.0
_END_SECONDS = 10.0


class NameServer:
    """named on an unprivileged port of 127.0.0.1, between `with` and the end of its block.

    `folder` is made where it is missing and holds everything: configuration, zone, journal, log, key. `records` are
    the zone's A records: names relative to the zone (`@` is the zone itself) and an IPv4 address each; `ttl` is in
    seconds. Updates and zone transfers need the key in `key_file`; questions need none. Nothing is resolved for
    other zones (REFUSED). Raises RefusedError where named is not installed, FailedError where it does not start.
    """

    def __init__(self, folder: Path, zone: str, records: Mapping[str, str], ttl: int = 30) -> None:
        self.folder = folder.resolve()
        self.zone = zone.rstrip(".")
        self.port = 0
        """UDP and TCP port on 127.0.0.1; 0 before it was started."""
        self.key_file = self.folder / "tsig.key"
        """The key (0600) in the format of BIND's own tools: `nsupdate -k FILE` takes it."""
        self.log = self.folder / "named.log"
        self._records = dict(records)
        self._ttl = ttl
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> NameServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers; the zone begins with the given records and a new key."""
        named = _find_named()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        self._write()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [named, "-g", "-4", "-n", "1", "-c", str(self.folder / "named.conf")],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_SECONDS
        while b"running\n" not in self.log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise FailedError(
                    "the name server (named) did not start",
                    details=(*last_lines(self.log, 10), f"whole log: {self.log}"),
                    todo="Fix what it says. AppArmor may confine named to its own folders: `aa-status`.",
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; harmless where it does not run. Its files stay."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _write(self) -> None:
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.key_file.unlink(missing_ok=True)
        self.key_file.touch(mode=0o600)
        self.key_file.write_text(
            f'key "{KEY_NAME}" {{\n\talgorithm {ALGORITHM};\n\tsecret "{secret}";\n}};\n', encoding="ascii"
        )
        (self.folder / "zone.db.jnl").unlink(missing_ok=True)  # updates of an earlier start
        (self.folder / "zone.db").write_text(zone_file(self._records, self._ttl), encoding="ascii")
        (self.folder / "named.conf").write_text(_configuration(self.folder, self.zone, self.port), encoding="utf-8")


def zone_file(records: Mapping[str, str], ttl: int) -> str:
    """The zone in master file format (RFC 1035), with one name server and these A records."""
    addresses = {"ns": "127.0.0.1"} | dict(records)
    lines = (f"{name} IN A {address}" for name, address in addresses.items())
    return "\n".join((f"$TTL {ttl}", f"@ IN SOA ns hostmaster 1 3600 600 86400 {ttl}", "@ IN NS ns", *lines, ""))


def _configuration(folder: Path, zone: str, port: int) -> str:
    return f"""include "{folder}/tsig.key";
controls {{}};
options {{
    directory "{folder}";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file "{folder}/named.pid";
    session-keyfile "{folder}/session.key";
    managed-keys-directory "{folder}";
    dnssec-validation no;
    recursion no;
    notify no;
}};
zone "{zone}" {{
    type primary;
    file "zone.db";
    allow-update {{ key "{KEY_NAME}"; }};
    allow-transfer {{ key "{KEY_NAME}"; }};
}};
"""


def _find_named() -> str:
    # /usr/sbin is not on everyone's PATH.
    named = shutil.which("named") or shutil.which("named", path="/usr/sbin:/usr/local/sbin")
    if named is None:
        raise RefusedError(
            "the name server is BIND's named, and there is none on this machine", todo="apt-get install -y bind9"
        )
    return named

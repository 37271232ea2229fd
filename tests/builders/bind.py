"""BIND (`named`) on loopback, on a free port, as an ordinary process: a primary that takes signed updates."""

from __future__ import annotations

import base64
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query
import dns.tsig
import dns.update

from sohistio.model.dns import DnsRecord, NameServer, RecordAnswer, Rfc2136

ZONE = "corp.example.com"
FIXED_ZONE = "fixed.example.com"  # takes no updates
KEY = "sohistio"
OTHER_KEY = "reader"
PROD, DR = "10.20.20.221", "10.30.0.9"
RECORD = DnsRecord(f"app.{ZONE}", ZONE)

_ZONE_FILE = f"""\
$TTL 60
@ IN SOA ns.{ZONE}. admin.{ZONE}. 1 3600 600 86400 30
@ IN NS ns.{ZONE}.
ns IN A 127.0.0.1
app 45 IN A {PROD}
two 60 IN A {PROD}
two 60 IN A {DR}
alias 60 IN CNAME app
mail 60 IN MX 10 app
"""
_CONFIGURATION = """\
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "{other}" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
  directory "{folder}";
  pid-file "{folder}/named.pid";
  session-keyfile "{folder}/session.key";
  managed-keys-directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  {recursion}
  dnssec-validation no;
  minimal-responses yes;
}};
controls {{ }};
logging {{ channel all {{ file "{folder}/named.log"; severity info; }}; category default {{ all; }}; }};
"""
_ZONES = """\
zone "{zone}" {{
  type primary;
  file "{folder}/zone.db";
  update-policy {{ grant {key} name app.{zone}. A; grant {key} name new.{zone}. A; }};
}};
zone "{fixed}" {{ type primary; file "{folder}/fixed.db"; }};
"""


def _free_port() -> int:
    """A port free for TCP and UDP."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            try:
                datagrams.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Bind:
    """A running name server with one zone; a context manager. Only the key `KEY` can change its A records.

    With `forwards_to` it has no zone: it asks the name server on that port, and caches what that one says.
    """

    folder: Path
    forwards_to: int | None = None
    port: int = field(default_factory=_free_port)
    secret: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def __enter__(self) -> Self:
        for file in ("zone.db", "fixed.db"):
            (self.folder / file).write_text(_ZONE_FILE)
        forwards = f"recursion yes; forward only; forwarders {{ 127.0.0.1 port {self.forwards_to}; }};"
        text = (_CONFIGURATION if self.forwards_to else _CONFIGURATION + _ZONES).format(
            recursion=forwards if self.forwards_to else "recursion no;",
            key=KEY,
            other=OTHER_KEY,
            secret=self.secret,
            folder=self.folder,
            port=self.port,
            zone=ZONE,
            fixed=FIXED_ZONE,
        )
        configuration = self.folder / "named.conf"
        configuration.touch(0o600)
        configuration.write_text(text)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = (self.folder / "output.log").open("ab")
        with log:
            named = shutil.which("named") or "/usr/sbin/named"
            command = (named, "-g", "-n", "1", "-c", str(self.folder / "named.conf"))
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < end:
            try:
                dns.query.tcp(dns.message.make_query(f"{ZONE}.", "SOA"), "127.0.0.1", 1, self.port)
            except (OSError, EOFError, dns.exception.Timeout):
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise AssertionError((self.folder / "output.log").read_text())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    @property
    def server(self) -> NameServer:
        return NameServer("127.0.0.1", self.port)

    def key_file(self, name: str = KEY, secret: str | None = None) -> Path:
        """A key file as tsig-keygen writes it."""
        path = self.folder / f"{name}.key"
        path.touch(0o600)
        path.write_text(f'key "{name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret or self.secret}";\n}};\n')
        return path

    def settings(self, name: str = KEY, key_file: Path | None = None, server: NameServer | None = None) -> Rfc2136:
        return Rfc2136(server or self.server, name, key_file or self.key_file(name), "hmac-sha256")

    def serial(self) -> int:
        """The zone's serial number, which every change raises."""
        answer = dns.query.tcp(dns.message.make_query(f"{ZONE}.", "SOA"), "127.0.0.1", 5, self.port)
        return int(answer.answer[0][0].serial)

    def change(self, *addresses: str, name: str = RECORD.name, ttl: int = 45) -> RecordAnswer:
        """What somebody else does to a record, with nsupdate or a portal."""
        update = dns.update.UpdateMessage(f"{ZONE}.")
        update.use_tsig(dns.tsig.Key(KEY, self.secret, "hmac-sha256"))
        update.delete(f"{name}.", "A")
        for address in addresses:
            update.add(f"{name}.", ttl, "A", address)
        assert dns.query.tcp(update, "127.0.0.1", 5, self.port).rcode() == 0
        return RecordAnswer(addresses, ttl)

"""The sandbox's name server: the real named, asked over UDP. Signed updates are tested with the DNS adapter."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from sohistio.sandbox.traffic.name_server import NameServer, zone_file

ZONE = "corp.example.com"
QUERY, UPDATE = 0x0100, 0x2800
NOERROR, REFUSED = 0, 5
A, SOA = 1, 6


def ask(port: int, name: str, kind: int, flags: int = QUERY) -> bytes:
    """The answer to one DNS message with one question (RFC 1035), or to an update that changes nothing (RFC 2136)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    message = b"\x12\x34" + flags.to_bytes(2) + b"\x00\x01" + bytes(6) + labels + b"\0" + kind.to_bytes(2) + b"\0\1"
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.sendto(message, ("127.0.0.1", port))
        return asking.recv(512)


def test_it_answers_for_its_zone_and_takes_no_unsigned_update(tmp_path: Path) -> None:
    with NameServer(tmp_path / "dns", ZONE, {"app": "127.100.0.10"}) as server:
        answer = ask(server.port, f"app.{ZONE}", A)
        assert answer[3] & 15 == NOERROR
        assert answer.count(socket.inet_aton("127.100.0.10")) == 1
        assert ask(server.port, ZONE, SOA, UPDATE)[3] & 15 == REFUSED
        assert ask(server.port, "app.elsewhere.example.com", A)[3] & 15 == REFUSED
        assert stat.S_IMODE(server.key_file.stat().st_mode) == 0o600
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port), timeout=5):
        pass


def test_a_zone_file_has_its_records_and_a_name_server() -> None:
    lines = zone_file({"@": "127.0.0.5", "app": "127.100.0.10"}, 30).splitlines()
    assert lines[0] == "$TTL 30"
    assert {"@ IN NS ns", "ns IN A 127.0.0.1", "@ IN A 127.0.0.5", "app IN A 127.100.0.10"} <= set(lines)

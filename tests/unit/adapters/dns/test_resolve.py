"""Name servers asked directly: real ones of BIND, ones that are away, and one that is none."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from bind import DR, PROD, RECORD, ZONE, Bind
from sohistio.adapters.dns.adapter import Watch
from sohistio.adapters.dns.resolve import await_everywhere, resolve, resolve_agreed
from sohistio.adapters.dns.wire import NoAnswerError
from sohistio.errors import FailedError, InterruptedRunError, RefusedError
from sohistio.model.dns import DnsRecord, NameServer, RecordAnswer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app", RecordAnswer((PROD,), 45)),
        ("two", RecordAnswer((PROD, DR), 60)),
        ("missing", RecordAnswer(())),
        ("mail", RecordAnswer(())),
        ("alias", RecordAnswer((), 60, alias=RECORD.name)),
    ],
)
def test_what_a_name_server_says(bind: Bind, name: str, expected: RecordAnswer) -> None:
    assert resolve(DnsRecord(f"{name}.{ZONE}", ZONE), bind.server) == expected
    assert resolve(DnsRecord(f"{name}.{ZONE}", ZONE), NameServer("localhost", bind.port)) == expected


def test_a_server_without_the_zone(bind: Bind) -> None:
    with pytest.raises(NoAnswerError) as caught:
        resolve(DnsRecord("app.example.org", "example.org"), bind.server)
    assert caught.value.details == ("it answered REFUSED",)


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (NameServer("no-such-host.invalid"), "its name is unknown"),
        (NameServer("127.0.0.1", 1), "nothing came within 1 s"),
    ],
)
def test_a_server_that_is_not_there(server: NameServer, why: str) -> None:
    with pytest.raises(NoAnswerError) as caught:
        resolve(RECORD, server, 1)
    assert caught.value.what == f"the name server {server} gave no answer"
    assert why in caught.value.why


def test_a_lost_question_is_asked_again_until_the_time_is_over() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        with pytest.raises(NoAnswerError, match="gave no answer") as caught:
            resolve(RECORD, NameServer("127.0.0.1", silent.getsockname()[1]), 2)
        assert 1.9 < time.monotonic() - begun < 4
        silent.setblocking(False)
        assert [len(silent.recv(999)) > 0 for _ in range(2)] == [True, True]
    assert caught.value.why == "nothing came within 2 s"


def test_servers_that_agree_or_not(bind: Bind, tmp_path: Path) -> None:
    with Bind(tmp_path) as other:
        servers = (bind.server, other.server)
        other.change(PROD, ttl=60)
        assert resolve_agreed(RECORD, servers) == RecordAnswer((PROD,), 60)
        other.change(DR)
        with pytest.raises(RefusedError) as caught:
            resolve_agreed(RECORD, servers)
        assert caught.value.what == f"the name servers disagree about {RECORD}"
        assert caught.value.details == (f"{bind.server}: {PROD} (TTL 45 s)", f"{other.server}: {DR} (TTL 45 s)")
    with pytest.raises(NoAnswerError):
        resolve_agreed(RECORD, servers, 1)


def test_waiting_until_all_have_it(bind: Bind, tmp_path: Path) -> None:
    said: list[str] = []
    with Bind(tmp_path) as other:

        def change_the_other(line: str) -> None:
            said.append(line)
            other.change(DR)

        servers = (bind.server, other.server)
        bind.change(DR)
        assert await_everywhere(RECORD, servers, DR, 20, Watch(said=change_the_other)) == RecordAnswer((DR,), 45)
    assert said == [
        f"{RECORD} at {bind.server}: {DR}; {other.server}: {PROD}",
        f"{RECORD} at {bind.server}: {DR}; {other.server}: {DR}",
    ]


def test_waiting_has_an_end(bind: Bind, away: Bind) -> None:
    begun = time.monotonic()
    with pytest.raises(FailedError) as caught:
        await_everywhere(RECORD, (bind.server, away.server), DR, 0.5, Watch())
    assert time.monotonic() - begun < 5
    assert caught.value.what == f"not every name server answers {DR} for {RECORD} after 0.5 s"
    assert caught.value.details[0] == f"{bind.server}: {PROD} (TTL 45 s)"
    assert caught.value.details[1] == f"{away.server}: nothing came within 1 s"


def test_waiting_can_be_ended(bind: Bind) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        await_everywhere(RECORD, (bind.server,), DR, 60, Watch(stop))


def test_a_name_server_that_caches_keeps_the_old_address_for_its_ttl(bind: Bind, tmp_path: Path) -> None:
    with Bind(tmp_path, forwards_to=bind.port) as cache:
        bind.change(PROD, ttl=2)
        assert resolve(RECORD, cache.server) == RecordAnswer((PROD,), 2)
        assert resolve(DnsRecord(f"missing.{ZONE}", ZONE), cache.server) == RecordAnswer(())
        bind.change(DR, ttl=2)
        begun = time.monotonic()
        assert resolve(RECORD, cache.server).addresses == (PROD,)
        with pytest.raises(RefusedError, match="disagree"):
            resolve_agreed(RECORD, (bind.server, cache.server))
        assert await_everywhere(RECORD, (bind.server, cache.server), DR, 20, Watch()) == RecordAnswer((DR,), 2)
        assert time.monotonic() - begun < 10


def test_an_answer_too_long_for_a_datagram(bind: Bind) -> None:
    many = tuple(f"10.1.{number}.1" for number in range(60))
    bind.change(*many)
    assert resolve(RECORD, bind.server).addresses == tuple(sorted(many))


def test_two_records_are_not_the_one(bind: Bind) -> None:
    bind.change(PROD, DR)
    with pytest.raises(FailedError):
        await_everywhere(RECORD, (bind.server,), DR, 0, Watch())

"""Dynamic updates, at a real BIND."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest

from bind import DR, FIXED_ZONE, OTHER_KEY, PROD, RECORD, ZONE, Bind
from sohistio.adapters.dns.adapter import RecordChangedError
from sohistio.adapters.dns.rfc2136 import Rfc2136Dns
from sohistio.adapters.dns.wire import NoAnswerError
from sohistio.errors import ExitCode, FailedError, RefusedError
from sohistio.model.dns import DnsRecord, NameServer, RecordAnswer

AS_PROD = RecordAnswer((PROD,), 45)


def test_the_record_is_switched_and_switched_back_with_its_ttl(bind: Bind) -> None:
    adapter = Rfc2136Dns(RECORD, bind.settings())
    before = adapter.current()
    assert before == AS_PROD
    after = adapter.apply(before, DR)
    assert after == adapter.current() == RecordAnswer((DR,), 45)
    assert adapter.apply(after, PROD) == before


def test_rights_are_tried_without_a_change(bind: Bind) -> None:
    serial = bind.serial()
    Rfc2136Dns(RECORD, bind.settings()).check_rights()
    assert bind.serial() == serial
    Rfc2136Dns(RECORD, bind.settings()).apply(AS_PROD, DR)
    assert bind.serial() > serial


@pytest.mark.parametrize("others", [("10.9.9.9",), (PROD, DR), (DR,), ()], ids=str)
def test_a_record_that_was_changed_meanwhile_is_left_alone(bind: Bind, others: tuple[str, ...]) -> None:
    adapter = Rfc2136Dns(RECORD, bind.settings())
    before = adapter.current()
    bind.change(*others)
    serial = bind.serial()
    with pytest.raises(RecordChangedError) as caught:
        adapter.apply(before, DR)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert caught.value.now.addresses == tuple(sorted(others))
    assert caught.value.details[0] == f"when it was read: {PROD} (TTL 45 s)"
    assert caught.value.details[1] == f"now: {caught.value.now}"
    assert bind.serial() == serial


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("two", RecordAnswer((PROD, DR), 60)),
        ("missing", RecordAnswer(())),
        ("mail", RecordAnswer(())),
        ("alias", RecordAnswer((), 60, alias=RECORD.name)),
    ],
)
def test_what_other_records_show(bind: Bind, name: str, expected: RecordAnswer) -> None:
    adapter = Rfc2136Dns(DnsRecord(f"{name}.{ZONE}", ZONE), bind.settings())
    assert adapter.current() == expected
    if not expected.addresses:
        with pytest.raises(RefusedError, match="cannot be tried"):
            adapter.check_rights()


def test_a_record_that_did_not_exist_is_only_made_while_it_does_not(bind: Bind) -> None:
    adapter = Rfc2136Dns(DnsRecord(f"new.{ZONE}", ZONE), bind.settings())
    assert adapter.apply(RecordAnswer((), 30), DR) == RecordAnswer((DR,), 30)
    with pytest.raises(RecordChangedError):
        adapter.apply(RecordAnswer((), 30), PROD)
    bind.change(name=f"new.{ZONE}")


def test_a_key_of_another_secret(bind: Bind) -> None:
    key_file = bind.key_file("sohistio", "b3RoZXIgc2VjcmV0IG9mIDMyIGJ5dGVzIGhlcmUuLi4=")
    adapter = Rfc2136Dns(RECORD, bind.settings(key_file=key_file))
    for act in (adapter.current, adapter.check_rights, lambda: adapter.apply(AS_PROD, DR)):
        with pytest.raises(RefusedError) as caught:
            act()
        assert caught.value.what == f"the name server {bind.server} rejects the signature of the key sohistio"
        assert "keyFile" in caught.value.todo
    assert Rfc2136Dns(RECORD, bind.settings()).current() == AS_PROD


def test_a_key_that_the_server_does_not_know(bind: Bind) -> None:
    with pytest.raises(RefusedError, match="does not know the key stranger"):
        Rfc2136Dns(RECORD, bind.settings("stranger")).check_rights()


def test_a_key_that_lacks_permission(bind: Bind) -> None:
    adapter = Rfc2136Dns(RECORD, bind.settings(OTHER_KEY))
    assert adapter.current() == AS_PROD
    for act in (adapter.check_rights, lambda: adapter.apply(AS_PROD, DR)):
        with pytest.raises(RefusedError) as caught:
            act()
        assert f"the key {OTHER_KEY} lacks permission to change {RECORD}" in caught.value.what
        assert caught.value.details == ("it answered REFUSED",)
    assert adapter.current() == AS_PROD


def test_a_zone_that_takes_no_updates(bind: Bind) -> None:
    with pytest.raises(RefusedError, match=f"the key sohistio lacks permission to change app.{FIXED_ZONE}"):
        Rfc2136Dns(DnsRecord(f"app.{FIXED_ZONE}", FIXED_ZONE), bind.settings()).check_rights()


def test_a_zone_that_the_server_does_not_have(bind: Bind) -> None:
    adapter = Rfc2136Dns(DnsRecord("app.example.org", "example.org"), bind.settings())
    with pytest.raises(RefusedError, match="gave no answer") as caught:
        adapter.current()
    assert caught.value.details == ("it answered REFUSED",)
    with pytest.raises(RefusedError, match=r"not the authority for the zone example\.org"):
        adapter.apply(AS_PROD, DR)


def test_a_server_that_is_away_is_given_up_soon(away: Bind) -> None:
    adapter = Rfc2136Dns(RECORD, away.settings(), seconds=1)
    begun = time.monotonic()
    for act in (adapter.current, lambda: adapter.apply(AS_PROD, DR)):
        with pytest.raises(NoAnswerError) as caught:
            act()
        assert caught.value.details == ("Connection refused",)
    assert time.monotonic() - begun < 5


@contextmanager
def listening(answer: dns.rcode.Rcode | None, signed: dns.tsig.Key | None = None) -> Iterator[NameServer]:
    """Over TCP, something that answers with a code, unsigned or signed by some key, or takes messages and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            for _ in range(9):
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                taken.append(connection)
                if answer is not None:
                    message = dns.message.from_wire(connection.recv(4096)[2:], keyring=False)
                    reply = type(message)(id=message.id)
                    reply.flags = message.flags | dns.flags.QR
                    reply.sections[0] = message.sections[0]
                    reply.set_rcode(answer)
                    if signed:
                        reply.use_tsig(signed)
                    wire = reply.to_wire()
                    connection.sendall(len(wire).to_bytes(2, "big") + wire)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield NameServer("127.0.0.1", server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in taken:
            connection.close()


def test_a_server_that_says_nothing_is_given_up_in_time(bind: Bind) -> None:
    with listening(None) as server:
        adapter = Rfc2136Dns(RECORD, bind.settings(server=server), seconds=0.5)
        begun = time.monotonic()
        with pytest.raises(FailedError) as caught:
            adapter.apply(AS_PROD, DR)
        assert time.monotonic() - begun < 3
    assert caught.value.details == ("nothing came over TCP within 0.5 s", "nothing came over TCP within 0.5 s")


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (dns.rcode.REFUSED, "lacks permission to change"),
        (dns.rcode.NOTIMP, "takes no dynamic updates"),
        (dns.rcode.SERVFAIL, "could not change"),
        (dns.rcode.NOTZONE, "is not the authority"),
    ],
)
def test_answers_without_a_signature(bind: Bind, code: dns.rcode.Rcode, what: str) -> None:
    with listening(code) as server:
        adapter = Rfc2136Dns(RECORD, bind.settings(server=server))
        with pytest.raises(RefusedError, match=what):
            adapter.apply(AS_PROD, DR)


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        (None, "its answer is not signed"),
        (dns.tsig.Key("sohistio", "b3RoZXI=", "hmac-sha256"), "the signature of its answer is not good"),
    ],
)
def test_a_good_answer_without_a_good_signature_is_not_believed(
    bind: Bind, signed: dns.tsig.Key | None, why: str
) -> None:
    with listening(dns.rcode.NOERROR, signed) as server:
        adapter = Rfc2136Dns(RECORD, bind.settings(server=server))
        with pytest.raises(NoAnswerError) as refused:
            adapter.current()
        assert why in refused.value.why
        with pytest.raises(FailedError, match=r"whether app\.corp\.example\.com was changed is not known"):
            adapter.apply(AS_PROD, DR)


# --- the key's file -------------------------------------------------------------------------------------------------


def test_a_key_file_of_base64_alone(bind: Bind, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{bind.secret}\n")
    Rfc2136Dns(RECORD, bind.settings(key_file=tmp_path / "secret")).check_rights()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("no base64 at all", "holds no TSIG key"),
        (
            'key "other" { algorithm hmac-sha256; secret "c2VjcmV0"; };',
            "has the key other, the environment names sohistio",
        ),
        (
            'key "sohistio" { algorithm hmac-sha512; secret "c2VjcmV0"; };',
            "has the algorithm hmac-sha512, the environment names hmac-sha256",
        ),
    ],
)  # fmt: skip
def test_a_key_file_that_is_none(bind: Bind, tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(RefusedError) as caught:
        Rfc2136Dns(RECORD, bind.settings(key_file=path)).current()
    assert what in caught.value.what
    assert "c2VjcmV0" not in str(caught.value.document())


def test_a_key_file_that_is_not_there(bind: Bind, tmp_path: Path) -> None:
    adapter = Rfc2136Dns(RECORD, replace(bind.settings(), key_file=tmp_path / "nowhere"))
    with pytest.raises(RefusedError, match=r"nowhere cannot be read") as caught:
        adapter.current()
    assert caught.value.details == ("No such file or directory",)


def test_the_plan_says_what_will_be_done(bind: Bind) -> None:
    text = Rfc2136Dns(RECORD, bind.settings()).describe(DR)
    assert text.startswith(f"set the A record app.corp.example.com to {DR} by a dynamic update at {bind.server}")
    assert bind.secret not in text

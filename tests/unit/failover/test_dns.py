"""Whether a record may be switched, from what it shows."""

from __future__ import annotations

import pytest

from sohistio.errors import RefusedError
from sohistio.failover.dns import environment_of, ttl_warning
from sohistio.model.dns import DnsRecord, DnsSettings, Manual, NameServer, RecordAnswer

RECORD = DnsRecord("app.corp.example.com", "corp.example.com")
PROD, DR = "10.20.20.221", "10.30.0.9"
SIDES = {"prod": PROD, "dr": DR}


@pytest.mark.parametrize(("address", "expected"), [(PROD, "prod"), (DR, "dr")])
def test_the_environment_that_it_leads_to(address: str, expected: str) -> None:
    assert environment_of(RECORD, RecordAnswer((address,), 60), SIDES) == expected


@pytest.mark.parametrize(
    ("answer", "what", "shown"),
    [
        (RecordAnswer(()), "app.corp.example.com has no A record in the zone corp.example.com", "no A record"),
        (RecordAnswer((PROD, DR), 60), "has 2 A records: a failover switches one", f"{PROD}, {DR} (TTL 60 s)"),
        (RecordAnswer(("10.9.9.9",), 60), "shows an address of neither prod nor dr: 10.9.9.9", "10.9.9.9 (TTL 60 s)"),
        (RecordAnswer((), 60, alias="lb.example.com"), "an alias (CNAME)", "an alias (CNAME) of lb.example.com"),
    ],
)
def test_a_refusal_says_what_the_record_shows(answer: RecordAnswer, what: str, shown: str) -> None:
    with pytest.raises(RefusedError) as caught:
        environment_of(RECORD, answer, SIDES)
    assert what in caught.value.what
    assert caught.value.details == (
        f"app.corp.example.com now: {shown}",
        f"the ingress address of prod: {PROD}",
        f"the ingress address of dr: {DR}",
    )
    assert caught.value.todo


def test_two_sides_with_one_address() -> None:
    with pytest.raises(RefusedError, match="the same ingress address"):
        environment_of(RECORD, RecordAnswer((PROD,)), {"prod": PROD, "dr": PROD})


@pytest.mark.parametrize(("ttl", "warns"), [(0, False), (60, False), (61, True), (86400, True)])
def test_a_long_ttl_is_worth_a_warning(ttl: int, warns: bool) -> None:
    text = ttl_warning(RECORD, RecordAnswer((PROD,), ttl), 60)
    assert (text is not None) is warns
    if text:
        assert text.startswith(f"the TTL of app.corp.example.com is {ttl} s, above 1m")


@pytest.mark.parametrize(("ttl", "expected"), [(30, 90), (300, 330)])
def test_how_long_name_servers_may_keep_the_old_address(ttl: int, expected: int) -> None:
    settings = DnsSettings(RECORD, (NameServer("10.0.0.4"),), 60, Manual("ask", 60))
    assert settings.settle_seconds(RecordAnswer((PROD,), ttl)) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [(RECORD.name, "app"), (RECORD.zone, "@"), ("a.b.corp.example.com", "a.b")]
)
def test_the_name_within_the_zone(name: str, expected: str) -> None:
    assert DnsRecord(name, RECORD.zone).relative == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.4", NameServer("10.0.0.4")),
        ("10.0.0.5:5353", NameServer("10.0.0.5", 5353)),
        ("ns.example.com", NameServer("ns.example.com")),
        ("[fd00::4]", NameServer("fd00::4")),
        ("[::1]:5353", NameServer("::1", 5353)),
    ],
)
def test_a_name_server_as_it_is_written(text: str, expected: NameServer) -> None:
    assert NameServer.parse(text) == expected
    assert NameServer.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "a:b", "10.0.0.4:0", "10.0.0.4:65536", "fd00::4", "a b", "[::1", "udp://10.0.0.4"]
)
def test_what_is_no_name_server(text: str) -> None:
    with pytest.raises(ValueError, match="expected a name server"):
        NameServer.parse(text)

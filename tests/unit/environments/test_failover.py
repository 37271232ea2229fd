"""The part `failover` of an environment: what it becomes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from sohistio.environments.failover import Failover
from sohistio.environments.load import load_environment
from sohistio.errors import UsageError
from sohistio.model.dns import AzurePrivateDns, DnsProvider, DnsRecord, Manual, NameServer, Program, Rfc2136
from sohistio.model.failover import FailoverSettings, Probe

SHIPPED = Path(__file__).parents[3] / "environments"
VARIABLES = {"SOHISTIO_IP_PREFIX": "10.20", "SOHISTIO_SUBSCRIPTION": "s", "KEY_FILE": "keys/dns.key"}
FOLDER = Path("/environments/dr")
WHOLE = """\
failover:
  dns:
    record: app.corp.example.com
    zone: corp.example.com
    servers: [10.0.0.4, "10.0.0.5:5353"]
    maxTtl: 2m
    rfc2136: {server: 10.0.0.4, keyName: sohistio, keyFile: "${KEY_FILE}"}
  probes:
    - url: https://app.corp.example.com/health
      header: "x-region: {environment}"
      ca: ca.pem
    - {url: "https://app.corp.example.com/", status: 204, body: '{"at":"{environment}"}', ca: null, count: 3}
  holdDown: 15m
  before: {argv: [./database-is-writable.sh, --quick]}
"""
RECORD = {"record": "app.corp.example.com", "zone": "corp.example.com", "servers": ["10.0.0.4"]}
HAND = {"manual": {"instructions": "ask"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The shipped base and prod, and a dr of its own with `failover`."""
    for name in ("base", "prod", "dr"):
        (tmp_path / name).mkdir()
        for shipped in (SHIPPED / name).iterdir():
            (tmp_path / name / shipped.name).write_text(shipped.read_text())
    with (tmp_path / "dr/environment.yaml").open("a") as file:
        file.write(WHOLE)
    return tmp_path


def test_an_environment_with_all_of_it(root: Path) -> None:
    failover = load_environment("dr", root, VARIABLES).failover
    assert failover is not None
    settings = failover.settings(root / "dr")
    assert settings.dns.record == DnsRecord("app.corp.example.com", "corp.example.com")
    assert settings.dns.servers == (NameServer("10.0.0.4"), NameServer("10.0.0.5", 5353))
    assert settings.dns.max_ttl == 120
    key_file = root / "dr/keys/dns.key"
    assert settings.dns.provider == Rfc2136(NameServer("10.0.0.4"), "sohistio", key_file, "hmac-sha256")
    assert settings.hold_down == 900
    assert settings.before == Program(("./database-is-writable.sh", "--quick"), root / "dr", 60)
    first, second = settings.probes
    assert first == Probe(
        "https://app.corp.example.com/health", 200, "x-region: {environment}", None, root / "dr/ca.pem", 5
    )
    assert first.tells_apart
    assert first.expecting("dr").header == "x-region: dr"
    assert second.expecting("prod") == Probe("https://app.corp.example.com/", 204, None, '{"at":"prod"}', None, 3)


def test_it_is_written_as_it_is_read(root: Path) -> None:
    document = load_environment("dr", root, VARIABLES).document()["failover"]
    assert Failover.model_validate(document) == load_environment("dr", root, VARIABLES).failover
    assert document["dns"]["maxTtl"] == "2m"


def test_the_folder_of_an_environment_may_be_relative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    failover = Failover.model_validate({"dns": RECORD | {"command": {"argv": ["./switch"]}}})
    assert failover.settings(Path("environments/dr")).dns.provider == Program(
        ("./switch",), tmp_path / "environments/dr", 60
    )


def test_only_a_standby_has_it(root: Path) -> None:
    with (root / "prod/environment.yaml").open("a") as file:
        file.write(WHOLE)
    with pytest.raises(UsageError) as caught:
        load_environment("prod", root, VARIABLES)
    assert caught.value.details[0].endswith("expected standbyOf beside failover: it is about a standby")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("azurePrivateDns: {subscription: s, resourceGroup: rg-dns}", AzurePrivateDns("s", "rg-dns")),
        (
            "rfc2136: {server: ns.example.com, port: 5353, keyName: k, keyFile: /keys/k, algorithm: hmac-sha512}",
            Rfc2136(NameServer("ns.example.com", 5353), "k", Path("/keys/k"), "hmac-sha512"),
        ),
        ("command: {argv: [switch-dns, -v], timeout: 90s}", Program(("switch-dns", "-v"), FOLDER, 90)),
        ("manual: {instructions: Ask the network team (ext. 4711)}", Manual("Ask the network team (ext. 4711)", 1800)),
        ("manual: {instructions: ask, timeout: 10m}", Manual("ask", 600)),
    ],
)
def test_who_changes_the_record(text: str, expected: DnsProvider) -> None:
    settings = settings_of(RECORD | yaml.safe_load(text))
    assert settings.dns.provider == expected
    assert (settings.dns.max_ttl, settings.hold_down, settings.probes, settings.before) == (60, 600, (), None)


def settings_of(dns: dict[str, Any], **others: Any) -> FailoverSettings:
    return Failover.model_validate({"dns": dns} | others).settings(FOLDER)


@pytest.mark.parametrize(
    ("dns", "message"),
    [
        ({}, "expected one of azurePrivateDns, rfc2136, command and manual"),
        (HAND | {"command": {"argv": ["x"]}}, "expected one of azurePrivateDns, rfc2136, command and manual"),
        (HAND | {"record": "app.example.org"}, "expected record to be within the zone corp.example.com"),
        (HAND | {"record": "notcorp.example.com"}, "expected record to be within the zone"),
        (HAND | {"record": "App.corp.example.com"}, "expected a full name in lower case"),
        (HAND | {"zone": "corp.example.com."}, "without a final dot"),
        (HAND | {"servers": []}, "expected at least one name server"),
        (HAND | {"servers": ["10.0.0.4", "10.0.0.4:53"]}, "expected each name server once"),
        (HAND | {"servers": ["udp://10.0.0.4"]}, "expected a name server such as 10.0.0.4"),
        (HAND | {"maxTtl": 60}, "expected a duration"),
        ({"command": {"argv": []}}, "expected a program and its arguments"),
        ({"rfc2136": {"server": "10.0.0.4:53530", "keyName": "k", "keyFile": "k"}}, "expected the port as a key"),
        ({"rfc2136": {"server": "10.0.0.4", "port": 65536, "keyName": "k", "keyFile": "k"}}, "at most 65535"),
        (
            {"rfc2136": {"server": "10.0.0.4", "keyName": "k", "keyFile": "k", "algorithm": "hmac-md5"}},
            "expected one of hmac-sha256, hmac-sha384, hmac-sha512",
        ),
    ],
)
def test_dns_that_cannot_be(dns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace(".", r"\.")):
        settings_of(RECORD | dns)


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"url": "http://app.corp.example.com/"}, "expected an https URL"),
        ({"url": "https://user:word@app.corp.example.com/"}, "expected an https URL"),
        ({"url": "https://a.example.com/", "header": "x-region"}, "expected a header such as"),
        ({"url": "https://a.example.com/", "count": 0}, "greater than or equal to 1"),
    ],
)
def test_probes_that_cannot_be(probe: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings_of(RECORD | HAND, probes=[probe])


def test_a_key_in_place_of_its_files_path_is_not_repeated(root: Path) -> None:
    secret = "b3RoZXIgc2VjcmV0IG9mIDMyIGJ5dGVzIGhlcmUuLi4="
    with pytest.raises(UsageError) as caught:
        load_environment("dr", root, VARIABLES | {"KEY_FILE": secret})
    assert "expected keyFile to be the path of a file, never the key itself" in caught.value.details[0]
    assert secret not in str(caught.value.document())

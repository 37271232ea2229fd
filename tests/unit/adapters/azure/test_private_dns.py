"""An A record of a private DNS zone, by the real client library, at an Azure on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azure_server import CLIENT, OBJECT, SECRET, TENANT, Answer, Azure, arm_error
from azure_zone import CONTRIBUTOR, GROUP, READER, SUBSCRIPTION, ZONE, ZONE_ID
from azure_zone import Zone as AzureZone
from sohistio.adapters.azure.account import AzureLogin
from sohistio.adapters.azure.login import Login
from sohistio.adapters.azure.private_dns import AzureDns
from sohistio.adapters.dns.adapter import RecordChangedError, Watch
from sohistio.adapters.dns.choose import dns_adapter
from sohistio.errors import ExitCode, FailedError, RefusedError
from sohistio.model.auth import Auth
from sohistio.model.dns import AzurePrivateDns, DnsRecord, DnsSettings, NameServer, RecordAnswer
from sohistio.model.managed_cluster import AzureCloud

RECORD = DnsRecord(f"app.{ZONE}", ZONE)
PROD, DR = "10.20.20.221", "10.30.0.9"
NO_ANSWER = Answer(-1, None)  # a status that breaks the connection off for every client
METADATA = {"owner": "network team"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    with Azure(tmp_path_factory.mktemp("azure")) as azure:
        yield azure


@pytest.fixture
def azure(running: Azure, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """With a service principal's variables, and without the routes and answers of other tests."""
    routes = list(running.routes)
    for name, value in (
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_CLIENT_SECRET", SECRET),
        ("REQUESTS_CA_BUNDLE", str(running.authority_file)),
    ):
        monkeypatch.setenv(name, value)
    running.asked.clear()
    yield running
    running.routes[:] = routes
    running.instead.clear()


@pytest.fixture
def zone(azure: Azure) -> AzureZone:
    zone = AzureZone(azure)
    zone.put("app", PROD, ttl=45, metadata=METADATA)
    return zone


def adapter_at(azure: Azure, record: DnsRecord = RECORD, group: str = GROUP) -> AzureDns:
    cloud = AzureCloud(azure.url, azure.url, instance_discovery=False)
    login = AzureLogin(Login(Auth.ENVIRONMENT, cloud=cloud))
    return AzureDns(record, AzurePrivateDns(SUBSCRIPTION, group), login)


def test_the_record_is_switched_and_switched_back(zone: AzureZone) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    assert (before.addresses, before.ttl, before.guard) == ((PROD,), 45, zone.etags["app"])
    after = adapter.apply(before, DR)
    assert (after.addresses, after.ttl, after.guard) == ((DR,), 45, zone.etags["app"])
    assert zone.sets["app"]["metadata"] == METADATA
    assert after == adapter.current()
    assert adapter.apply(after, PROD).addresses == (PROD,)


def test_rights_are_asked_for_and_nothing_is_written(zone: AzureZone) -> None:
    adapter_at(zone.azure).check_rights()
    assert "put" not in [kind for kind, _ in zone.azure.asked]


@pytest.mark.parametrize("addresses", [("10.9.9.9",), (PROD, DR), (PROD,)], ids=str)
def test_a_record_that_was_changed_since_it_was_read(zone: AzureZone, addresses: tuple[str, ...]) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    zone.put("app", *addresses)
    changed = zone.etags["app"]
    with pytest.raises(RecordChangedError) as caught:
        adapter.apply(before, DR)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert caught.value.now.addresses == addresses
    assert caught.value.details[1] == f"now: {', '.join(addresses)} (TTL 60 s)"
    assert zone.etags["app"] == changed


def test_a_record_that_is_changed_at_the_same_moment(zone: AzureZone) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    zone.before_put = lambda: zone.put("app", "10.9.9.9")
    with pytest.raises(RecordChangedError) as caught:
        adapter.apply(before, DR)
    assert caught.value.details == (f"when it was read: {PROD} (TTL 45 s)", "now: 10.9.9.9 (TTL 60 s)")
    assert ("put", f"{ZONE_ID}/A/app") in zone.azure.asked


def test_a_write_whose_answer_was_lost_and_that_was_sent_again(zone: AzureZone) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    zone.before_put = lambda: zone.put("app", DR, ttl=45)
    assert adapter.apply(before, DR).addresses == (DR,)


def test_a_record_that_is_gone(zone: AzureZone) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    del zone.sets["app"]
    with pytest.raises(RecordChangedError) as caught:
        adapter.apply(before, DR)
    assert caught.value.details[1] == "now: no A record"


def test_other_records(zone: AzureZone) -> None:
    zone.put("two", PROD, DR)
    zone.put("@", PROD)
    assert adapter_at(zone.azure, DnsRecord(f"two.{ZONE}", ZONE)).current().addresses == (PROD, DR)
    assert adapter_at(zone.azure, DnsRecord(ZONE, ZONE)).current().addresses == (PROD,)
    assert adapter_at(zone.azure, DnsRecord(f"missing.{ZONE}", ZONE)).current() == RecordAnswer(())


@pytest.mark.parametrize(
    ("record", "group"),
    [(DnsRecord("app.example.org", "example.org"), GROUP), (RECORD, "rg-other")],
    ids=["zone", "group"],
)
def test_a_zone_that_is_not_there(zone: AzureZone, record: DnsRecord, group: str) -> None:
    adapter = adapter_at(zone.azure, record, group)
    for act in (adapter.current, adapter.check_rights):
        with pytest.raises(RefusedError) as caught:
            act()
        assert caught.value.what == f"Azure has no private DNS zone {record.zone} in {group}"
        assert "below failover.dns" in caught.value.todo


def test_a_login_that_lacks_permission_to_write(zone: AzureZone) -> None:
    zone.permissions = [READER]
    adapter = adapter_at(zone.azure)
    with pytest.raises(RefusedError) as caught:
        adapter.check_rights()
    assert caught.value.what == f"this login lacks permission to change A records of the private DNS zone {ZONE}"
    assert caught.value.details == (f"it lacks Microsoft.Network/privateDnsZones/A/write at {ZONE_ID}",)
    with pytest.raises(RefusedError) as caught:
        adapter.apply(adapter.current(), DR)
    assert caught.value.what == (f"this login lacks permission to change A records of the private DNS zone {ZONE}")
    assert f"Have the role 'Private DNS Zone Contributor' assigned to object {OBJECT}" in caught.value.todo
    assert zone.sets["app"]["aRecords"] == [{"ipv4Address": PROD}]


def test_a_login_that_lacks_permission_to_read(zone: AzureZone) -> None:
    zone.permissions = []
    for act in (adapter_at(zone.azure).current, adapter_at(zone.azure).check_rights):
        with pytest.raises(RefusedError, match="lacks permission to read A records"):
            act()


@pytest.mark.parametrize(
    ("permissions", "may"),
    [
        ([CONTRIBUTOR], True),
        ([{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}], True),
        ([READER, {"actions": ["microsoft.network/privatednszones/A/*"]}], True),
        ([{"actions": ["*"], "notActions": ["Microsoft.Network/privateDnsZones/*/write"]}], False),
        ([{"actions": ["Microsoft.Network/privateDnsZones/AAAA/write"]}], False),
        ([], False),
    ],
)  # fmt: skip
def test_what_roles_grant(zone: AzureZone, permissions: list[dict[str, Any]], may: bool) -> None:
    zone.azure.instead["zone"] = [Answer(200, {"id": ZONE_ID, "name": ZONE, "location": "global"})]
    zone.permissions = permissions
    if may:
        adapter_at(zone.azure).check_rights()
    else:
        with pytest.raises(RefusedError, match="lacks permission to change"):
            adapter_at(zone.azure).check_rights()


def test_a_zone_with_a_lock(zone: AzureZone) -> None:
    zone.locked = True
    adapter = adapter_at(zone.azure)
    with pytest.raises(RefusedError, match=f"a lock on the private DNS zone {ZONE} forbids") as caught:
        adapter.apply(adapter.current(), DR)
    assert "az lock list" in caught.value.todo


def test_a_login_that_is_rejected(zone: AzureZone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong-word")
    with pytest.raises(RefusedError, match="Azure rejects the service principal") as caught:
        adapter_at(zone.azure).current()
    assert "wrong-word" not in str(caught.value.document())


def test_an_azure_in_trouble(zone: AzureZone) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    zone.azure.instead["put"] = [arm_error(400, "BadRequest", "The request is not good.")]
    with pytest.raises(RefusedError, match="Azure does not accept the change") as caught:
        adapter.apply(before, DR)
    assert "The request is not good." in caught.value.details[0]


@pytest.mark.usefixtures("zone")
def test_an_azure_that_is_away(tmp_path: Path) -> None:
    with Azure(tmp_path) as gone:
        pass
    with pytest.raises(RefusedError, match="Azure cannot be reached"):
        adapter_at(gone).current()


def test_the_settings_choose_it_with_the_clusters_login(zone: AzureZone) -> None:
    named = adapter_at(zone.azure)
    settings = DnsSettings(RECORD, (NameServer("10.0.0.4"),), 60, named.settings)
    adapter = dns_adapter(settings, lambda: named.login, Watch())
    assert adapter.current().addresses == (PROD,)
    assert adapter.describe(DR) == (
        f"set the A record {RECORD} to {DR} in the private DNS zone {ZONE} (resource group {GROUP}), if nobody else "
        "changes it meanwhile"
    )


@pytest.mark.parametrize("answer", [NO_ANSWER, arm_error(500, "InternalServerError", "oh")], ids=["none", "500"])
def test_nothing_is_certain_where_azure_confirms_nothing(zone: AzureZone, answer: Answer) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    zone.azure.instead["put"] = [answer] * 9
    with pytest.raises(FailedError) as caught:
        adapter.apply(before, DR)
    assert caught.value.what == f"{RECORD} is unchanged so far: Azure gave no good answer to the change"
    assert caught.value.details[-1] == f"now: {PROD} (TTL 45 s)"


def test_a_change_that_is_made_and_not_confirmed(zone: AzureZone) -> None:
    adapter = adapter_at(zone.azure)
    before = adapter.current()
    zone.unconfirmed = True
    assert adapter.apply(before, DR) == adapter.current()
    assert zone.sets["app"]["aRecords"] == [{"ipv4Address": DR}]

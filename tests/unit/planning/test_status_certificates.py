"""Which certificate ends first, which end soon, and which nobody could look at."""

from __future__ import annotations

from sohistio.fleet.row import Certificates
from sohistio.model.authority import Authority, AuthorityCertificate, LiveAuthority
from sohistio.model.certificate import Certificate, GatewayCertificate, MeshCertificates
from sohistio.model.state import ObjectRef
from sohistio.planning.status_facts import certificates_of

NOW, DAY = 1_000_000_000.0, 86400.0


def authority(days: float, *, unread: bool = False) -> LiveAuthority:
    root = AuthorityCertificate("O=root", "O=root", "aa", NOW + days * DAY, "")
    return LiveAuthority("cacerts", Authority(roots=(root,)), (root,), unread=unread)


def gateway(name: str, days: float | None, *, unread: bool = False) -> GatewayCertificate:
    found = None if days is None else Certificate("bb", NOW + days * DAY, "")
    return GatewayCertificate(ObjectRef("Secret", "istio-system", name), found, unread)


def test_the_first_to_end_and_all_that_end_soon() -> None:
    found = MeshCertificates(authority(80), (gateway("far", 31), gateway("near", 29)))
    assert certificates_of(found, NOW) == Certificates(
        "Secret istio-system/near",
        NOW + 29 * DAY,
        ("Secret istio-system/near", "CA O=root"),
    )


def test_what_ended_is_the_first_of_all() -> None:
    found = certificates_of(MeshCertificates(authority(400), (gateway("old", -1), gateway("far", 300))), NOW)
    assert (found.name, found.soon) == ("Secret istio-system/old", ("Secret istio-system/old",))


def test_what_was_not_read_is_named() -> None:
    found = MeshCertificates(authority(400, unread=True), (gateway("hidden", None, unread=True), gateway("gone", None)))
    assert certificates_of(found, NOW) == Certificates(
        "CA O=root", NOW + 400 * DAY, (), ("the CA's own certificate", "Secret istio-system/hidden")
    )


def test_there_may_be_none() -> None:
    assert certificates_of(MeshCertificates(), NOW) == Certificates()

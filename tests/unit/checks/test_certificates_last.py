"""How the ends of certificates are judged, in preflight and in the verification: tables."""

from __future__ import annotations

import pytest

from sohistio.checks.certificates import (
    CertificateEvidence,
    Unread,
    authority_judged,
    certificates_last,
    declared_judged,
    gateways_judged,
    workloads_judged,
)
from sohistio.checks.result import Result
from sohistio.model.authority import Authority, AuthorityCertificate, LiveAuthority
from sohistio.model.certificate import Certificate, GatewayCertificate, MeshCertificates, WorkloadLife
from sohistio.model.fault import Fault, Severity
from sohistio.model.state import ObjectRef

DAY = 86400.0
NOW = 1_800_000_000.0
WEB = ObjectRef("Secret", "istio-system", "web-tls")
ERROR, WARNING = Severity.ERROR, Severity.WARNING


def ca(days: float, name: str = "CN=Mesh", issuer: str = "CN=Root") -> AuthorityCertificate:
    return AuthorityCertificate(name, issuer, f"{name}{days}", NOW + days * DAY, "2030-01-01")


def corporate(days: float, root_days: float = 3000) -> LiveAuthority:
    own, root = ca(days), ca(root_days, "CN=Root")
    return LiveAuthority("cacerts", Authority(own, (own,), (root,)), (root,))


@pytest.mark.parametrize(
    ("days", "root_days", "within", "expected"),
    [
        (400, 3000, None, []),
        (400, 3000, 30, []),
        (400, 3000, 401, [(ERROR, "the CA's certificate CN=Mesh ends in 400 days (2030-01-01), within 401 days")]),
        (89.9, 3000, None, [(WARNING, "the CA's certificate CN=Mesh ends in 89 days (2030-01-01)")]),
        (89.9, 3000, 30, [(WARNING, "the CA's certificate CN=Mesh ends in 89 days (2030-01-01)")]),
        (29, 3000, 30, [(ERROR, "the CA's certificate CN=Mesh ends in 29 days (2030-01-01), within 30 days")]),
        (0.5, 3000, None, [(WARNING, "the CA's certificate CN=Mesh ends in 12 hours (2030-01-01)")]),
        (0, 3000, None, [(ERROR, "the CA's certificate CN=Mesh expired on 2030-01-01")]),
        (400, -1, None, [(ERROR, "the CA's certificate CN=Root expired on 2030-01-01")]),
        (
            50,
            40,
            45,
            [
                (WARNING, "the CA's certificate CN=Mesh ends in 50 days (2030-01-01)"),
                (ERROR, "the CA's certificate CN=Root ends in 40 days (2030-01-01), within 45 days"),
            ],
        ),
    ],
)
def test_the_ca(days: float, root_days: float, within: float | None, expected: list[tuple[Severity, str]]) -> None:
    found = list(authority_judged(corporate(days, root_days), NOW, within * DAY if within else None))
    assert [(item.severity, item.message) for item in found if isinstance(item, Fault)] == expected
    fine = "a corporate CA signs (Secret cacerts): CN=Mesh, issued by CN=Root; CN=Mesh 400 days left, "
    assert [item for item in found if isinstance(item, str)] == ([] if expected else [f"{fine}CN=Root 3000 days left"])


def test_an_expired_intermediate_counts() -> None:
    own, middle, root = ca(400, issuer="CN=Middle"), ca(-1, "CN=Middle"), ca(3000, "CN=Root")
    live = LiveAuthority("cacerts", Authority(own, (own, middle), (root,)))
    (found,) = authority_judged(live, NOW)
    assert isinstance(found, Fault)
    assert found.message == "the CA's certificate CN=Middle expired on 2030-01-01"


def test_what_signs_is_said() -> None:
    root = ca(3649, "O=cluster.local", "O=cluster.local")
    own = LiveAuthority("istio-ca-secret", Authority(root, roots=(root,)), (root,), self_signed=True)
    assert list(authority_judged(own, NOW)) == [
        "istiod's own self-signed root signs (Secret istio-ca-secret): O=cluster.local 3649 days left"
    ]
    itself = LiveAuthority("cacerts", own.authority, (root,))
    (said,) = authority_judged(itself, NOW)
    assert isinstance(said, str)
    assert "issued by itself" in said
    unread, said = authority_judged(LiveAuthority("", Authority(roots=(root,)), (root,), unread=True), NOW)
    assert isinstance(unread, Unread)
    assert "Role sohistio-installer" in unread.hint
    assert said == "the mesh's root: O=cluster.local 3649 days left"
    assert list(authority_judged(LiveAuthority(), NOW)) == []


def test_a_declared_one() -> None:
    assert list(declared_judged([ca(400)], NOW)) == []
    (soon,) = declared_judged([ca(80), ca(-1)], NOW)
    assert (soon.severity, soon.message) == (WARNING, "the declared certificate CN=Mesh ends in 80 days (2030-01-01)")


def served(days: float | None, *, unread: bool = False) -> GatewayCertificate:
    found = None if days is None else Certificate("a" * 64, NOW + days * DAY, "2030-01-01")
    return GatewayCertificate(WEB, found, unread)


@pytest.mark.parametrize(
    ("certificate", "within", "severity", "message"),
    [
        (served(90), None, None, "istio-system/web-tls: 90 days left"),
        (served(1), 0.5, WARNING, "the certificate of Secret istio-system/web-tls ends in 1 day (2030-01-01)"),
        (served(29), None, WARNING, "the certificate of Secret istio-system/web-tls ends in 29 days (2030-01-01)"),
        (
            served(29),
            30,
            ERROR,
            "the certificate of Secret istio-system/web-tls ends in 29 days (2030-01-01), within 30",
        ),
        (
            served(45),
            60,
            ERROR,
            "the certificate of Secret istio-system/web-tls ends in 45 days (2030-01-01), within 60",
        ),
        (served(-3), None, ERROR, "the certificate of Secret istio-system/web-tls expired on 2030-01-01"),
        (served(None), 30, WARNING, "a Gateway names Secret istio-system/web-tls, which does not exist or holds no"),
    ],
)
def test_a_gateways(
    certificate: GatewayCertificate, within: float | None, severity: Severity | None, message: str
) -> None:
    (found,) = gateways_judged([certificate], NOW, within * DAY if within else None)
    if isinstance(found, str):
        assert (severity, message) == (None, found)
    else:
        assert isinstance(found, Fault)
        assert found.severity is severity
        assert found.message.startswith(message)


def test_workloads_ask_for_no_more_than_istiod_signs() -> None:
    assert workloads_judged(WorkloadLife()) == (
        "workloads' certificates live 24h (SECRET_TTL), and proxies renew them at half of it"
    )
    refused = workloads_judged(WorkloadLife(asked=48 * 3600, most=24 * 3600))
    assert isinstance(refused, Fault)
    assert "ask for certificates of 48h (SECRET_TTL), and istiod signs none longer than 24h" in refused.message


@pytest.mark.parametrize(("in_a_run", "breaks"), [(False, [True]), (True, [])])
def test_the_verification_fails_for_what_has_expired(in_a_run: bool, breaks: list[bool]) -> None:
    """No run answers for a gateway's certificate; for the CA's it does."""
    found = MeshCertificates(corporate(400), (served(-1), served(None, unread=True)))
    rows = list(certificates_last(CertificateEvidence(found, NOW, in_a_run)))
    assert [row.name for row in rows] == ["certificate-authority", *["certificate-expiry"] * 3]
    assert [row.breaks for row in rows if row.breaks] == breaks
    assert rows[2].result is Result.SKIPPED
    (expired, _) = certificates_last(CertificateEvidence(MeshCertificates(corporate(-1)), NOW, in_a_run))
    assert expired.breaks

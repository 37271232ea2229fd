"""How long what a mesh lives by still lives: its CA, the certificates of its gateways, those of workloads. Pure.

The same for preflight and for the verification. linkerd2#9612: a warning with exit 0 became an outage; so a pipeline
can make the warnings errors (`check --fail-if-expires-within`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from sohistio.checks.result import CheckResult, Result, failed, passed, warned
from sohistio.model.ages import DAY, spelled
from sohistio.model.authority import PLUGGED_IN, SELF_SIGNED, AuthorityCertificate, LiveAuthority
from sohistio.model.certificate import AUTHORITY_DAYS, GATEWAY_DAYS, GatewayCertificate, MeshCertificates, WorkloadLife
from sohistio.model.durations import duration_of
from sohistio.model.fault import Fault, Severity
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.model.words import counted


class _Ends(Protocol):
    """A certificate with its end."""

    @property
    def expires(self) -> float:
        """In seconds since 1970."""

    @property
    def expires_on(self) -> str:
        """The same as an ISO 8601 date."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What the user lacks permission to look at: it may end any day."""

    message: str
    hint: str


Judged = Fault | Unread | str
"""What is wrong, what is not known, or what is fine in words."""

_RENEW_AUTHORITY = "Renew it in time, in stages: docs/certificates.md."
_RENEW = "Renew it, by the way it came to the cluster."
_UNREAD_AUTHORITY = "Role sohistio-installer of rbac/installer.yaml has the right to get the CA's two Secrets."
_UNREAD_GATEWAY = "Bind Role sohistio-certificates of rbac/sync.yaml, with the Secret's name in it."


def authority_judged(live: LiveAuthority, now: float, within: float | None = None) -> Iterator[Judged]:
    """What signs, and how long it may.

    `now` is in seconds since 1970; what ends `within` so many seconds is an error.
    """
    if live.unread:
        yield Unread(
            f"the CA's own certificate was not read: you lack permission to get Secrets {PLUGGED_IN} and "
            f"{SELF_SIGNED} in {ISTIO_NAMESPACE}",
            _UNREAD_AUTHORITY,
        )
    fine = [_words(live, now)] if live.authority.all else []
    limits = (AUTHORITY_DAYS, within)
    for item in live.authority.all:
        if fault := _fault(f"the CA's certificate {item.subject}", item, now, limits, _RENEW_AUTHORITY):
            yield fault
            fine = []
    yield from fine


def declared_judged(
    certificates: Iterable[AuthorityCertificate], now: float, within: float | None = None
) -> Iterator[Fault]:
    """The same of a CA that an install is about to plug in; what has expired is among its faults already."""
    for item in certificates:
        what = f"the declared certificate {item.subject}"
        fault = _fault(what, item, now, (AUTHORITY_DAYS, within), _RENEW_AUTHORITY) if item.expires > now else None
        if fault:
            yield fault


def gateways_judged(
    certificates: Iterable[GatewayCertificate], now: float, within: float | None = None
) -> Iterator[Judged]:
    """Each certificate that a Gateway names, with the days left."""
    for item in certificates:
        name = f"{item.secret.namespace}/{item.secret.name}"
        if item.unread:
            what = f"the certificate of {item.secret} was not read: you lack permission to get it"
            yield Unread(what, _UNREAD_GATEWAY)
        elif item.certificate is None:
            yield Fault(item.absence, "Put it there, or take the name out of the Gateway.", Severity.WARNING)
        else:
            what = f"the certificate of {item.secret}"
            fault = _fault(what, item.certificate, now, (GATEWAY_DAYS, within), _RENEW)
            yield fault or f"{name}: {spelled(item.certificate.expires - now)} left"


def workloads_judged(life: WorkloadLife) -> Judged:
    """istiod signs nothing longer than its maximum: the proxy gets no certificate at all."""
    asked, most = duration_of(life.asked), duration_of(life.most)
    if life.asked > life.most:
        what = f"proxies ask for certificates of {asked} (SECRET_TTL), and istiod signs none longer than {most}"
        return Fault(f"{what} (MAX_WORKLOAD_CERT_TTL): it refuses them", "Lower the one, or raise the other.")
    return f"workloads' certificates live {asked} (SECRET_TTL), and proxies renew them at half of it"


def _fault(what: str, certificate: _Ends, now: float, limits: tuple[int, float | None], hint: str) -> Fault | None:
    days, within = limits
    left = certificate.expires - now
    if left <= 0:
        return Fault(f"{what} expired on {certificate.expires_on}", hint, Severity.ERROR)
    message = f"{what} ends in {spelled(left)} ({certificate.expires_on})"
    if within is not None and left < within:
        return Fault(f"{message}, within {_span(round(within))}", hint, Severity.ERROR)
    return Fault(message, hint, Severity.WARNING) if left < days * DAY else None


def _words(live: LiveAuthority, now: float) -> str:
    own, all_of_it = live.authority.certificate, live.authority.all
    ends = ", ".join(f"{item.subject} {spelled(item.expires - now)} left" for item in all_of_it)
    if live.self_signed:
        return f"istiod's own self-signed root signs (Secret {live.secret}): {ends}"
    if live.secret and own is not None:
        by = "itself" if own.issuer == own.subject else own.issuer
        return f"a corporate CA signs (Secret {live.secret}): {own.subject}, issued by {by}; {ends}"
    return f"the mesh's root: {ends}"


def _span(seconds: int) -> str:
    return counted(seconds // DAY, "day") if seconds % DAY == 0 else duration_of(seconds)


@dataclass(frozen=True, slots=True)
class CertificateEvidence:
    """What a verification knows: `now` is in seconds since 1970. No run answers for a gateway's certificate."""

    found: MeshCertificates
    now: float
    in_a_run: bool = False


def certificates_last(evidence: CertificateEvidence) -> Iterator[CheckResult]:
    """The verification's rows: what has expired fails it, what ends soon is a warning."""
    found, now = evidence.found, evidence.now
    yield from (_result("certificate-authority", item, breaks=True) for item in authority_judged(found.authority, now))
    for item in (*gateways_judged(found.gateways, now), workloads_judged(found.workloads)):
        yield _result("certificate-expiry", item, breaks=not evidence.in_a_run)


def _result(name: str, judged: Judged, *, breaks: bool) -> CheckResult:
    match judged:
        case str():
            return passed(name, judged)
        case Unread():
            return CheckResult(name, Severity.WARNING, Result.SKIPPED, judged.message, judged.hint)
        case Fault():
            is_error = breaks and judged.severity is not Severity.WARNING
            return (failed if is_error else warned)(name, judged.message, judged.hint)

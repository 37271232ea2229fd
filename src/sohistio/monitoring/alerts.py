"""Alerts: what an on-call must know of, each with what it means and where to read on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sohistio.model.ages import DAY
from sohistio.model.health import MOST_SERVER_ERRORS
from sohistio.model.readiness import REHEARSAL_DAYS
from sohistio.monitoring.installation import Installation
from sohistio.monitoring.scraping import ISTIOD, PROXIES

REHEARSED = "sohistio_rehearsal_timestamp_seconds"
"""When the last rehearsal that proved all began, in seconds since 1970."""
_ROOT_DAYS = 30


class Severity(StrEnum):
    """`CRITICAL` wakes somebody up; `WARNING` waits for the morning."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule: PromQL that has an answer while something is wrong, and how long it must be so."""

    name: str
    expression: str
    lasting: str
    severity: Severity
    summary: str
    description: str


def alerts(installation: Installation) -> tuple[Alert, ...]:
    """Those of an environment; a standby has two of its own."""
    found = [*_of_every_mesh(installation)]
    if installation.gateways:
        found.append(_gateway_errors(installation))
    if installation.is_standby:
        found += _of_standbys(installation)
    return tuple(found)


def rules(installation: Installation) -> dict[str, Any]:
    """The file rules.yml, as data."""
    return {"groups": [{"name": "sohistio", "rules": [_rule(alert, installation) for alert in alerts(installation)]}]}


def rehearsal_rules(began: int) -> dict[str, Any]:
    """The file that says when the last rehearsal began: a number that Prometheus evaluates."""
    return {"groups": [{"name": "sohistio-rehearsal", "rules": [{"record": REHEARSED, "expr": f"vector({began})"}]}]}


def _rule(alert: Alert, installation: Installation) -> dict[str, Any]:
    docs = installation.monitoring.runbooks or "docs/monitoring.md"
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasting,
        "labels": {"severity": alert.severity.value},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{docs}#{alert.name.lower()}",
        },
    }


def _of_every_mesh(installation: Installation) -> tuple[Alert, ...]:
    rejects = f'pilot_total_xds_rejects{{job="{ISTIOD}"}}'
    authorities = f'{{__name__=~"citadel_server_(root_cert|cert_chain)_expiry_timestamp",job="{ISTIOD}"}}'
    return (
        Alert(
            "IstiodDown",
            f'absent(up{{job="{ISTIOD}"}} == 1)',
            "2m",
            Severity.CRITICAL,
            "No istiod answers",
            "Proxies go on with the configuration they have; changes do not arrive, new pods get no sidecar, and "
            "certificates end within 24 hours.",
        ),
        Alert(
            "IstioConfigurationRejected",
            # Each istiod by itself, as they come and go; a counter is not there before its first rejection, so that
            # `increase` would not see it.
            f"sum by (type) (clamp_min({rejects} - ({rejects} offset 1h or {rejects} * 0), 0)) > 0",
            "2m",
            Severity.WARNING,
            "Proxies rejected configuration of type {{ $labels.type }} in the last hour",
            "They go on with what they had before. The last change of Istio's objects is the likely cause.",
        ),
        Alert(
            "IstioAuthorityEnds",
            f"min({authorities}) - time() < {_ROOT_DAYS * DAY}",
            "1h",
            Severity.CRITICAL,
            "The mesh's CA, or a CA above it, ends in {{ $value | humanizeDuration }}",
            "At its end every call between workloads fails.",
        ),
        Alert(
            "IstioWorkloadCertificateEnds",
            f'min by (namespace, pod) (istio_agent_cert_expiry_seconds{{job="{PROXIES}"}}) < '
            f"{installation.certificate_seconds // 6}",
            "10m",
            Severity.CRITICAL,
            "The certificate of {{ $labels.namespace }}/{{ $labels.pod }} ends in {{ $value | humanizeDuration }}",
            "It should have been renewed at half of its life: the pod cannot reach istiod, or istiod cannot sign.",
        ),
    )


def _gateway_errors(installation: Installation) -> Alert:
    names = "|".join(sorted(gateway.partition("/")[2] for gateway in installation.gateways))
    served = f'reporter="source",source_workload=~"{names}"'
    errors = f'sum by (source_workload) (rate(istio_requests_total{{{served},response_code=~"5.."}}[5m]))'
    every = f"sum by (source_workload) (rate(istio_requests_total{{{served}}}[5m]))"
    return Alert(
        "IstioGatewayErrors",
        f"{errors} / {every} > {MOST_SERVER_ERRORS}",
        "5m",
        Severity.CRITICAL,
        "{{ $value | humanizePercentage }} of the requests through {{ $labels.source_workload }} end in 5xx",
        "People notice it. The dashboard Istio: Service says which service it is.",
    )


def _of_standbys(installation: Installation) -> tuple[Alert, ...]:
    not_off = Alert(
        "IstioStandbyNotOff",
        " or ".join(_pods_of(gateway) for gateway in sorted(installation.gateways)),
        "10m",
        Severity.WARNING,
        "The standby's gateway {{ $labels.namespace }}/{{ $labels.gateway }} has pods",
        "A standby's gateways have none until it serves. During a failover or a rehearsal this is as it should be.",
    )
    too_old = Alert(
        "IstioRehearsalTooOld",
        f"time() - max({REHEARSED}) > {REHEARSAL_DAYS * DAY} or absent({REHEARSED})",
        "1h",
        Severity.WARNING,
        "The failover to this standby has not been rehearsed for too long",
        f"A rehearsal is due every {REHEARSAL_DAYS} days.",
    )
    return (not_off, too_old) if installation.gateways else (too_old,)


def _pods_of(gateway: str) -> str:
    """How many pods of a gateway are scraped; no answer where there is none."""
    namespace, _, name = gateway.partition("/")
    matching = f'job="{PROXIES}",namespace="{namespace}",pod=~"{name}-[a-z0-9]+-[a-z0-9]+"'
    named = f'label_replace(up{{{matching}}}, "gateway", "{name}", "", "")'
    return f"count by (namespace, gateway) ({named})"

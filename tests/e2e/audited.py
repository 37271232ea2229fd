"""What the audit log proves of the lock: no write later than a lease's length after the last renewal. Shares no code
with the lock."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from conftest import USER, Sandbox

LEASE = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/sohistio"
SECONDS = 30.0


def longest_without_renewal(sandbox: Sandbox, since: datetime) -> tuple[float, str]:
    """The longest time from the arrival of a run's renewal to the end of a write that no other renewal came before,
    and that write: sohistio's and istioctl's together. What comes before the first renewal is nobody's."""
    renewed: datetime | None = None
    worst = 0.0, "nothing"
    for arrived, ended, verb, uri in sorted(_writes(sandbox, since)):
        if uri.startswith(LEASE.rpartition("/")[0]):
            renewed = arrived if verb in ("create", "update") else renewed
        elif renewed is not None:
            worst = max(worst, ((ended - renewed).total_seconds(), uri))
    return worst


def _writes(sandbox: Sandbox, since: datetime) -> list[tuple[datetime, datetime, str, str]]:
    log = sandbox.kubeconfig.parent / "audit.log"
    events: list[dict[str, Any]] = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [
        (arrived, datetime.fromisoformat(event["stageTimestamp"]), event["verb"], event["requestURI"])
        for event in events
        if event["stage"] == "ResponseComplete"
        and event["responseStatus"]["code"] < 400
        and event["verb"] not in ("get", "list", "watch")
        and "dryRun=All" not in event["requestURI"]
        and "accessreviews" not in event["requestURI"]
        and event["user"].get("username", "") == USER
        and (arrived := datetime.fromisoformat(event["requestReceivedTimestamp"])) > since
    ]

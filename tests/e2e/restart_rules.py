"""Which restarts the audit log shows, and which of them somebody had forbidden; shares no code with the planner."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandboxes import Sandbox

_PATCHED = re.compile(r"/apis/apps/v1/namespaces/([^/]+)/(?:deployments|statefulsets|daemonsets)/([^/?]+)(?:\?|$)")
_DAILY = re.compile(r"daily (\d\d):(\d\d)-(\d\d):(\d\d) UTC")
_DAYS = re.compile(r"(\S+)\.\.(\S+) UTC")
BY_HAND = "kubectl-annotate"


@dataclass(frozen=True)
class Restart:
    at: datetime
    namespace: str
    name: str

    @property
    def place(self) -> str:
        return f"{self.namespace}/{self.name}"


def restarts_of(sandbox: Sandbox) -> list[Restart]:
    """What was patched beside the mesh's own, in order; not what a test did by hand."""
    found = []
    for event in sandbox.write_events():
        match = _PATCHED.search(event["requestURI"])
        if event["verb"] != "patch" or match is None or BY_HAND in event["requestURI"]:
            continue
        if match[1] != "istio-system":
            at = datetime.fromisoformat(event["requestReceivedTimestamp"].replace("Z", "+00:00"))
            found.append(Restart(at, match[1], match[2]))
    return sorted(found, key=lambda item: item.at)


def violations(restarts: Sequence[Restart], objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Restarts of what had an opt-out, a shut window or a freeze, by the annotations of Deployments and Namespaces.

    It knows windows of the form `daily 01:00-05:00 UTC` and freezes `2026-12-20..2027-01-06 UTC`, and no others: a
    restart of what says something else is a violation, too.
    """
    notes: dict[str, dict[str, str]] = {}
    for item in objects:
        place = f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}".removeprefix("/")
        notes[place] = item["metadata"].get("annotations") or {}
    return [
        f"{restart.place} at {restart.at:%H:%M:%S}: {wrong}"
        for restart in restarts
        for place in (restart.place, restart.namespace)
        for wrong in _wrong(notes.get(place, {}), restart.at)
    ]


def _wrong(notes: Mapping[str, str], at: datetime) -> Iterator[str]:
    if "sohistio.io/restart" in notes:
        yield "opted out"
    if windows := notes.get("sohistio.io/restart-windows"):
        found = [_DAILY.fullmatch(part.strip()) for part in windows.split(";")]
        if not any(match and _within(match.groups(), at) for match in found):
            yield f"not within {windows}"
    if freezes := notes.get("sohistio.io/restart-freezes"):
        for part in freezes.split(";"):
            match = _DAYS.fullmatch(part.strip())
            if match is None or date.fromisoformat(match[1]) <= at.astimezone(UTC).date() <= date.fromisoformat(
                match[2]
            ):
                yield f"frozen by {part.strip()}"


def _within(clock: Sequence[str], at: datetime) -> bool:
    hour, minute, end_hour, end_minute = map(int, clock)
    start = at.replace(hour=hour, minute=minute, second=0, microsecond=0)
    lasts = timedelta(minutes=((end_hour - hour) * 60 + end_minute - minute) % (24 * 60))
    return any(day <= at < day + lasts for day in (start, start - timedelta(days=1)))

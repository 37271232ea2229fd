"""Adapter: Events about the record, which `kubectl get events --namespace istio-system` shows.

Those of core/v1: every kubectl shows their times and their count, and events.k8s.io/v1 lists them too.
"""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.model.record import RECORD_NAME
from sohistio.model.state import ISTIO_NAMESPACE

MOST_BYTES = 1024
"""Of a message: what the API server takes of events.k8s.io/v1."""
_COMPONENT = "sohistio"


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """One Event: `name` is unique in the namespace, `reason` a word in CamelCase, `at` ISO 8601 in UTC."""

    name: str
    reason: str
    message: str
    at: str
    host: str
    warning: bool = False


def post_event(api: KubeApi, event: RecordEvent, record_uid: str) -> None:
    """Make the Event; nothing happens where it is there already. Raises KubeError."""
    about = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": ISTIO_NAMESPACE, "name": RECORD_NAME}
    at = event.at.replace("+00:00", "Z")
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": event.name, "namespace": ISTIO_NAMESPACE},
        "involvedObject": {**about, "uid": record_uid},
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason,
        "message": bounded(event.message),
        "source": {"component": _COMPONENT, "host": event.host},
        "reportingComponent": _COMPONENT,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    try:
        api.create(collection_path("Event", ISTIO_NAMESPACE), body)
    except KubeError as error:
        if error.status != 409:
            raise


def bounded(message: str) -> str:
    """A message of at most MOST_BYTES in UTF-8."""
    if len(message.encode()) <= MOST_BYTES:
        return message
    room = MOST_BYTES - len("…".encode())
    return f"{message.encode()[:room].decode(errors='ignore')}…"

"""Events about the record, as the API server gets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.events import MOST_BYTES, RecordEvent, bounded, post_event

EVENTS = "/api/v1/namespaces/istio-system/events"
EVENT = RecordEvent("sohistio-1-began", "RunBegan", "it began", "2026-11-23T05:00:00+00:00", "agent")


def test_what_kubectl_shows(tmp_path: Path) -> None:
    with ApiServer() as server:
        server.answers("POST", EVENTS, Reply({}, 201))
        post_event(server.api(tmp_path), EVENT, "a-uid")
        body = server.asked[-1].body
    assert body["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "namespace": "istio-system",
        "name": "sohistio-record",
        "uid": "a-uid",
    }
    assert (body["type"], body["reason"], body["message"]) == ("Normal", "RunBegan", "it began")
    assert body["firstTimestamp"] == body["lastTimestamp"] == "2026-11-23T05:00:00Z"


def test_one_that_is_there_already_is_no_failure(tmp_path: Path) -> None:
    with ApiServer() as server:
        server.answers("POST", EVENTS, Reply({}, 409), Reply({}, 403))
        post_event(server.api(tmp_path), EVENT, "a-uid")
        with pytest.raises(KubeError):
            post_event(server.api(tmp_path), EVENT, "a-uid")


@pytest.mark.parametrize("message", ["short", "x" * 5000, "ü" * 5000, "x" + "🙂" * 5000])
def test_a_message_is_bounded_in_bytes(message: str) -> None:
    found = bounded(message)
    assert len(found.encode()) <= MOST_BYTES
    assert found == message or (found.endswith("…") and message.startswith(found[:-1]))

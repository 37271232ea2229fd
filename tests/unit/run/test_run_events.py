"""The Events of a run: what they say, and the one line where they cannot be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from runs import run
from sohistio.model.mode import Mode
from sohistio.run.events import RunEvents

EVENTS = "/api/v1/namespaces/istio-system/events"
BEGUN = run(outcome="running", reason="CHG0012345")
DONE = replace(BEGUN, outcome="done", ended="2026-11-23T05:01:00+00:00", last_step="verify/mesh")


def test_begin_and_end(tmp_path: Path) -> None:
    said: list[str] = []
    with ApiServer() as server:
        server.answers("POST", EVENTS, Reply({}, 201))
        events = RunEvents(server.api(tmp_path), "a-uid", said.append)
        events.began(BEGUN)
        events.ended(DONE)
        events.ended(replace(DONE, outcome="verificationFailed", reason=""))
        events.began(replace(BEGUN, mode=Mode.NONE, from_version=""))
        bodies = [asked.body for asked in server.asked]
    assert said == []
    who = "upgrade of qa from 1.30.5 to 1.31.1 by ada@bastion"
    assert [(body["type"], body["reason"], body["message"]) for body in bodies] == [
        ("Normal", "RunBegan", f"{who} began; run 000000000000; reason: CHG0012345"),
        ("Normal", "RunDone", f"{who} ended well; run 000000000000; reason: CHG0012345"),
        (
            "Warning",
            "RunVerificationFailed",
            f"{who} ended: verificationFailed, last step verify/mesh; run 000000000000; no reason given",
        ),
        ("Normal", "RunBegan", "run of qa to 1.31.1 by ada@bastion began; run 000000000000; reason: CHG0012345"),
    ]
    assert bodies[0]["metadata"]["name"] == "sohistio-000000000000-began"


@pytest.mark.parametrize(("status", "lines", "asked"), [(403, 1, 1), (400, 1, 1), (404, 0, 2)])
def test_it_says_so_once_and_goes_on(tmp_path: Path, status: int, lines: int, asked: int) -> None:
    """Where the namespace is gone, its record went with it: nothing to say of that."""
    said: list[str] = []
    with ApiServer() as server:
        server.answers("POST", EVENTS, Reply({"message": "events is forbidden\x1b[31m"}, status))
        events = RunEvents(server.api(tmp_path), "a-uid", said.append)
        events.began(BEGUN)
        events.ended(DONE)
        assert len(server.asked) == asked
    assert len(said) == lines
    assert all(line.startswith("no Kubernetes Event was written of this run, which goes on") for line in said)
    assert not any("\x1b" in line for line in said)

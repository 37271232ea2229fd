"""What the record says of a failover at the end of a run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from ran import RECORD
from sides import INGRESS, mark
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.errors import FailedError
from sohistio.model.failover_mark import Stage
from sohistio.model.mode import Mode
from sohistio.model.record import Record
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import HoldStandby
from sohistio.run.progress import RunResult, StepResult, StepState
from sohistio.run.recorder import Origin, Recorder

OFF = HoldStandby("standby/gateways-off", "keep istio-ingressgateway at 0 pods", (INGRESS,))
WITHOUT_STEPS = Plan("dr", "c", Mode.REINSTALL, "1.31.1", "1.31.1", ())
INSTALL = replace(WITHOUT_STEPS, phases=(Phase("standby", (OFF,)),))


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("PATCH", RECORD, Reply({}))
        yield running


@pytest.mark.parametrize(
    ("plan", "found", "error", "left"),
    [
        pytest.param(INSTALL, Stage.REHEARSING, None, "standby", id="a-killed-rehearsal-is-ended"),
        pytest.param(INSTALL, Stage.REHEARSING, FailedError("x"), "rehearsing", id="not-by-a-run-that-failed"),
        pytest.param(WITHOUT_STEPS, Stage.REHEARSING, None, "rehearsing", id="not-by-one-that-switched-nothing-off"),
        pytest.param(INSTALL, Stage.ACTIVE, None, "active", id="a-failover-stays"),
    ],
)
def test_who_ends_a_rehearsal(
    server: ApiServer, tmp_path: Path, plan: Plan, found: Stage, error: FailedError | None, left: str
) -> None:
    record = replace(Record("dr"), failover=mark(found))
    recorder = Recorder(
        server.api(tmp_path), record, plan, Origin("1", "ada", "agent", "d"), Hold(threading.Event(), lambda: 1000.0)
    )
    recorder.end(RunResult(plan, (StepResult(OFF, StepState.DONE, 1.0),), (), error, 1.0), "", print)
    written = json.loads(server.asked[-1].body["data"]["record.json"])
    assert written["failover"]["stage"] == left

"""Jobs with an old sidecar: which ones they are, and how long a restart waits for them."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from observed import pod, sidecar, state
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.model.state import ObjectRef, ObservedPod
from sohistio.output.lines import LineObserver
from sohistio.run.await_jobs import await_jobs, old_jobs
from sohistio.run.wait import Waiting

POD, JOB = ObjectRef("Pod", "bank", "report-x1"), ObjectRef("Job", "bank", "report")
PODS = "/api/v1/pods"
INJECTED = {"sidecar.istio.io/status": "{}"}


@pytest.mark.parametrize(
    ("found", "old"),
    [
        pytest.param(pod("1.30.5", job="report", annotations=INJECTED), True, id="old"),
        pytest.param(pod("1.31.1", job="report", annotations=INJECTED), False, id="current"),
        pytest.param(pod("1.30.5", annotations=INJECTED), False, id="no-job"),
        pytest.param(pod("1.30.5", job="report"), False, id="its-own-proxy-not-injected"),
        pytest.param(
            pod("1.30.5", job="report", annotations=INJECTED | {"istio.io/rev": "canary"}), False, id="another-mesh"
        ),
    ],
)
def test_which_jobs_run_with_an_old_sidecar(found: ObservedPod, old: bool) -> None:
    assert old_jobs(state(unowned_carriers={POD: found})) == ({POD: JOB} if old else {})


def test_without_an_injector_none_is_old() -> None:
    carriers = {POD: pod("1.30.5", job="report", annotations=INJECTED)}
    assert old_jobs(state(sidecar=None, unowned_carriers=carriers)) == {}
    assert old_jobs(state(sidecar=sidecar(), unowned_carriers=carriers)) == {POD: JOB}


RUNNING: dict[str, Any] = {"items": [{"metadata": {"namespace": "bank", "name": "report-x1"}}]}
ANOTHER: dict[str, Any] = {"items": [{"metadata": {"namespace": "shop", "name": "report-x1"}}]}


@pytest.mark.parametrize(
    ("seconds", "replies", "requests", "ends"),
    [
        pytest.param(0, (RUNNING,), 0, "Job bank/report", id="only-named"),
        pytest.param(0.5, (ANOTHER,), 1, "all of these Jobs have ended", id="ended-already"),
        pytest.param(9, (RUNNING, ANOTHER), 2, "all of these Jobs have ended", id="ends"),
        pytest.param(0.2, (RUNNING,), 2, "not waited for any more: Job bank/report", id="runs-on"),
    ],
)
def test_how_long_they_are_waited_for(
    tmp_path: Path, seconds: float, replies: tuple[dict[str, Any], ...], requests: int, ends: str
) -> None:
    said = io.StringIO()
    with ApiServer() as server:
        server.answers("GET", PODS, *(Reply(body) for body in replies))
        hold = Hold(threading.Event())
        waiting = Waiting(server.api(tmp_path), LineObserver(said), hold, time.monotonic() + 60)
        await_jobs(waiting, {POD: JOB}, seconds)
        assert len(server.asked) >= requests
        assert all(asked.query["fieldSelector"] == "status.phase=Running" for asked in server.asked)
    assert said.getvalue().rstrip().endswith(ends)
    assert "with an old sidecar until they end, and not restarted: Job bank/report" in said.getvalue()

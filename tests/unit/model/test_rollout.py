"""How far a rollout is: the rules of `kubectl rollout status`, for the three kinds."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.model.rollout import Progress, progress_of


def item(kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A workload whose controller has seen its newest generation."""
    seen = {"observedGeneration": 2}
    return {"kind": kind, "metadata": {"name": "web", "generation": 2}, "spec": spec, "status": seen | status}


def pods(total: int, updated: int, available: int) -> dict[str, int]:
    return {"replicas": total, "updatedReplicas": updated, "availableReplicas": available}


@pytest.mark.parametrize(
    ("status", "replicas", "expected"),
    [
        pytest.param(pods(3, 3, 3), 3, Progress(3, 3, True, "3 of 3 pods ready"), id="done"),
        pytest.param(pods(3, 0, 3), 3, Progress(0, 3, False, "0 of 3 new pods created"), id="not-begun"),
        pytest.param(pods(4, 1, 3), 3, Progress(0, 3, False, "1 of 3 new pods created"), id="surging"),
        pytest.param(pods(4, 3, 4), 3, Progress(3, 3, False, "1 old pods still going"), id="old-one-left"),
        pytest.param(pods(3, 3, 1), 3, Progress(1, 3, False, "1 of 3 pods available"), id="new-ones-not-ready"),
        pytest.param(pods(5, 5, 5), 3, Progress(5, 3, False, "5 of 3 pods available"), id="scaling-down"),
        pytest.param({}, 0, Progress(0, 0, True, "0 of 0 pods ready"), id="none-wanted"),
        pytest.param({}, 3, Progress(0, 3, False, "0 of 3 new pods created"), id="brand-new"),
    ],
)
def test_deployment(status: dict[str, Any], replicas: int, expected: Progress) -> None:
    assert progress_of(item("Deployment", status, replicas=replicas)) == expected


def test_replicas_left_out_are_one() -> None:
    assert progress_of(item("Deployment", pods(1, 1, 1))) == Progress(1, 1, True, "1 of 1 pods ready")


def revisions(ready: int, updated: int, *, newest: bool) -> dict[str, Any]:
    return {
        "readyReplicas": ready,
        "updatedReplicas": updated,
        "currentRevision": "b" if newest else "a",
        "updateRevision": "b",
    }


@pytest.mark.parametrize(
    ("status", "partition", "expected"),
    [
        pytest.param(revisions(3, 3, newest=True), 0, Progress(3, 3, True, "3 of 3 pods ready"), id="done"),
        pytest.param(revisions(3, 0, newest=False), 0, Progress(0, 3, False, "0 of 3 pods updated"), id="not-begun"),
        pytest.param(revisions(2, 2, newest=False), 0, Progress(2, 3, False, "2 of 3 pods ready"), id="one-down"),
        pytest.param(revisions(3, 3, newest=False), 0, Progress(3, 3, False, "3 of 3 pods updated"), id="not-promoted"),
        pytest.param(revisions(3, 1, newest=False), 2, Progress(3, 3, True, "3 of 3 pods ready"), id="partition-done"),
        pytest.param(revisions(3, 0, newest=False), 2, Progress(0, 3, False, "0 of 3 pods updated"), id="partition"),
    ],
)
def test_stateful_set(status: dict[str, Any], partition: int, expected: Progress) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    assert progress_of(item("StatefulSet", status, replicas=3, updateStrategy=strategy)) == expected


@pytest.mark.parametrize(
    ("wanted", "updated", "available", "expected"),
    [
        pytest.param(3, 3, 3, Progress(3, 3, True, "3 of 3 pods ready"), id="done"),
        pytest.param(3, 1, 2, Progress(1, 3, False, "1 of 3 pods updated"), id="under-way"),
        pytest.param(3, 3, 2, Progress(2, 3, False, "2 of 3 pods available"), id="one-not-ready"),
        pytest.param(0, 0, 0, Progress(0, 0, True, "0 of 0 pods ready"), id="no-node"),
    ],
)
def test_daemon_set(wanted: int, updated: int, available: int, expected: Progress) -> None:
    status = {"desiredNumberScheduled": wanted, "updatedNumberScheduled": updated, "numberAvailable": available}
    assert progress_of(item("DaemonSet", status)) == expected


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_not_done_before_the_controller_has_seen_the_change(kind: str) -> None:
    old = item(kind, {"observedGeneration": 1, **pods(1, 1, 1), "readyReplicas": 1})
    progress = progress_of(old)
    assert not progress.done
    assert "waiting for its controller" in progress.message


@pytest.mark.parametrize(("replicas", "done", "wanted"), [(1, False, 3), (3, True, 3), (5, True, 5)])
def test_an_autoscaler_that_has_not_scaled_up_yet_is_awaited(replicas: int, done: bool, wanted: int) -> None:
    progress = progress_of(item("Deployment", pods(replicas, replicas, replicas), replicas=replicas), minimum=3)
    assert (progress.done, progress.wanted) == (done, wanted)

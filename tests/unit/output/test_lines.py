"""Progress without a terminal: one line an event, and no line twice."""

from __future__ import annotations

import io
import re

import pytest

from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version
from sohistio.output.lines import LineObserver
from sohistio.plan.plan import Phase
from sohistio.plan.steps import VerifyMesh
from sohistio.run.progress import StepResult, StepState

STEP = VerifyMesh("verify/mesh", "verify the mesh", Version(1, 31, 1))
ISTIOD = ObjectRef("Deployment", "istio-system", "istiod")
WEB = ObjectRef("Deployment", "shop", "web")


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def say(stream: io.StringIO) -> list[str]:
    """What was told since the last call, without the time."""
    lines = stream.getvalue().splitlines()
    stream.seek(0)
    stream.truncate()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    return [line[9:] for line in lines]


def test_a_step(stream: io.StringIO) -> None:
    observer = LineObserver(stream)
    observer.phase_started(Phase("verify", (STEP,)))
    observer.step_started(STEP)
    observer.note("istiod-1: ImagePullBackOff")
    observer.step_finished(StepResult(STEP, StepState.FAILED, 1.26))
    assert say(stream) == [
        "phase verify",
        "  verify the mesh …",
        "    istiod-1: ImagePullBackOff",
        "  failed: verify the mesh (1.3 s)",
    ]


def test_only_rollouts_that_moved_are_told(stream: io.StringIO) -> None:
    observer = LineObserver(stream)
    waiting = Progress(0, 3, False, "0 of 3 pods available")
    done = Progress(3, 3, True, "3 of 3 pods ready")
    observer.rollouts({ISTIOD: waiting, WEB: waiting})
    assert say(stream) == [
        "    istiod 0/3 ready: 0 of 3 pods available",
        "    shop/web 0/3 ready: 0 of 3 pods available",
    ]
    observer.rollouts({ISTIOD: waiting, WEB: waiting})
    assert say(stream) == []
    observer.rollouts({ISTIOD: done, WEB: waiting})
    assert say(stream) == ["    istiod 3/3 ready"]
    observer.step_started(STEP)
    observer.rollouts({ISTIOD: done})
    assert say(stream) == ["  verify the mesh …", "    istiod 3/3 ready"]


def test_a_rollout_that_is_not_there_yet_has_no_count(stream: io.StringIO) -> None:
    LineObserver(stream).rollouts({ISTIOD: Progress(0, 0, False, "does not exist yet")})
    assert say(stream) == ["    istiod: does not exist yet"]


def test_figures_that_change_all_the_time_are_no_flood(stream: io.StringIO) -> None:
    observer = LineObserver(stream)
    observer.step_started(STEP)
    say(stream)
    for number in range(20):
        observer.figures(f"{number} requests")
    assert say(stream) == []

"""How a run ends whose step fails, hangs or breaks: one error, a result for machines, a closed record, what to do."""

from __future__ import annotations

import json
import re
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from ran import BROKEN, INSTALL, ISTIOD, NO_CONTROL_PLANE, RECORD, UNINSTALL, Ran
from sohistio.adapters.kubernetes.hold import STOP_SECONDS
from sohistio.errors import ExitCode
from sohistio.model.footprint import ISTIOD_REF as WATCHED
from sohistio.plan.steps import Step
from sohistio.run.progress import StepState


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("PATCH", RECORD, Reply({}))
        yield running


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_a_step_that_breaks_is_a_failed_step(server: ApiServer, tmp_path: Path) -> None:
    ran = Ran(server, tmp_path)
    result = ran.of(BROKEN, INSTALL)
    assert [step.state for step in result.steps] == [StepState.FAILED, StepState.NOT_STARTED]
    assert (result.exit_code, result.outcome) == (ExitCode.FAILED, "failed")
    assert json.loads(json.dumps(result.document()))["error"]["exitCode"] == 1
    assert result.error is not None
    assert "restore/objects" in result.error.what
    assert result.error.details[0] == "KeyError: 'apiVersion'"
    log = Path(result.error.details[1].removeprefix("the traceback is in "))
    assert "Traceback" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert ran.recorded() == "failed"


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        pytest.param({"component": 1.0}, "istioctl uninstall did not end within 1 s", id="its-own"),
        pytest.param({"total": 1.0}, "the run took longer than its total timeout", id="total"),
    ],
)
def test_an_uninstall_that_hangs(server: ApiServer, tmp_path: Path, limits: dict[str, float], what: str) -> None:
    ran = Ran(server, tmp_path, **limits)
    ran.scripts["uninstall"] = "exec sleep 60"
    begun = time.monotonic()
    result = ran.of(UNINSTALL, INSTALL)
    assert time.monotonic() - begun < 30
    assert result.error is not None
    assert result.error.what == what
    waited = () if "component" in limits else ("it was waiting: istioctl uninstall has not ended",)
    assert result.error.details == (*waited, "working")
    assert result.error.todo.startswith(NO_CONTROL_PLANE), "istiod is gone already"
    assert result.document()["outcome"] == "failed"
    assert ran.recorded() == "failed"


COUNTS = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}
UNFINISHED = {
    "kind": "Deployment",
    "metadata": {"generation": 1},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "istiod"}}},
    "status": COUNTS,
}
PENDING = {
    "metadata": {"name": "istiod-1", "labels": {"app": "istiod"}},
    "status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
}


@pytest.mark.parametrize(
    ("istiod", "details"),
    [
        pytest.param(Reply({}, 404), (f"{WATCHED}: does not exist yet",), id="not-there-yet"),
        pytest.param(
            Reply(UNFINISHED),
            (f"{WATCHED}: 1 of 2 pods available", "  istiod-1: Unschedulable: "),
            id="not-ready",
        ),
        pytest.param(
            Reply(UNFINISHED | {"status": COUNTS | {"availableReplicas": 2}}),
            ("it was waiting: istioctl install has not ended", "working"),
            id="something-else",
        ),
    ],
)
def test_an_install_that_takes_longer_than_the_total_says_what_it_waited_for(
    server: ApiServer, tmp_path: Path, istiod: Reply, details: tuple[str, ...]
) -> None:
    ran = Ran(server, tmp_path, total=2.0)
    ran.scripts["install"] = "exec sleep 60"
    server.answers("GET", ISTIOD, istiod)
    server.answers("GET", "/api/v1/namespaces/istio-system/pods", Reply({"items": [PENDING]}))
    server.answers("GET", "/api/v1/namespaces/istio-system/events", Reply({"items": []}))
    result = ran.of(replace(INSTALL, watched=(WATCHED,)))
    assert result.error is not None
    assert result.error.what == "the run took longer than its total timeout"
    assert result.error.details == details


def test_an_install_that_does_nothing_is_ended(server: ApiServer, tmp_path: Path) -> None:
    """All that it may wait for is ready, and it says nothing more: a connection was lost. It is told before."""
    ran = Ran(server, tmp_path, component=1.0)
    ran.scripts["install"] = r"echo '  \_____/'; exec sleep 60"  # a drawing, which says nothing
    server.answers("GET", ISTIOD, Reply(UNFINISHED | {"status": COUNTS | {"availableReplicas": 2}}))
    result = ran.of(replace(INSTALL, watched=(WATCHED,)))
    assert result.error is not None
    assert result.error.what == "istioctl install did nothing for 1 s, and was ended"
    assert result.error.details == ("working",)
    assert re.search(r"istioctl install has done nothing for \d+ s; its last line: working", ran.said.getvalue())
    assert ran.recorded() == "failed"


def test_a_step_that_the_total_leaves_no_time_for_is_named(server: ApiServer, tmp_path: Path) -> None:
    result = Ran(server, tmp_path, total=0.0).of(INSTALL)
    assert result.error is not None
    assert result.error.details == ("it was waiting: this has not begun: install Istio 1.31.1",)


def test_istioctl_is_ended_without_the_lock_and_run_again_with_it(server: ApiServer, tmp_path: Path) -> None:
    ran = Ran(server, tmp_path)
    first = tmp_path / "first"
    ran.scripts["install"] = f"[ -e {first} ] && exit 0; touch {first}; exec sleep 60"
    done = threading.Event()
    watchdog = threading.Thread(target=ran.hold.watch, args=(done,))
    watchdog.start()

    def lose_sight() -> None:
        ran.now += STOP_SECONDS
        time.sleep(1.5)
        ran.hold.confirm(ran.now)

    threading.Timer(1.0, lose_sight).start()
    result = ran.of(INSTALL)
    done.set()
    watchdog.join()
    assert result.error is None
    assert result.exit_code == ExitCode.OK
    assert ran.said.getvalue().count("istioctl install is run again: what it had applied stays") == 1


AWAY = Reply({}, 503, {"Retry-After": "0"})


@pytest.mark.parametrize(("trouble", "again"), [(True, True), (False, False)], ids=["outage", "well"])
@pytest.mark.parametrize(("step", "name"), [(INSTALL, "install"), (UNINSTALL, "uninstall")], ids=["in", "un"])
def test_istioctl_that_fails_in_an_outage_is_run_once_more(
    server: ApiServer, tmp_path: Path, step: Step, name: str, trouble: bool, again: bool
) -> None:
    server.answers("GET", "/version", *([AWAY] * 5 if trouble else []), Reply({"gitVersion": "v1.35.0"}))
    ran = Ran(server, tmp_path)
    first = tmp_path / "first"
    ran.scripts[name] = f"[ -e {first} ] && exit 0; touch {first}; echo refused; exit 1"
    result = ran.of(step)
    assert (result.error is None) == again
    assert (f"istioctl {name} is run again" in ran.said.getvalue()) == again


def test_an_uninstall_that_did_it_all_before_the_outage(server: ApiServer, tmp_path: Path) -> None:
    """The second istioctl finds no revision any more, which is no failure where istiod is gone."""
    for istiod, done in ((Reply({}, 404), True), (Reply({"status": {"readyReplicas": 1}}), False)):
        server.answers("GET", "/version", *[AWAY] * 5, Reply({"gitVersion": "v1.35.0"}))
        server.answers("GET", ISTIOD, istiod)
        ran = Ran(server, tmp_path)
        ran.scripts["uninstall"] = "echo could not find target revision; exit 1"
        result = ran.of(UNINSTALL)
        assert (result.error is None) == done
        assert ran.said.getvalue().count("istioctl uninstall is run again") == 1


@pytest.mark.parametrize("stops", [False, True], ids=["by-itself", "stopped"])
def test_a_run_that_ends_in_an_outage_closes_its_record_once_that_is_over(
    server: ApiServer, tmp_path: Path, stops: bool
) -> None:
    """Who stops it is not kept waiting."""
    ran = Ran(server, tmp_path)
    # The step's own note succeeds; what fails is the first try, with its repeats, of the last one.
    server.answers("PATCH", RECORD, Reply({}), *[AWAY] * 5, Reply({}))
    ran.scripts["install"] = "sleep 1; exit 1"
    if stops:
        threading.Timer(0.5, ran.hold.stop.set).start()
    result = ran.of(INSTALL)
    assert result.error is not None
    answered = [asked for asked in server.asked if (asked.method, asked.path) == ("PATCH", RECORD)]
    assert len(answered) == (5 if stops else 7)
    assert ("the record of this run cannot be closed yet" in ran.said.getvalue()) is not stops
    assert stops or ran.recorded() == "failed"

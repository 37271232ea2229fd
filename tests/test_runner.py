"""How a run ends whose step fails, hangs or breaks: one error, a result for machines, a closed record, what to do."""

from __future__ import annotations

import io
import json
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apiserver import ApiServer, Reply
from plans import OPERATOR
from sohistio.cluster.hold import STOP_SECONDS, Hold
from sohistio.cluster.kubetarget import KubeTarget
from sohistio.errors import ExitCode, LockLostError
from sohistio.istioctl import Istioctl
from sohistio.output.lines import LineObserver
from sohistio.plan import Mode, Phase, Plan
from sohistio.progress import RunResult, StepResult, StepState
from sohistio.run.aftermath import replaces_half
from sohistio.run.recording import Origin, Recorder
from sohistio.run.runner import Runner
from sohistio.run.tools import Before, RestartSettings, Tools
from sohistio.steps import InstallIstio, RestoreObjects, Step, UninstallIstio
from sohistio.versions import Version

RECORD = "/api/v1/namespaces/istio-system/configmaps/sohistio-record"
ISTIOD = "/apis/apps/v1/namespaces/istio-system/deployments/istiod"
UNINSTALL = UninstallIstio("old/uninstall", "uninstall Istio 1.29.8", "1.29.8")
INSTALL = InstallIstio("new/install", "install Istio 1.31.1", "1.31.1", OPERATOR, ())
BROKEN = RestoreObjects("restore/objects", "restore", ("{}",))
NO_CONTROL_PLANE = "There is no control plane now; run the same command again."


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("PATCH", RECORD, Reply({}))
        yield running


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Ran:
    """A run of these steps, with shell scripts for istioctl."""

    def __init__(self, server: ApiServer, folder: Path, *, component: float = 30, total: float = 60) -> None:
        self.server = server
        self.folder = folder
        self.component = component
        self.total = total
        self.now = 1000.0
        self.hold = Hold(threading.Event(), lambda: self.now)
        self.said = io.StringIO()
        self.scripts = {"uninstall": "exit 0", "install": "exit 0"}

    def istioctl(self, version: Version) -> Istioctl:
        path = self.folder / "istioctl"
        cases = "".join(f"{name})\n{script}\n;;\n" for name, script in self.scripts.items())
        path.write_text(f"#!/bin/bash\necho working\ncase $1 in\n{cases}esac\n")
        path.chmod(0o700)
        return Istioctl(path, version)

    def of(self, *steps: Step) -> RunResult:
        plan = Plan("qa", "c", Mode.REINSTALL, "1.29.8", "1.31.1", (), (Phase("all", steps),))
        api = self.server.api(self.folder)
        tools = Tools(
            environment="qa",
            api=api.under(self.hold),
            target=KubeTarget(),
            istioctl_for=self.istioctl,
            meshes={},
            component_seconds=self.component,
            restarts=RestartSettings(5, 2, 5),
            log=self.folder / "istioctl.log",
            backup=self.folder / "backup",
            before=Before(),
        )
        recorder = Recorder(api, None, plan, Origin("1", "ada", "agent", "d"), self.hold)
        return Runner(tools, LineObserver(self.said), recorder, self.hold, self.total).carry_out(plan)

    def recorded(self) -> str:
        """The outcome that the record has."""
        writes = [asked for asked in self.server.asked if (asked.method, asked.path) == ("PATCH", RECORD)]
        return str(json.loads(writes[-1].body["data"]["record.json"])["runs"][-1]["outcome"])


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
    assert time.monotonic() - begun < 10
    assert result.error is not None
    assert result.error.what == what
    assert result.error.details == (
        ("working",) if "component" in limits else ("it was waiting: istioctl uninstall has not ended",)
    )
    assert result.error.todo.startswith(NO_CONTROL_PLANE), "istiod is gone already"
    assert result.document()["outcome"] == "failed"
    assert ran.recorded() == "failed"


def test_an_error_after_the_uninstall_says_first_that_there_is_no_control_plane(
    server: ApiServer, tmp_path: Path
) -> None:
    ran = Ran(server, tmp_path)
    ran.scripts["install"] = "echo no room >&2; exit 1"
    result = ran.of(UNINSTALL, INSTALL)
    assert result.error is not None
    assert result.error.what == "istioctl install failed (exit code 1)"
    assert result.error.todo.startswith(NO_CONTROL_PLANE)
    assert str(tmp_path / "istioctl.log") in result.error.todo

    server.answers("GET", ISTIOD, Reply({}, 404), Reply({"status": {"readyReplicas": 1}}))
    result = ran.of(UNINSTALL, INSTALL)
    assert result.error is not None
    assert "no control plane" not in result.error.todo, "it is there: another part failed"


def test_an_interrupt_and_a_lost_lock_say_it_too(server: ApiServer, tmp_path: Path) -> None:
    for lost in (False, True):
        ran = Ran(server, tmp_path)
        ran.scripts["install"] = "exec sleep 60"
        threading.Timer(1.0, ran.hold.lose if lost else ran.hold.stop.set).start()
        result = ran.of(UNINSTALL, INSTALL)
        assert result.error is not None
        assert isinstance(result.error, LockLostError) == lost
        assert result.exit_code == (ExitCode.FAILED if lost else ExitCode.INTERRUPTED)
        assert result.error.todo.startswith(NO_CONTROL_PLANE)
        assert "done: uninstall Istio 1.29.8" in result.error.details


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


@pytest.mark.parametrize(("trouble", "again"), [(True, True), (False, False)], ids=["outage", "well"])
def test_istioctl_that_fails_in_an_outage_is_run_once_more(
    server: ApiServer, tmp_path: Path, trouble: bool, again: bool
) -> None:
    away = [Reply({}, 503, {"Retry-After": "0"})] * 5 if trouble else []
    server.answers("GET", "/version", *away, Reply({"gitVersion": "v1.35.0"}))
    ran = Ran(server, tmp_path)
    first = tmp_path / "first"
    ran.scripts["install"] = f"[ -e {first} ] && exit 0; touch {first}; echo refused; exit 1"
    result = ran.of(INSTALL)
    assert (result.error is None) == again
    assert ("is run again" in ran.said.getvalue()) == again


_DONE, _FAILED, _NOT = StepState.DONE, StepState.FAILED, StepState.NOT_STARTED


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(((UNINSTALL, _DONE), (INSTALL, _NOT)), _DONE, id="between"),
        pytest.param(((UNINSTALL, _DONE), (INSTALL, _FAILED)), _DONE, id="install-failed"),
        pytest.param(((UNINSTALL, _FAILED), (INSTALL, _NOT)), _FAILED, id="half"),
        pytest.param(((UNINSTALL, _DONE), (INSTALL, _DONE), (BROKEN, _FAILED)), None, id="replaced"),
        pytest.param(((UNINSTALL, _NOT), (INSTALL, _NOT)), None, id="not-begun"),
        pytest.param(((UNINSTALL, _DONE), (BROKEN, _FAILED)), None, id="an-uninstall-is-meant-to"),
        pytest.param(((INSTALL, _FAILED),), None, id="nothing-to-replace"),
    ],
)
def test_whether_the_old_one_is_gone_and_the_new_one_not_there(
    steps: tuple[tuple[Step, StepState], ...], expected: StepState | None
) -> None:
    assert replaces_half([StepResult(step, state, 0.0) for step, state in steps]) is expected

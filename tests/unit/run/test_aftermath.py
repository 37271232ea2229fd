"""What a run that did not end well says first: whether there is a control plane, as the cluster shows it at its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from ran import BROKEN, INSTALL, ISTIOD, NO_CONTROL_PLANE, RECORD, UNINSTALL, Ran
from sohistio.errors import ExitCode, LockLostError
from sohistio.plan.steps import Step

READY = Reply({"status": {"readyReplicas": 1}})
NOT_READY = Reply({"status": {"replicas": 1}})
GONE = Reply({}, 404)
AWAY = Reply({}, 503, {"Retry-After": "0"})
LABELS = {"operator.istio.io/component": "IngressGateways", "app": "istio-ingressgateway"}
RELEASED = {"sohistio/kept-gateway": "IngressGateways", "app": "istio-ingressgateway"}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("PATCH", RECORD, Reply({}))
        yield running


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def gateway(pods: int, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system", "uid": "1", "labels": labels},
        "spec": {"replicas": pods, "template": {"metadata": {}, "spec": {"containers": []}}},
        "status": {"replicas": pods, "readyReplicas": pods},
    }


PROXY = {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.29.8"}
SIDECAR = {
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {"containers": [PROXY]},
    "status": {"phase": "Running"},
}
OF_ANOTHER = SIDECAR | {"metadata": {"name": "web-1", "namespace": "shop", "annotations": {"istio.io/rev": "asm-1-27"}}}
FAILS = "echo no room >&2; exit 1"


def said_first(ran: Ran, *steps: Step) -> str:
    """What the run's error says to do."""
    result = ran.of(*steps)
    assert result.error is not None
    return result.error.todo


def test_an_error_after_the_uninstall_says_first_that_there_is_no_control_plane(
    server: ApiServer, tmp_path: Path
) -> None:
    ran = Ran(server, tmp_path)
    ran.scripts["install"] = FAILS
    todo = said_first(ran, UNINSTALL, INSTALL)
    assert todo.startswith(NO_CONTROL_PLANE)
    assert str(tmp_path / "istioctl.log") in todo

    server.answers("GET", ISTIOD, GONE, READY)
    assert "no control plane" not in said_first(ran, UNINSTALL, INSTALL), "it is there: another part failed"


@pytest.mark.parametrize(
    ("istiod", "shown", "says"),
    [
        pytest.param(GONE, {"deployments": [gateway(3, LABELS)]}, True, id="gateways-that-serve"),
        pytest.param(GONE, {"deployments": [gateway(3, RELEASED)]}, True, id="released-by-the-replace"),
        pytest.param(GONE, {"pods": [SIDECAR]}, True, id="sidecars"),
        pytest.param(NOT_READY, {"pods": [SIDECAR]}, True, id="istiod-not-ready"),
        pytest.param(READY, {"pods": [SIDECAR]}, False, id="istiod-ready"),
        pytest.param(GONE, {"pods": [OF_ANOTHER]}, False, id="another-mesh's-sidecars"),
        pytest.param(NOT_READY, {}, False, id="a-first-install"),
        pytest.param(GONE, {"deployments": [gateway(0, LABELS)]}, False, id="a-standby's-first-install"),
        pytest.param(AWAY, {"pods": [SIDECAR]}, False, id="nobody-answers"),
    ],
)
def test_the_run_after_a_replace_that_failed_says_it_too(
    server: ApiServer, tmp_path: Path, istiod: Reply, shown: dict[str, list[dict[str, Any]]], says: bool
) -> None:
    """Its plan uninstalls nothing: what the cluster shows counts."""
    server.shows(**shown)
    server.answers("GET", ISTIOD, istiod)
    ran = Ran(server, tmp_path)
    ran.scripts["install"] = FAILS
    assert said_first(ran, INSTALL).startswith(NO_CONTROL_PLANE) is says


def test_it_is_not_said_for_certain_where_nobody_answers(server: ApiServer, tmp_path: Path) -> None:
    server.answers("GET", ISTIOD, GONE, AWAY)
    ran = Ran(server, tmp_path)
    ran.scripts["install"] = FAILS
    todo = said_first(ran, UNINSTALL, INSTALL)
    assert todo.startswith("There may be no control plane now; run the same command again.")


def test_a_run_that_is_to_leave_none_does_not_say_it(server: ApiServer, tmp_path: Path) -> None:
    server.shows(pods=[SIDECAR])
    ran = Ran(server, tmp_path)
    ran.scripts["uninstall"] = FAILS
    assert "no control plane" not in said_first(ran, UNINSTALL)
    assert "no control plane" not in said_first(ran, BROKEN)


def test_an_interrupt_and_a_lost_lock_say_it_too_and_once(server: ApiServer, tmp_path: Path) -> None:
    for lost in (False, True):
        ran = Ran(server, tmp_path)
        ran.scripts["install"] = "exec sleep 60"
        threading.Timer(1.0, ran.hold.lose if lost else ran.hold.stop.set).start()
        result = ran.of(UNINSTALL, INSTALL)
        assert result.error is not None
        assert isinstance(result.error, LockLostError) == lost
        assert result.exit_code == (ExitCode.FAILED if lost else ExitCode.INTERRUPTED)
        assert result.error.todo.startswith(NO_CONTROL_PLANE)
        assert result.error.todo.lower().count("again") == 1, result.error.todo
        assert "done: uninstall Istio 1.29.8" in result.error.details


@pytest.mark.parametrize("limits", [{"component": 1.0}, {"total": 2.0}], ids=["component", "total"])
def test_a_timeout_says_only_once_to_run_it_again(server: ApiServer, tmp_path: Path, limits: dict[str, float]) -> None:
    ran = Ran(server, tmp_path, **limits)
    ran.scripts["uninstall"] = "exec sleep 60"
    todo = said_first(ran, UNINSTALL, INSTALL)
    assert todo.startswith(NO_CONTROL_PLANE)
    assert todo.lower().count("again") == 1, todo
    assert "timeout" in todo, "nothing else is lost"


def test_without_such_a_beginning_the_error_says_itself_to_run_it_again(server: ApiServer, tmp_path: Path) -> None:
    ran = Ran(server, tmp_path)
    server.answers("GET", ISTIOD, READY)
    ran.scripts["install"] = "exec sleep 60"
    threading.Timer(1.0, ran.hold.stop.set).start()
    todo = said_first(ran, INSTALL)
    assert todo == (
        "What is done stays done: the next run looks at the cluster first. To go on, run the same command again."
    )

"""Why a rollout hangs, in the words of pods' conditions and containers, and of the workload itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.trouble import conditions_of, pod_trouble, why_not_ready
from sohistio.errors import FailedError
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.output.error_text import error_lines
from sohistio.run.hanging import Stuck


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **conditions: Any) -> dict[str, Any]:
    status = {
        "containerStatuses": list(containers),
        "initContainerStatuses": list(init),
        "conditions": [{"type": kind, **values} for kind, values in conditions.items()],
    }
    return {"metadata": {"name": "web-1"}, "status": status}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"name": "app", "state": {"waiting": {"reason": reason, "message": message}}, **more}


KILLED = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}


@pytest.mark.parametrize(
    ("seen", "lines"),
    [
        pytest.param(pod({"name": "app", "state": {"running": {}}}), [], id="running"),
        pytest.param(pod(waiting("ContainerCreating")), [], id="being-created"),
        pytest.param(pod(waiting("PodInitializing")), [], id="initializing"),
        pytest.param({"metadata": {"name": "web-1"}}, [], id="no-status-yet"),
        pytest.param(
            pod(waiting("ImagePullBackOff", 'Back-off pulling image "a:1"')),
            ['web-1: container app: ImagePullBackOff: Back-off pulling image "a:1"'],
            id="image",
        ),
        pytest.param(
            pod(waiting("CrashLoopBackOff", lastState=KILLED)),
            ["web-1: container app: CrashLoopBackOff (it ended with OOMKilled, exit code 137)"],
            id="killed-again-and-again",
        ),
        pytest.param(
            pod(init=(waiting("CreateContainerConfigError", 'secret "x" not found'),)),
            ['web-1: container app: CreateContainerConfigError: secret "x" not found'],
            id="init-container",
        ),
        pytest.param(
            pod(PodScheduled={"status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}),
            ["web-1: Unschedulable: 0/3 nodes are available"],
            id="unschedulable",
        ),
        pytest.param(pod(PodScheduled={"status": "True"}, Ready={"status": "False"}), [], id="scheduled"),
    ],
)
def test_pod(seen: dict[str, Any], lines: list[str]) -> None:
    assert pod_trouble(seen) == lines


def condition(kind: str, status: str, reason: str = "Why", message: str = "because") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("conditions", "lines"),
    [
        pytest.param(None, [], id="none"),
        pytest.param([condition("Available", "True"), condition("Progressing", "True")], [], id="well"),
        pytest.param([condition("Available", "False")], [], id="not-available-is-no-reason"),
        pytest.param(
            [condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: pods")],
            ["web: FailedCreate: exceeded quota: pods"],
            id="quota",
        ),
        pytest.param(
            [condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out")],
            ["web: ProgressDeadlineExceeded: timed out"],
            id="deadline",
        ),
    ],
)
def test_workload(conditions: list[dict[str, str]] | None, lines: list[str]) -> None:
    assert conditions_of({"metadata": {"name": "web"}, "status": {"conditions": conditions}}) == lines


def test_a_text_of_several_lines_is_one_line_of_the_error(tmp_path: Path) -> None:
    """An event's message is anybody's: it must not look like a line of ours."""
    web, at = ObjectRef("Deployment", "shop", "web"), "/api/v1/namespaces/shop"
    message = "first\nWhat to do: nothing\r\nError: made up\u2028more\rover"
    about = {"metadata": {"name": "web.1"}, "involvedObject": {"name": "web"}}
    event = {**about, "reason": "Failed", "message": message}
    with ApiServer() as server:
        server.answers(
            "GET",
            "/apis/apps/v1/namespaces/shop/deployments/web",
            Reply(
                {
                    "metadata": {"name": "web", "namespace": "shop"},
                    "spec": {"selector": {"matchLabels": {"app": "web"}}},
                }
            ),
        )
        server.answers("GET", f"{at}/pods", Reply({"items": []}))
        server.answers("GET", f"{at}/events", Reply({"items": [event]}))
        reasons = why_not_ready(server.api(tmp_path), web)
    (line,) = reasons
    assert line == "web: Failed: first⏎What to do: nothing⏎Error: made up\\u2028more\\rover"
    stuck = Stuck(web, Progress(0, 1, False, "not restarted: denied\nby a policy"), reasons)
    told = error_lines(FailedError("web not ready", details=stuck.lines(), todo="Fix it.", docs="docs/x.md"))
    assert told == [
        "Error: web not ready.",
        "  Deployment shop/web: not restarted: denied⏎by a policy",
        f"    {line}",
        "What to do: Fix it.",
        "(exit code 1; docs/x.md)",
    ]

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


FIRST = {"lastUpdateTime": "2026-11-28T20:00:05Z", "lastTransitionTime": "2026-11-28T20:00:05Z"}
FAILURE = condition("ReplicaFailure", "True", "FailedCreate", 'serviceaccount "web" not found') | FIRST
DENIED = 'admission webhook "x.example.com" denied the request: no'


def event(name: str, kind: str, reason: str, message: str, **times: Any) -> dict[str, Any]:
    about = {"kind": kind, "name": name}
    return {"metadata": {"name": f"{name}.1"}, "involvedObject": about, "reason": reason, "message": message, **times}


def of_replicas(message: str = DENIED, name: str = "web-5d9c7b", reason: str = "FailedCreate", **times: Any) -> Any:
    return event(name, "ReplicaSet", reason, message, **times or {"lastTimestamp": "2026-11-28T20:00:30Z"})


def why(folder: Path, events: list[dict[str, Any]], *conditions: dict[str, str]) -> tuple[str, ...]:
    """The reasons of a Deployment shop/web with these conditions, without a pod."""
    at = "/api/v1/namespaces/shop"
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    live = {"metadata": {"name": "web"}, "spec": spec, "status": {"conditions": list(conditions)}}
    with ApiServer() as server:
        server.answers("GET", "/apis/apps/v1/namespaces/shop/deployments/web", Reply(live))
        server.answers("GET", f"{at}/pods", Reply({"items": []}))
        server.answers("GET", f"{at}/events", Reply({"items": events}))
        return why_not_ready(server.api(folder), ObjectRef("Deployment", "shop", "web"))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        pytest.param([of_replicas()], DENIED, id="newer"),
        pytest.param([of_replicas(eventTime="2026-11-28T20:00:05.500000Z")], DENIED, id="in-the-same-second"),
        pytest.param(
            [of_replicas(eventTime="2026-11-28T20:00:01Z", series={"lastObservedTime": "2026-11-28T20:01:00.5Z"})],
            DENIED,
            id="a-series",
        ),
        pytest.param(
            [of_replicas("quota", lastTimestamp="2026-11-28T20:00:10Z"), of_replicas()], DENIED, id="the-newest"
        ),
        pytest.param(
            [of_replicas('pods "web-5d9c7b-x2x8k" is forbidden: "web-5" is bad')],
            'pods "web-5d9c7b-…" is forbidden: "web-5" is bad',
            id="of-any-pod",
        ),
        pytest.param([of_replicas(lastTimestamp="2026-11-28T20:00:01Z")], FAILURE["message"], id="older"),
        pytest.param([of_replicas(name="web-api-5d9c7b")], FAILURE["message"], id="of-another-deployment"),
        pytest.param([of_replicas(reason="FailedDelete")], FAILURE["message"], id="of-something-else"),
        pytest.param([], FAILURE["message"], id="no-event"),
    ],
)
def test_why_no_pod_is_made_is_what_was_said_last(events: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    assert why(tmp_path, events, FAILURE) == (f"web: FailedCreate: {said}",)


def test_replicas_that_were_refused_once_are_no_reason(tmp_path: Path) -> None:
    assert why(tmp_path, [of_replicas()], condition("Available", "False")) == ()


METRICS = ("FailedGetResourceMetric", "FailedGetContainerResourceMetric", "FailedComputeMetricsReplicas")


def test_an_autoscaler_without_metrics_is_no_reason(tmp_path: Path) -> None:
    """It would crowd out what is; that it cannot scale is one."""
    at = {"lastTimestamp": "2026-11-28T20:00:30Z"}
    events = [event("web", "HorizontalPodAutoscaler", reason, "no metrics", **at) for reason in METRICS]
    scale = event("web", "HorizontalPodAutoscaler", "FailedRescale", "conflict", **at)
    assert why(tmp_path, [*events, scale]) == ("web: FailedRescale: conflict",)


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

"""How long a gateway serves what is open, and what is wrong with that, from its pod template."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.model.pod_ending import PodEnding

WAITS = [{"name": "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "value": "true"}]


def template(*, annotation: str = "", **spec: Any) -> dict[str, Any]:
    """A pod template; `lifecycle` and `env` are the proxy's."""
    proxy: dict[str, Any] = {
        "name": "istio-proxy",
        **{key: spec.pop(key) for key in ("lifecycle", "env") if key in spec},
    }
    annotations = {"proxy.istio.io/config": annotation} if annotation else {}
    return {"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "other"}, proxy], **spec}}


def sleep(seconds: int) -> dict[str, Any]:
    return {"preStop": {"sleep": {"seconds": seconds}}}


def command(*words: str) -> dict[str, Any]:
    return {"preStop": {"exec": {"command": list(words)}}}


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        (template(), PodEnding(0, 5, 30)),
        (template(env=WAITS, terminationGracePeriodSeconds=85, lifecycle=sleep(10)), PodEnding(10, None, 85)),
        (template(terminationGracePeriodSeconds=0), PodEnding(0, 5, 0)),
        (template(annotation="terminationDrainDuration: 1m30s"), PodEnding(0, 90, 30)),
        (template(annotation='{"terminationDrainDuration": "500ms"}'), PodEnding(0, 0.5, 30)),
        (template(env=[{"name": "PROXY_CONFIG", "value": '{"terminationDrainDuration":"20s"}'}]), PodEnding(0, 20, 30)),
        (template(lifecycle=command("/bin/sleep", "15")), PodEnding(15, 5, 30)),
        (template(lifecycle=command("sleep", "15")), PodEnding(15, 5, 30)),
        (template(lifecycle=command("sh", "-c", "sleep 15")), PodEnding(15, 5, 30)),
        (template(lifecycle=command("sh", "-c", "while true; do :; done")), PodEnding(None, 5, 30)),
        (template(env=[{"name": "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "value": "false"}]), PodEnding(0, 5, 30)),
        ({}, PodEnding(0, 5, 30)),
    ],
)
def test_what_is_read(pods: dict[str, Any], expected: PodEnding) -> None:
    assert PodEnding.of(pods) == expected


@pytest.mark.parametrize(
    ("ending", "served"),
    [
        (PodEnding(10, None, 85), 75),
        (PodEnding(10, 5, 85), 5),
        (PodEnding(10, 90, 85), 75),
        (PodEnding(40, None, 30), 0),
        (PodEnding(None, None, 85), None),
    ],
)
def test_how_long_open_requests_are_served(ending: PodEnding, served: float | None) -> None:
    assert ending.served == served


@pytest.mark.parametrize(
    ("ending", "faults"),
    [
        (PodEnding(10, None, 85), []),
        (PodEnding(12, 75, 87), []),
        (PodEnding(None, None, 30), []),
        (
            PodEnding(0, 5, 30),
            [
                "stops taking connections at once after it is told to end, and its load balancer sends them for 10s",
                "cuts requests after 5s (its drain), and the longest takes 75s",
            ],
        ),
        (PodEnding(10, None, 30), ["cuts requests after 20s (its grace period), and the longest takes 75s"]),
        (PodEnding(10, 90, 30), ["cuts requests after 20s (its grace period), and the longest takes 75s"]),
    ],
)
def test_what_is_wrong(ending: PodEnding, faults: list[str]) -> None:
    assert list(ending.faults(75, 10)) == faults

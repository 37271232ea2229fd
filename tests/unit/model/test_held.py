"""How far a gateway is whose rollout sohistio holds."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.model.held import HELD, is_applied, is_held, is_paused_by_others, new_pods, old_pods
from sohistio.model.rollout import progress_of

VERSION = "operator.istio.io/version"


def gateway(
    *, status: dict[str, int] | None = None, paused: bool = True, marked: bool = True, label: str = "1.31.1"
) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {
            "generation": 4,
            "annotations": {HELD: "true"} if marked else {},
            "labels": {VERSION: label},
        },
        "spec": {"replicas": 3, "paused": paused},
        "status": {"observedGeneration": 4, **(status or {})},
    }


@pytest.mark.parametrize(
    ("paused", "marked", "held", "others"),
    [
        pytest.param(True, True, True, False, id="ours"),
        pytest.param(True, False, False, True, id="somebody-elses"),
        pytest.param(False, False, False, False, id="neither"),
        pytest.param(False, True, False, False, id="somebody-resumed-it"),
    ],
)
def test_whose_pause_it_is(paused: bool, marked: bool, held: bool, others: bool) -> None:
    found = gateway(paused=paused, marked=marked)
    assert (is_held(found), is_paused_by_others(found)) == (held, others)


@pytest.mark.parametrize(
    ("label", "observed", "applied"),
    [
        pytest.param("held", 4, False, id="istioctl-has-not-come-to-it"),
        pytest.param("1.31.1", 3, False, id="its-controller-has-not-seen-it"),
        pytest.param("1.31.1", 4, True, id="applied"),
    ],
)
def test_whether_istioctl_has_applied_it(label: str, observed: int, applied: bool) -> None:
    assert is_applied(gateway(label=label, status={"observedGeneration": observed})) is applied


@pytest.mark.parametrize(
    ("replicas", "updated", "available", "old", "new"),
    [
        pytest.param(3, 0, 3, 3, 0, id="held"),
        pytest.param(4, 1, 3, 3, 0, id="the-new-one-is-not-ready"),
        pytest.param(4, 1, 4, 3, 1, id="the-first-new-one-serves"),
        pytest.param(4, 3, 4, 1, 3, id="nearly-through"),
        pytest.param(3, 3, 3, 0, 3, id="done"),
        pytest.param(5, 5, 5, 0, 5, id="scaled-meanwhile"),
        pytest.param(0, 0, 0, 0, 0, id="nothing"),
    ],
)
def test_old_pods_and_new_ones(replicas: int, updated: int, available: int, old: int, new: int) -> None:
    status = {"replicas": replicas, "updatedReplicas": updated, "availableReplicas": available}
    found = gateway(status=status)
    assert (old_pods(found), new_pods(found)) == (old, new)


@pytest.mark.parametrize(("marked", "said"), [(True, "held until its turn"), (False, "its rollout is paused")])
def test_what_is_said_of_a_rollout_that_does_not_begin(marked: bool, said: str) -> None:
    status = {"replicas": 3, "availableReplicas": 3}
    assert progress_of(gateway(marked=marked, status=status)).message == said

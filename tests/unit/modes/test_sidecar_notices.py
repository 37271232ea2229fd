"""What a plan that restarts nothing says of workloads whose sidecar is not the mesh's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observed import pod, sidecar, stale, state, workload
from sohistio.model.desired import DesiredMesh
from sohistio.model.restart_policy import NO_RESTRAINT
from sohistio.model.sidecar import RESTARTED_FOR
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes.planner import Subject, restart_plan

TRIED = pod("1.30.5", annotations={RESTARTED_FOR: sidecar().image_for({}), "sidecar.istio.io/status": "{}"})


def notices(seen: ClusterState) -> tuple[str, ...]:
    subject = Subject("qa", "1.31.1", seen, NO_RESTRAINT)
    return restart_plan(subject, DesiredMesh(Version(1, 31, 1), "", (), (), sidecar())).notices


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(
            state(workloads=(stale(paused=True),)),
            "Deployment shop/web: paused: its rollout is somebody's decision",
            id="paused",
        ),
        pytest.param(
            state(workloads=(workload(pods=(TRIED,)),)),
            "Deployment shop/web: its pods run docker.io/istio/proxyv2:1.30.5, although they were to get",
            id="tried",
        ),
        pytest.param(
            replace(state(workloads=(stale(),)), passed_over=frozenset({stale().ref})),
            "Deployment shop/web: a new pod gets no sidecar, as a dry run shows, so a restart would leave none there. "
            "If the check webhooks-alive (`sohistio verify`) is passed, it is not Istio",
            id="passed-over",
        ),
    ],
)
def test_what_nobody_restarts_is_named(seen: ClusterState, words: str) -> None:
    (said,) = notices(seen)
    assert said.startswith(words)


def test_what_is_as_people_want_it_is_not() -> None:
    opted_out = pod("1.30.5", labels={"sidecar.istio.io/inject": "false"})
    seen = state(workloads=(workload(pods=(opted_out,)), workload("off", desired=0, pods=())))
    assert notices(seen) == ()


def test_a_step_that_restarts_says_it_itself() -> None:
    assert notices(state(workloads=(stale("api"), stale("web", paused=True)))) == ()

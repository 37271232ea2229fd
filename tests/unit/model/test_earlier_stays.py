"""A mesh that comes back to a version or to settings: what restarts noted when it was there before says nothing now."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from observed import HUB, pod, sidecar, state, workload
from sohistio.model.injected import Change, Compared
from sohistio.model.sidecar import (
    RESTARTED_FOR,
    RESTARTED_FOR_SETTINGS,
    RESTARTED_UNDER,
    Foreseen,
    SidecarTemplate,
)
from sohistio.model.state import ObservedPod
from sohistio.postinstall import restarts

CHANGED, EARLIER, LATER = "2026-11-28T10:00:00Z", "2026-11-28T09:59:59Z", "2026-11-28T10:00:30Z"
HERE = replace(sidecar("1.30.5"), changed=CHANGED, configured=CHANGED, live=True)
LIMIT = Change("limits.memory", "512Mi", "1Gi")


def from_there(created: str) -> ObservedPod:
    """A pod of the version in between, whose template was restarted for this one before."""
    return pod("1.31.1", created=created, annotations={RESTARTED_FOR: f"{HUB}/proxyv2:1.30.5"})


@pytest.mark.parametrize(
    ("created", "restarted"),
    [
        pytest.param(EARLIER, True, id="started-before-the-mesh-came-back"),
        pytest.param(CHANGED, False, id="in-the-same-second"),
        pytest.param(LATER, False, id="started-since-and-has-another-all-the-same"),
    ],
)
def test_the_image(created: str, restarted: bool) -> None:
    seen = state(sidecar=HERE, workloads=(workload(pods=(from_there(created),)),))
    to_restart, left = restarts(seen, HERE)
    assert bool(to_restart) is restarted
    assert bool(left) is not restarted


@pytest.mark.parametrize("created", [EARLIER, LATER])
def test_before_the_mesh_goes_back(created: str) -> None:
    """The plan of a rollback: the pods of the version that is there now are old ones by then, whatever is noted."""
    values = json.dumps({"global": {"hub": HUB, "tag": "1.30.5"}})
    ahead = SidecarTemplate.from_injector({"data": {"values": values}})
    now = replace(sidecar("1.31.1"), changed=CHANGED, configured=CHANGED, live=True)
    to_restart, left = restarts(state(sidecar=now, workloads=(workload(pods=(from_there(created),)),)), ahead)
    assert [item.ref.name for item in to_restart] == ["web"]
    assert left == []


@pytest.mark.parametrize(("created", "restarted"), [(EARLIER, True), (CHANGED, False), (LATER, False)])
def test_the_settings(created: str, restarted: bool) -> None:
    found = pod(
        "1.30.5", created=created, annotations={RESTARTED_FOR_SETTINGS: "given"}, compared=Compared((LIMIT,), "given")
    )
    assert bool(restarts(state(sidecar=HERE, workloads=(workload(pods=(found,)),)), HERE)[0]) is restarted


@pytest.mark.parametrize(("created", "restarted"), [(EARLIER, False), (CHANGED, True), (LATER, True)])
def test_settings_that_are_to_come_back(created: str, restarted: bool) -> None:
    """A pod that was restarted under them has them, unless it started under others since."""
    seen = workload(pods=(pod("1.30.5", created=created, annotations={RESTARTED_UNDER: "new"}),))
    coming = replace(HERE, foreseen=Foreseen("new", {seen.ref: (LIMIT,)}))
    assert bool(restarts(state(sidecar=HERE, workloads=(seen,)), coming)[0]) is restarted

"""Where new pods lose their sidecars, and when that is over; which workload of such a namespace is tried again."""

from __future__ import annotations

import pytest

from observed import HUB, pod, sidecar, workload
from sohistio.model.restart_marks import stripped_places, tried_bare
from sohistio.model.sidecar import RESTARTED_BARE, RESTARTED_FOR
from sohistio.model.state import ObservedPod

IMAGE = f"{HUB}/proxyv2:1.31.1"
EARLY, LATE = "2026-11-28T10:00:00Z", "2026-11-28T10:05:00Z"


def lost(times: int, created: str = EARLY) -> ObservedPod:
    marks = {1: {RESTARTED_FOR: IMAGE}, 2: {RESTARTED_FOR: IMAGE, RESTARTED_BARE: IMAGE}}
    return pod("", created=created, annotations=marks.get(times, {}))


def has_one(created: str) -> ObservedPod:
    return pod(created=created, annotations={"sidecar.istio.io/status": "{}"})


@pytest.mark.parametrize(
    ("others", "shown_by"),
    [
        pytest.param((), "web", id="alone"),
        pytest.param((workload("api", pods=(lost(1),)),), "web", id="another-lost-it-once"),
        pytest.param((workload("api", pods=(has_one(EARLY),)),), "web", id="another-has-an-old-one"),
        pytest.param((workload("api", pods=(has_one(LATE),)),), None, id="another-got-one-since"),
        pytest.param((workload("api", pods=(lost(2), has_one(LATE))),), None, id="one-pod-of-another-got-one"),
        pytest.param((workload("api", pods=(), arriving=(has_one(LATE),)),), None, id="one-is-arriving"),
    ],
)
def test_where_new_pods_lose_their_sidecar(others: tuple[object, ...], shown_by: str | None) -> None:
    found = stripped_places((workload(pods=(lost(2),)), *others), sidecar())  # type: ignore[arg-type]
    assert {place: ref.name for place, ref in found.items()} == ({"shop": shown_by} if shown_by else {})


@pytest.mark.parametrize(
    ("seen", "first"),
    [
        pytest.param({"a": (has_one(EARLY),), "b": (lost(0),)}, None, id="nobody-tried"),
        pytest.param({"a": (has_one(EARLY),), "b": (lost(1),)}, "b", id="who-lost-it"),
        pytest.param({"a": (lost(1), has_one(EARLY)), "b": (lost(1),)}, "b", id="who-has-least-to-lose"),
        pytest.param({"a": (lost(1),), "b": (lost(1),)}, "a", id="the-first-of-them"),
    ],
)
def test_who_is_tried_again(seen: dict[str, tuple[ObservedPod, ...]], first: str | None) -> None:
    found = tried_bare([workload(name, pods=pods) for name, pods in seen.items()], sidecar())
    assert {place: ref.name for place, ref in found.items()} == ({"shop": first} if first else {})

"""Exclusions that match nothing are reported: what they were meant to protect is not protected."""

from __future__ import annotations

import pytest

from sohistio.model.state import ObjectRef
from sohistio.model.sync import Exclusion, SyncRules
from sohistio.sync.exclusions import idle_exclusions

REFS = {ObjectRef("VirtualService", "shop", "web"), ObjectRef("Secret", "istio-system", "web-tls")}


@pytest.mark.parametrize(
    ("exclusion", "idle"),
    [
        (Exclusion(kind="Secret"), []),
        (Exclusion(namespace="sh*"), []),
        (
            Exclusion(kind="EnvoyFilter", name="region-*"),
            ["sync.exclude {kind: EnvoyFilter, name: region-*} matches nothing in prod or dr"],
        ),
    ],
)
def test_an_exclusion_that_matches_nothing_is_reported(exclusion: Exclusion, idle: list[str]) -> None:
    found = list(idle_exclusions(SyncRules(exclusions=(exclusion,)), REFS, ("prod", "dr")))
    assert [item.what for item in found] == idle
    assert not any(item.counts for item in found)

"""What becomes of an image: by its source, its target and its pin."""

from __future__ import annotations

import pytest

from sohistio.images.mirroring import Action, Found, decide
from sohistio.model.image import Image

SOURCE, TARGET = Image.parse("docker.io/istio/pilot:1.31.1"), Image.parse("dtr.example.com/istio/pilot:1.31.1")
A, B, C = ("sha256:" + letter * 64 for letter in "abc")


@pytest.mark.parametrize(
    ("found", "action", "digest", "reason"),
    [
        (Found(A, None, None), Action.COPY, A, "is missing"),
        (Found(A, None, A), Action.COPY, A, "is missing"),
        (Found(A, A, None), Action.SKIP, A, "is there"),
        (Found(A, A, A), Action.SKIP, A, "is there"),
        (Found(A, B, None), Action.COPY, A, "another digest"),
        (Found(A, B, A), Action.COPY, A, "another digest"),
        (Found(B, None, A), Action.REFUSE, A, "the tag moved"),
        (Found(B, B, A), Action.REFUSE, A, "the tag moved"),
        (Found(B, A, A), Action.REFUSE, A, "the target has what is pinned"),
        (Found(None, None, None), Action.REFUSE, "", "docker.io has no such image"),
        (Found(None, B, A), Action.REFUSE, A, "docker.io has no such image"),
        (Found(None, A, A), Action.SKIP, A, "the target has what is pinned"),
        (Found(None, B, None, "lacks permission"), Action.REFUSE, "", "lacks permission"),
    ],
)
def test_decided(found: Found, action: Action, digest: str, reason: str) -> None:
    decision = decide(SOURCE, TARGET, found)
    assert (decision.action, decision.digest) == (action, digest)
    assert reason in decision.reason
    assert decision.replaces == (B if action is Action.COPY and found.target else "")


def test_what_is_copied_is_named_by_its_digest() -> None:
    assert decide(SOURCE, TARGET, Found(A, C, None)).pinned_source == SOURCE.pinned(A)

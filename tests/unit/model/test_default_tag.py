"""What is the default revision tag's, by its name, and which of it lost the labels by which istioctl knows it."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.model.default_tag import has_validator, is_of_a_tag, lacks_labels
from sohistio.model.webhooks import MUTATING, VALIDATING

WHOLE = {"istio.io/tag": "default", "istio.io/rev": "default"}
TAG = "istio-revision-tag-default"


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (MUTATING, TAG, True),
        (MUTATING, "istio-revision-tag-prod", True),
        (MUTATING, "istio-sidecar-injector", False),
        (VALIDATING, "istiod-default-validator", True),
        (VALIDATING, "istio-validator-istio-system", False),
        ("Service", "istiod-revision-tag-default", True),
        ("Service", "istiod", False),
        ("Deployment", TAG, False),
    ],
)
def test_the_names_of_tags(kind: str, name: str, expected: bool) -> None:
    assert is_of_a_tag(kind, name) is expected


def named(name: str, revision: str = "default") -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"istio.io/rev": revision}}}


@pytest.mark.parametrize(
    ("mutating", "validating", "expected"),
    [
        pytest.param([named(TAG)], [named("istiod-default-validator")], True, id="both"),
        pytest.param([named(TAG)], [named("istio-validator-istio-system")], False, id="without"),
        pytest.param([named(TAG, "1-20")], [], True, id="another-revision's"),
        pytest.param([named("istio-sidecar-injector")], [], True, id="no-tag"),
    ],
)
def test_the_tags_validator(mutating: list[dict[str, Any]], validating: list[dict[str, Any]], expected: bool) -> None:
    assert has_validator({MUTATING: mutating, VALIDATING: validating}) is expected


@pytest.mark.parametrize(
    ("kind", "name", "labels", "expected"),
    [
        pytest.param(MUTATING, TAG, WHOLE, False, id="whole"),
        pytest.param(MUTATING, TAG, {"istio.io/rev": "default"}, True, id="no-tag"),
        pytest.param(MUTATING, TAG, WHOLE | {"istio.io/tag": "x"}, True, id="another-tag"),
        pytest.param(MUTATING, TAG, {"istio.io/tag": "default"}, True, id="no-revision"),
        pytest.param(MUTATING, TAG, {}, True, id="none"),
        pytest.param(MUTATING, TAG, {"istio.io/rev": "1-20"}, False, id="another-revision's"),
        pytest.param(MUTATING, "istio-sidecar-injector", {}, False, id="the-injector"),
        pytest.param(VALIDATING, "istiod-default-validator", {}, True, id="validator"),
        pytest.param("Service", "istiod-revision-tag-default", {}, True, id="service"),
    ],
)
def test_labels_that_are_lost(kind: str, name: str, labels: dict[str, str], expected: bool) -> None:
    assert lacks_labels(kind, {"metadata": {"name": name, "labels": labels}}) is expected

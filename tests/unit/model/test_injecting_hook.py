"""Which changes to an injector's webhooks leave pods without a sidecar, and which do not."""

from __future__ import annotations

from typing import Any

import pytest

from injector_configuration import injector_configuration
from sohistio.model.injecting_hook import (
    MISSING,
    MORE_SELECTORS,
    NARROWED,
    NO_CREATION,
    NO_POD,
    UNVALIDATED,
    misses,
    unvalidated,
)

NEVER = {"matchLabels": {"istio.io/deactivated": "never-match"}}
CONDITIONS = [{"name": "no", "expression": "false"}]


@pytest.mark.parametrize(
    "item",
    [
        injector_configuration(),
        injector_configuration(tag="default"),
        injector_configuration("1-31", tag="prod"),
        injector_configuration("1-31", tag="default"),
    ],
    ids=["injector", "default-tag", "another-tag", "default-tag-of-another-revision"],
)
def test_as_istioctl_makes_them_and_aks_changes_them(item: dict[str, Any]) -> None:
    assert misses(item) == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"namespaceSelector": {"matchLabels": {"x": "y"}}}, NO_POD, id="another-namespace"),
        pytest.param({"objectSelector": {"matchLabels": {"x": "y"}}}, NO_POD, id="other-pods"),
        pytest.param({"rules": []}, NO_CREATION, id="no-rules"),
        pytest.param({"rules": [{"operations": ["UPDATE"]}]}, NO_CREATION, id="updates"),
        pytest.param(
            {"rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}]},
            NO_CREATION,
            id="other-resources",
        ),
        pytest.param(
            {
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                        "scope": "Cluster",
                    }
                ]
            },
            NO_CREATION,
            id="cluster-wide-objects",
        ),
        pytest.param(
            {"objectSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["w4"]}]}},
            MORE_SELECTORS.format("app"),
            id="but-for-some",
        ),
        pytest.param({"matchConditions": CONDITIONS}, NARROWED, id="conditions"),
        pytest.param({"objectSelector": NEVER, "matchConditions": CONDITIONS}, "", id="parked"),
        pytest.param({"namespaceSelector": {}, "objectSelector": {}}, "", id="all-pods"),
        pytest.param(
            {"rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]},
            "",
            id="all-rules",
        ),
    ],
)
def test_one_that_was_changed(change: dict[str, Any], why: str) -> None:
    item = injector_configuration(tag="default")
    item["webhooks"][2] |= change
    assert misses(item) == ((f"namespace.sidecar-injector.istio.io {why}",) if why else ())


@pytest.mark.parametrize("conditions", [[], CONDITIONS])
def test_a_validator_with_conditions(conditions: list[dict[str, str]]) -> None:
    item = {"webhooks": [{"name": "validation.istio.io", "matchConditions": conditions}]}
    assert unvalidated(item) == ((f"validation.istio.io {UNVALIDATED}",) if conditions else ())


def test_one_that_is_gone() -> None:
    item = injector_configuration()
    del item["webhooks"][1]
    assert misses(item) == (f"rev.object.sidecar-injector.istio.io {MISSING}",)


def test_webhooks_that_are_none_of_istioctls_are_nobodys_business() -> None:
    item = injector_configuration("1-31")
    item["webhooks"].append({"name": "company.example.com", "rules": []})
    assert misses(item) == ()

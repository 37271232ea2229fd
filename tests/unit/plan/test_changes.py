"""Drift without noise: what counts as a change and what does not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from sohistio.adapters.kubernetes.compare import read_text
from sohistio.plan.changes import FieldChange
from sohistio.plan.drift import fields


def changed_fields(live: dict[str, Any], applied: dict[str, Any]) -> tuple[FieldChange, ...]:
    return fields.changed_fields(live, applied, read_text)


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "istiod",
        "namespace": "istio-system",
        "labels": {"app": "istiod", "operator.istio.io/version": "1.31.1", "istio.io/rev": "default"},
        "resourceVersion": "5",
        "generation": 1,
        "managedFields": [{"manager": "istio-operator"}],
    },
    "spec": {"template": {"spec": {"containers": [{"name": "discovery", "image": "pilot:1"}]}}},
    "status": {"readyReplicas": 3},
}
WEBHOOK: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "istio-sidecar-injector"},
    "webhooks": [
        {
            "name": "rev.namespace.sidecar-injector.istio.io",
            "clientConfig": {"service": {"name": "istiod"}},
            "failurePolicy": "Fail",
            "namespaceSelector": {
                "matchExpressions": [{"key": "istio.io/rev", "operator": "In", "values": ["default"]}]
            },
            "objectSelector": {"matchLabels": {"a": "b"}},
        }
    ],
}


def _with(obj: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(obj)
    *parents, last = path.split("/")
    place: Any = changed
    for key in parents:
        place = place[int(key)] if key.isdigit() else place[key]
    place[last] = value
    return changed


@pytest.mark.parametrize(
    ("live", "path", "value"),
    [
        pytest.param(DEPLOYMENT, "metadata/resourceVersion", "6", id="resource-version"),
        pytest.param(DEPLOYMENT, "metadata/generation", 2, id="generation"),
        pytest.param(DEPLOYMENT, "metadata/labels", {"app": "istiod"}, id="labels-of-installing"),
        pytest.param(DEPLOYMENT, "status", {}, id="status"),
        pytest.param(WEBHOOK, "webhooks/0/clientConfig/caBundle", "abc", id="ca-bundle"),
        pytest.param(WEBHOOK, "webhooks/0/failurePolicy", "Ignore", id="failure-policy"),
        pytest.param(
            WEBHOOK,
            "webhooks/0/namespaceSelector/matchExpressions",
            [
                {"key": "istio.io/rev", "operator": "In", "values": ["default"]},
                {"key": "control-plane", "operator": "DoesNotExist"},
                {"key": "kubernetes.azure.com/managedby", "operator": "DoesNotExist"},
            ],
            id="aks-selectors",
        ),
    ],
)
def test_noise_is_no_change(live: dict[str, Any], path: str, value: Any) -> None:
    assert changed_fields(live, _with(live, path, value)) == ()


@pytest.mark.parametrize(
    ("live", "path", "value", "named"),
    [
        pytest.param(
            DEPLOYMENT,
            "spec/template/spec/containers/0/image",
            "pilot:2",
            "spec.template.spec.containers[discovery].image",
            id="image",
        ),
        pytest.param(DEPLOYMENT, "metadata/labels/app", "x", "metadata.labels.app", id="label"),
        pytest.param(
            WEBHOOK,
            "webhooks/0/objectSelector",
            {},
            "webhooks[rev.namespace.sidecar-injector.istio.io].objectSelector.matchLabels",
            id="selector",
        ),
    ],
)
def test_a_change_is_named_by_its_field(live: dict[str, Any], path: str, value: Any, named: str) -> None:
    assert [change.path for change in changed_fields(live, _with(live, path, value))] == [named]


def test_webhooks_parked_by_the_default_revision_tag_are_no_change() -> None:
    parked = _with(WEBHOOK, "webhooks/0/objectSelector", {"matchLabels": {"istio.io/deactivated": "never-match"}})
    assert changed_fields(parked, WEBHOOK) == ()


def test_json_in_a_string_compares_by_its_fields() -> None:
    live = {"kind": "ConfigMap", "metadata": {"name": "values"}, "data": {"values": '{\n "global": {"tag": "1.30.5"}}'}}
    applied = _with(live, "data/values", '{\n "global": {"tag": "1.31.1"}}')
    (change,) = changed_fields(live, applied)
    assert (change.path, change.before, change.after) == ("data.values.global.tag", "1.30.5", "1.31.1")

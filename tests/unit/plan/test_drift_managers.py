"""Who wrote a field: fieldsV1 read along a path; what nobody may read; values as lines."""

from __future__ import annotations

from typing import Any

import pytest

from injector_configuration import injector_configuration
from sohistio.adapters.kubernetes.compare import read_text
from sohistio.model.hidden import HIDDEN, shown
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange, component_of
from sohistio.plan.drift.fields import changed_fields, injecting_changes
from sohistio.plan.drift.managers import Item, Step, path_text, writer_of
from sohistio.plan.drift.values import all_lines, one_line

CONTAINER = {"name": "discovery", "image": "x"}
PORT = {"name": "http", "port": 80, "protocol": "TCP"}


def entry(manager: str, time: str, **fields: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields}


MANAGED = [
    entry("istio-operator", "9", **{"f:spec": {"f:minReplicas": {}, "f:maxReplicas": {}}}),
    entry("kubectl-edit", "2", **{"f:spec": {"f:maxReplicas": {}}, "f:rules": {}}),
    entry(
        "rancher",
        "3",
        **{
            "f:spec": {
                "f:containers": {'k:{"name":"discovery"}': {".": {}, "f:image": {}}},
                "f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:targetPort": {}}},
            },
            "f:metadata": {"f:labels": {"f:app.kubernetes.io/name": {}}},
        },
    ),
    entry("later", "4", **{"f:rules": {}}),
    {"manager": "no-fields", "operation": "Update"},
    entry("owns-nothing", "9"),
]


@pytest.mark.parametrize(
    ("path", "manager"),
    [
        pytest.param(("spec", "maxReplicas"), "kubectl-edit", id="field"),
        pytest.param(("spec", "minReplicas"), "", id="istioctls-own"),
        pytest.param(("spec", "containers", Item("discovery", CONTAINER), "image"), "rancher", id="list-item"),
        pytest.param(("spec", "containers", Item("discovery", CONTAINER), "args"), "", id="another-field-of-it"),
        pytest.param(("spec", "containers", Item("other", {"name": "other"}), "image"), "", id="another-item"),
        pytest.param(("spec", "ports", Item("http", PORT), "targetPort"), "rancher", id="item-by-other-keys"),
        pytest.param(("rules",), "later", id="the-newest"),
        pytest.param(("rules", "deep", "down"), "later", id="atomic"),
        pytest.param(("metadata", "labels", "app.kubernetes.io/name"), "rancher", id="key-with-dots"),
        pytest.param(("spec",), "rancher", id="the-whole"),
    ],
)
def test_the_writer_of_a_field(path: tuple[Step, ...], manager: str) -> None:
    assert writer_of(MANAGED, path) == manager


def test_a_path_as_people_write_it() -> None:
    assert (
        path_text(("spec", "containers", Item("discovery", CONTAINER), "image")) == "spec.containers[discovery].image"
    )


def test_a_hand_edit_is_named_with_its_manager() -> None:
    hpa = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "x", "managedFields": MANAGED}}
    live, applied = hpa | {"spec": {"maxReplicas": 20}}, hpa | {"spec": {"maxReplicas": 10}}
    (change,) = changed_fields(live, applied, read_text)
    assert one_line(change) == "spec.maxReplicas: 20 → 10 (set by kubectl-edit)"


def test_what_is_not_there_was_written_by_nobody() -> None:
    hpa = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "x", "managedFields": MANAGED}}
    (change,) = changed_fields(hpa | {"spec": {}}, hpa | {"spec": {"maxReplicas": 10}}, read_text)
    assert (change.before, change.manager) == (None, "")


@pytest.mark.parametrize(
    ("key", "value", "seen"),
    [
        ("replicas", 3, 3),
        ("accessToken", "abc", HIDDEN),
        ("password", "", ""),
        ("imagePullSecrets", ["jfrogauth"], ["jfrogauth"]),
        ("secretName", "istio-kubeconfig", "istio-kubeconfig"),
        ("env", [{"name": "DB_PASSWORD", "value": "abc"}], [{"name": "DB_PASSWORD", "value": HIDDEN}]),
        ("env", [{"name": "SECRET_TTL", "value": "24h"}], [{"name": "SECRET_TTL", "value": "24h"}]),
        (
            "tracing",
            {"lightstep": {"accessToken": "abc", "address": "x"}},
            {"lightstep": {"accessToken": HIDDEN, "address": "x"}},
        ),
        ("cert", "-----BEGIN PRIVATE KEY-----\nabc", HIDDEN),
    ],
)
def test_what_nobody_may_read(key: str, value: Any, seen: Any) -> None:
    assert shown(key, value) == seen


def test_a_secret_shows_that_it_differs_and_no_more() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "x"}, "data": {"key": "YWJj"}}
    (change,) = changed_fields(secret, secret | {"data": {"key": "eHl6"}}, read_text)
    assert (change.path, change.before, change.after) == ("data.key", HIDDEN, HIDDEN)


def test_an_environment_variable_that_is_a_secret() -> None:
    def deployment(value: str) -> dict[str, Any]:
        env = [{"name": "API_TOKEN", "value": value}]
        return {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "env": env}]}}

    (change,) = changed_fields(deployment("abc"), deployment("xyz"), read_text)
    assert (change.path, change.before) == ("spec.containers[c].env[API_TOKEN].value", HIDDEN)


@pytest.mark.parametrize(
    ("parked", "tag", "quiet"), [(True, True, True), (True, False, False), (False, True, False), (False, False, False)]
)
def test_exactly_one_injects(parked: bool, tag: bool, quiet: bool) -> None:
    selector = {"matchLabels": {"istio.io/deactivated": "never-match"}} if parked else {}
    injector = {"webhooks": [{"name": "x", "objectSelector": selector}]}
    assert (injecting_changes(injector, injector_configuration() if tag else None) == ()) is quiet


def test_a_tag_that_injects_less_is_made_again_and_conditions_are_not_istioctls() -> None:
    injector = {"webhooks": [{"name": "x", "objectSelector": {"matchLabels": {"istio.io/deactivated": "never-match"}}}]}
    tag = injector_configuration()
    tag["webhooks"][0]["matchConditions"] = [{"name": "no", "expression": "false"}]
    assert injecting_changes(injector, tag) == ()
    del tag["webhooks"][1]
    (change,) = injecting_changes(injector, tag)
    assert (change.path, change.before, change.after) == (
        "istio-revision-tag-default",
        "rev.object.sidecar-injector.istio.io is not there",
        "as istioctl makes it",
    )


LONG = "\n".join(f"line {number}" for number in range(30))


def test_a_long_text_is_counted_in_a_list_and_shown_on_demand() -> None:
    change = FieldChange("data.config", LONG, LONG.replace("line 9", "line nine"), "kubectl-edit")
    assert one_line(change) == "data.config: 2 lines differ (set by kubectl-edit)"
    lines = list(all_lines(change))
    assert lines[0] == "data.config: (set by kubectl-edit)"
    assert "  -line 9" in lines
    assert "  +line nine" in lines
    assert len(lines) < 12


def test_a_long_list_is_shown_item_by_item() -> None:
    rules = [{"verbs": ["get"], "resources": [f"resource-{number}"]} for number in range(3)]
    lines = list(all_lines(FieldChange("rules", rules, rules[:-1])))
    assert '  -{"resources": ["resource-2"], "verbs": ["get"]}' in lines


def test_components() -> None:
    def change(name: str, component: str, action: Action) -> ObjectChange:
        return ObjectChange(ObjectRef("ConfigMap", "istio-system", name), action, (), component)

    changes = Changes(
        (
            change("a", "istiod", Action.CHANGED),
            change("b", "istiod", Action.CREATED),
            change("c", "base", Action.REMOVED),
        )
    )
    assert {name: part.summary() for name, part in changes.components.items()} == {
        "base": "0 created, 0 changed, 1 removed",
        "istiod": "1 created, 1 changed, 0 removed",
    }


@pytest.mark.parametrize(
    ("labels", "component"),
    [
        ({"helm.sh/chart": "base-1.0.0", "app": "istio-reader"}, "base"),
        ({"helm.sh/chart": "istiod-1.0.0", "app": "sidecar-injector"}, "istiod"),
        (
            {"helm.sh/chart": "istio-ingress-1.0.0", "app.kubernetes.io/name": "istio-ingressgateway"},
            "istio-ingressgateway",
        ),
        ({"operator.istio.io/component": "Pilot"}, "istiod"),
        ({"operator.istio.io/component": "IngressGateways", "app": "gw"}, "gw"),
        ({}, "other"),
    ],
)
def test_the_component_of_an_object(labels: dict[str, str], component: str) -> None:
    assert component_of({"metadata": {"name": "x", "labels": labels}}) == component

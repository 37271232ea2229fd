"""managedFields: which entries are moved to istioctl's manager, what becomes of them, and what goes as undeclared."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.plan.ownership import (
    field_paths,
    installers,
    is_installers,
    merge_patch,
    moved,
    others,
    tree_of,
    undeclared_paths,
    without,
)

CLIENT_SIDE = "kubectl-client-side-apply"
WEBHOOK = "MutatingWebhookConfiguration"


def entry(manager: str, *paths: str, operation: str = "Update", version: str = "v1", **more: str) -> dict[str, Any]:
    """An entry that owns these fields, written such as `f:spec/f:replicas`."""
    tree = tree_of(tuple(path.split("/")) for path in paths)
    return {"manager": manager, "operation": operation, "apiVersion": version, "fieldsV1": tree} | more


def owned(found: dict[str, Any]) -> set[str]:
    return {"/".join(path) for path in field_paths(found["fieldsV1"])}


@pytest.mark.parametrize(
    ("kind", "found", "expected"),
    [
        pytest.param("Service", entry(CLIENT_SIDE, "f:spec"), True, id="kubectl-apply"),
        pytest.param("Service", entry("kubectl", "f:spec", operation="Apply"), True, id="kubectl-apply-server-side"),
        pytest.param("Service", entry("istio-operator", "f:spec"), True, id="istioctl-update"),
        pytest.param("Service", entry("istio-operator", "f:spec", operation="Apply"), False, id="istioctl-apply"),
        pytest.param("Service", entry("operator", "f:spec"), True, id="old-operator"),
        pytest.param("Service", entry("istioctl", "f:spec"), True, id="old-istioctl"),
        pytest.param(WEBHOOK, entry("istioctl", "f:webhooks"), False, id="istioctl-parks-webhooks"),
        pytest.param(WEBHOOK, entry("pilot-discovery", "f:webhooks"), False, id="ca-bundle"),
        pytest.param("Deployment", entry(CLIENT_SIDE, "f:status", subresource="status"), False, id="subresource"),
        pytest.param("Deployment", entry("kubectl-edit", "f:spec"), False, id="hand-edit"),
        pytest.param(
            "Deployment", entry("argocd-controller", "f:spec", operation="Apply"), False, id="another-applier"
        ),
        pytest.param("Deployment", {"manager": CLIENT_SIDE, "operation": "Update"}, False, id="no-fields"),
    ],
)
def test_whose_entries_are_moved(kind: str, found: dict[str, Any], expected: bool) -> None:
    assert is_installers(kind, found) is expected


def test_who_put_it_there_and_who_else_wrote() -> None:
    entries = [
        entry("operator", "f:spec"),
        entry(CLIENT_SIDE, "f:spec"),
        entry("istio-operator", "f:spec", operation="Apply"),
        entry("kube-controller-manager", "f:metadata"),
        entry("kubectl-edit", "f:metadata"),
    ]
    assert installers("Deployment", entries) == (CLIENT_SIDE, "operator")
    assert others("Deployment", entries) == ("kubectl-edit",)


@pytest.mark.parametrize(
    "tree",
    [
        {"f:a": {}},
        {"f:a": {".": {}, "f:b": {}}},
        {"f:a": {"f:b": {}, "f:c": {'k:{"name":"x"}': {".": {}, "f:name": {}}}}},
        {"f:finalizers": {".": {}, 'v:"x"': {}}},
    ],
)
def test_fields_there_and_back(tree: dict[str, Any]) -> None:
    assert tree_of(field_paths(tree)) == tree


def test_moved_into_the_entry_that_istioctl_has() -> None:
    status = entry("kube-controller-manager", "f:status", subresource="status")
    own = entry("istio-operator", "f:spec/f:a", operation="Apply")
    after = moved("Deployment", [own, entry(CLIENT_SIDE, "f:spec/f:b"), status], frozenset({CLIENT_SIDE}))
    assert [(found["manager"], found["operation"]) for found in after] == [
        ("kube-controller-manager", "Update"),
        ("istio-operator", "Apply"),
    ]
    assert owned(dict(after[-1])) == {"f:spec/f:a", "f:spec/f:b"}


def test_moved_where_istioctl_never_applied() -> None:
    after = moved("Service", [entry(CLIENT_SIDE, "f:spec/f:b")], frozenset({CLIENT_SIDE}))
    assert [(found["manager"], found["operation"]) for found in after] == [("istio-operator", "Apply")]


def test_what_is_never_moved() -> None:

    last_applied = ("f:metadata", "f:annotations", "f:kubectl.kubernetes.io/last-applied-configuration")
    restarted = ("f:spec", "f:template", "f:metadata", "f:annotations", "f:kubectl.kubernetes.io/restartedAt")
    tree = tree_of([("f:spec", "f:replicas"), ("f:spec", "f:selector"), last_applied, restarted])
    found = entry(CLIENT_SIDE) | {"fieldsV1": tree}
    after = moved("Deployment", [found], frozenset({CLIENT_SIDE}))
    assert owned(dict(after[0])) == {"f:spec/f:selector"}


def test_another_version_of_the_kind_is_dropped() -> None:
    old = entry(CLIENT_SIDE, "f:spec/f:targetCPUUtilizationPercentage", version="autoscaling/v1")
    own = entry("istio-operator", "f:spec/f:metrics", operation="Apply", version="autoscaling/v2")
    after = moved("HorizontalPodAutoscaler", [own, old], frozenset({CLIENT_SIDE}))
    assert [owned(dict(found)) for found in after] == [{"f:spec/f:metrics"}]


def test_only_the_named_managers_are_moved() -> None:
    entries = [entry(CLIENT_SIDE, "f:spec"), entry("operator", "f:data")]
    assert moved("Service", entries, frozenset({"helm"})) == entries
    after = moved("Service", entries, frozenset({"operator"}))
    assert {found["manager"] for found in after} == {CLIENT_SIDE, "istio-operator"}


def test_undeclared_is_what_nobody_else_owns() -> None:
    paths = ("f:spec", "f:spec/f:extra", "f:spec/f:same", "f:spec/f:shared", "f:spec/f:replicas")
    live = [entry(CLIENT_SIDE, *paths), entry("kubectl-edit", "f:spec/f:shared")]
    applied = [*live, entry("istio-operator", "f:spec/f:same", operation="Apply")]
    assert undeclared_paths("Deployment", live, applied) == {("f:spec", "f:extra")}
    assert undeclared_paths("Deployment", [entry("kubectl-edit", "f:spec/f:extra")], applied) == set()


def test_an_object_without_fields() -> None:
    obj = {
        "metadata": {"labels": {"team": "network"}, "finalizers": ["a", "b"]},
        "spec": {"containers": [{"name": "x", "env": [{"name": "A", "value": "1"}, {"name": "B"}]}]},
    }
    container = ("f:spec", "f:containers", 'k:{"name":"x"}')
    variable = (*container, "f:env", 'k:{"name":"A"}')
    paths = [
        ("f:metadata", "f:labels"),
        ("f:metadata", "f:labels", "f:team"),
        ("f:metadata", "f:finalizers", 'v:"a"'),
        variable,
        (*variable, "f:name"),
        (*variable, "f:value"),
        ("f:spec", "f:missing"),
        ("f:spec", "f:containers", 'k:{"name":"gone"}', "f:image"),
    ]
    left = without(obj, paths)
    assert left == {
        "metadata": {"finalizers": ["b"]},
        "spec": {"containers": [{"name": "x", "env": [{"name": "B"}]}]},
    }
    assert obj["metadata"] == {"labels": {"team": "network"}, "finalizers": ["a", "b"]}, "the original is left alone"
    assert merge_patch(obj, left) == {
        "metadata": {"labels": None, "finalizers": ["b"]},
        "spec": {"containers": [{"name": "x", "env": [{"name": "B"}]}]},
    }
    assert merge_patch(obj, obj) == {}

"""Objects owned as a whole: what counts as somebody's edit, and the patch that undoes it."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.plan.drift.edits import is_edited, undoing_patch

OURS = {"manager": "sohistio-monitoring", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def live(*entries: dict[str, Any], kind: str = "Deployment", **content: Any) -> dict[str, Any]:
    metadata = {"name": "a", "resourceVersion": "7", "managedFields": [OURS, *entries]}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, **content}


def entry(fields: dict[str, Any], manager: str = "kubectl-edit", **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "fieldsV1": fields} | more


def annotated(name: str) -> dict[str, Any]:
    return {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {".": {}, f"f:{name}": {}}}}}}


@pytest.mark.parametrize(
    ("added", "edited"),
    [
        (entry({"f:spec": {"f:template": {"f:spec": {"f:hostNetwork": {}}}}}), True),
        (entry({"f:data": {"f:extra": {}}}), True),
        (entry({"f:spec": {"f:replicas": {}}}), True),
        (entry({"f:spec": {"f:replicas": {}}}, manager="sohistio-monitoring"), True),
        (entry(annotated("example.com/a")), True),
        (entry(annotated(RESTARTED)), False),
        (entry({"f:metadata": {"f:labels": {"f:team": {}}}}), False),
        (entry({"f:status": {"f:replicas": {}}}, manager="kube-controller-manager", subresource="status"), False),
        (entry({"f:spec": {"f:replicas": {}}}, subresource="scale"), False),
        (entry({"f:spec": {"f:volumeName": {}}}, manager="kube-controller-manager"), False),
    ],
)
def test_what_is_an_edit(added: dict[str, Any], edited: bool) -> None:
    assert is_edited(live(added), "sohistio-monitoring") is edited
    assert not is_edited(live(added, kind="PersistentVolumeClaim"), "sohistio-monitoring")


def test_nobody_but_the_manager() -> None:
    assert not is_edited(live(), "sohistio-monitoring")


def test_the_patch_leaves_what_is_wanted_and_nothing_beside() -> None:
    wanted = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "labels": {"app": "a"}},
        "spec": {"replicas": 1, "template": {"metadata": {"annotations": {"ours": "1"}}, "spec": {"containers": [1]}}},
    }
    found = live(
        spec={
            "replicas": 3,
            "paused": True,
            "template": {
                "metadata": {"annotations": {"ours": "1", RESTARTED: "now", "theirs": "2"}},
                "spec": {"containers": [1, 2], "hostNetwork": True},
            },
        }
    )
    assert undoing_patch(found, wanted) == {
        "metadata": {"labels": {"app": "a"}},
        "spec": {
            "replicas": 1,
            "paused": None,
            "template": {
                "metadata": {"annotations": {"theirs": None}},
                "spec": {"containers": [1], "hostNetwork": None},
            },
        },
    }
    assert wanted["spec"]["template"]["metadata"]["annotations"] == {"ours": "1"}  # type: ignore[index]


def test_what_others_added_to_a_config_map_goes() -> None:
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}
    patch = undoing_patch(live(kind="ConfigMap", data={"a": "2", "b": "3"}, binaryData={"c": "eA=="}), wanted)
    assert patch == {
        "data": {"a": "1", "b": None},
        "binaryData": None,
        "metadata": {"labels": {}},
    }

"""What is kept of a list's objects is enough for all that is asked of them, and no more."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sohistio.adapters.kubernetes.slim import slimming
from sohistio.model.injected import compared, injected_view, was_injected

STATUS = "sidecar.istio.io/status"


def pod(name: str = "web-1", note: str | None = None) -> dict[str, Any]:
    injected = {"initContainers": ["istio-init", "istio-proxy"], "containers": None, "volumes": ["istio-token"]}
    proxy = {
        "name": "istio-proxy",
        "image": "istio/proxyv2:1.31.1",
        "env": [{"name": "PROXY_CONFIG", "value": json.dumps({"drainDuration": "45s"})}],
        "resources": {"limits": {"memory": "512Mi"}},
        "volumeMounts": [
            {"mountPath": "/var/run/secrets/tokens", "name": "istio-token"},
            {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": f"kube-api-access-{name}"},
        ],
    }
    init = {"name": "istio-init", "image": "istio/proxyv2:1.31.1", "args": ["istio-iptables"]}
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "labels": {"app": "web"},
            "annotations": {STATUS: json.dumps(injected) if note is None else note, "prometheus.io/port": "15020"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "r", "controller": True}],
            "creationTimestamp": "2026-11-28T01:00:00Z",
            "managedFields": [{"manager": "kubelet"}],
        },
        "spec": {
            "hostNetwork": False,
            "dnsConfig": {"searches": ["global"]},
            "containers": [{"name": "app", "image": "example/web:1", "env": [{"name": "PASSWORD", "value": "x"}]}],
            "initContainers": [init, proxy],
            "volumes": [{"name": "istio-token", "projected": {}}, {"name": "own", "emptyDir": {}}, claim],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-28T01:00:00Z"}],
        },
    }


def slim(item: dict[str, Any], name: str = "Pods") -> dict[str, Any]:
    taken = slimming(name)
    assert taken is not None
    return taken(copy.deepcopy(item))


@pytest.mark.parametrize("note", [None, "", "no JSON", "[]", '{"containers": 7}', "null"])
def test_what_was_injected_is_kept_whole(note: str | None) -> None:
    whole, new = pod(note=note), pod("new")
    new["spec"]["initContainers"][1]["resources"] = {"limits": {"memory": "1Gi"}}
    kept = slim(whole)
    assert injected_view(kept) == injected_view(whole)
    assert was_injected(kept) == was_injected(whole)
    assert compared(kept, new) == compared(whole, new)
    assert compared(kept, slim(new)) == compared(whole, new)


def test_a_container_in_front_is_kept_as_well() -> None:
    whole = pod()
    whole["spec"]["containers"].append(whole["spec"]["initContainers"].pop())
    whole["metadata"]["annotations"][STATUS] = json.dumps({"containers": ["istio-proxy"]})
    assert injected_view(slim(whole)) == injected_view(whole)


def test_nothing_of_the_application_is_kept_but_names_images_and_claims() -> None:
    kept = slim(pod())
    assert kept["spec"]["containers"] == [{"name": "app", "image": "example/web:1"}]
    assert [volume["name"] for volume in kept["spec"]["volumes"]] == ["istio-token", "data"]
    assert kept["status"] == {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    assert "managedFields" not in kept["metadata"]


def test_what_two_pods_have_alike_is_kept_once() -> None:
    taken = slimming("Pods")
    assert taken is not None
    first, second = (taken(pod(name)) for name in ("web-1", "web-2"))
    assert first["spec"]["initContainers"][1] is second["spec"]["initContainers"][1]
    assert first["metadata"]["labels"] is second["metadata"]["labels"]


@pytest.mark.parametrize(
    ("labels", "kept"),
    [({}, False), ({"app": "web"}, False), ({"app": "istiod"}, True), ({"operator.istio.io/component": "Pilot"}, True)],
)
def test_who_wrote_what_is_kept_of_the_meshs_own(labels: dict[str, str], kept: bool) -> None:
    item = {"metadata": {"name": "x", "labels": labels, "managedFields": [{"manager": "kubectl"}]}, "spec": {"a": 1}}
    found = slim(item, "Deployments")
    assert ("managedFields" in found["metadata"]) is kept
    assert found["spec"] == {"a": 1}


def test_of_other_lists_everything_is_kept() -> None:
    assert slimming("Services") is None
    assert slimming("Namespaces") is None

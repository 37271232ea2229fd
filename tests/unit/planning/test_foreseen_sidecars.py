"""What a configuration that is not in the cluster yet will change in sidecars."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from observed import HUB, pod, sidecar, state, workload
from sohistio.errors import FailedError
from sohistio.model.desired import DesiredMesh
from sohistio.model.sidecar import Injector
from sohistio.model.state import ClusterState, Workload
from sohistio.model.versions import Version
from sohistio.planning.injection import foreseeing

MESH = DesiredMesh(Version(1, 31, 1), "", (), (), sidecar())


def injector(limit: str) -> Injector:
    """One whose values are the memory limit that it gives."""
    return Injector("templates", limit, "mesh")


def manifest(wanted: Injector) -> list[dict[str, Any]]:
    data = {
        "istio-sidecar-injector": {"config": wanted.config, "values": wanted.values},
        "istio": {"mesh": wanted.mesh},
    }
    return [{"kind": "ConfigMap", "metadata": {"name": name}, "data": texts} for name, texts in data.items()]


def running(name: str, annotations: Mapping[str, str], **changes: Any) -> Workload:
    metadata = {"labels": {"app": name}, "annotations": annotations}
    template = {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    return workload(name, **({"pods": (pod(),), "template": template} | changes))


class Istioctl:
    """Injects as the injector's values say; a workload's own annotation comes first."""

    def __init__(self) -> None:
        self.asked: list[list[dict[str, Any]]] = []

    def inject(self, objects: str, wanted: Injector) -> str:
        pods = [json.loads(text) for text in objects.split("\n---\n")]
        self.asked.append(pods)
        for item in pods:
            limit = item["metadata"]["annotations"].get("sidecar.istio.io/proxyMemoryLimit", wanted.values)
            proxy = {"name": "istio-proxy", "resources": {"limits": {"memory": limit}}}
            item["spec"]["containers"].append(proxy)
            item["metadata"]["annotations"]["sidecar.istio.io/status"] = json.dumps({"containers": ["istio-proxy"]})
        return "\n---\n".join(map(json.dumps, pods))


def seen(*workloads: Workload) -> ClusterState:
    return state(injector=injector("512Mi"), workloads=workloads)


def test_what_both_configurations_give_to_the_same_template_is_compared() -> None:
    istioctl = Istioctl()
    own = running("own", {"sidecar.istio.io/proxyMemoryLimit": "700Mi"})
    looked = seen(running("web", {}), own, running("api", {}))
    mesh, notices = foreseeing(istioctl.inject, looked, MESH, manifest(injector("1Gi")))
    assert notices == ()
    assert mesh.sidecar is not None
    foreseen = mesh.sidecar.foreseen
    assert foreseen.digest == injector("1Gi").digest
    assert {ref.name: [item.words for item in found] for ref, found in foreseen.changes.items()} == {
        name: ["limits.memory 512Mi → 1Gi"] for name in ("web", "api")
    }
    assert [len(pods) for pods in istioctl.asked] == [3, 3]


def test_many_templates_are_injected_in_parts() -> None:
    istioctl = Istioctl()
    looked = seen(*(running(f"w{number}", {}) for number in range(450)))
    mesh, _ = foreseeing(istioctl.inject, looked, MESH, manifest(injector("1Gi")))
    assert mesh.sidecar is not None
    assert len(mesh.sidecar.foreseen.changes) == 450
    assert sorted(len(pods) for pods in istioctl.asked) == [50, 50, 200, 200, 200, 200]


UNASKED = {
    "the-same-configuration": (seen(running("web", {})), "512Mi"),
    "none-in-the-cluster": (replace(seen(running("web", {})), injector=None), "1Gi"),
    "the-image-changes-anyway": (seen(running("web", {}, pods=(pod("1.30.5"),))), "1Gi"),
    "its-own-proxy": (seen(running("web", {}, own_image=f"{HUB}/proxyv2:1.31.1")), "1Gi"),
    "opted-out": (seen(running("web", {}, pods=(pod(labels={"sidecar.istio.io/inject": "false"}),))), "1Gi"),
    "no-pod": (seen(running("web", {}, pods=())), "1Gi"),
}


@pytest.mark.parametrize(("looked", "limit"), UNASKED.values(), ids=UNASKED)
def test_where_nothing_can_change_istioctl_is_not_asked(looked: ClusterState, limit: str) -> None:
    istioctl = Istioctl()
    assert foreseeing(istioctl.inject, looked, MESH, manifest(injector(limit))) == (MESH, ())
    assert istioctl.asked == []


def test_an_injection_that_fails_is_said_and_the_image_decides() -> None:
    def inject(_objects: str, _injector: Injector) -> str:
        raise FailedError("istioctl kube-inject failed (exit code 1)", details=("Error: no such function",))

    mesh, (notice,) = foreseeing(inject, seen(running("web", {})), MESH, manifest(injector("1Gi")))
    assert mesh == MESH
    assert notice == (
        "of the configuration that this brings: istioctl kube-inject failed (exit code 1): Error: no such function"
    )

"""Which nodes lack images, and which pods have not pulled them yet."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.images.prepull import daemon_set, lacking_nodes, waiting_pods
from sohistio.model.image import Image

PILOT, PROXY = (Image.parse(f"dtr.example.com/istio/{name}:1.31.1") for name in ("pilot", "proxyv2"))


def node(name: str, *images: Image, **labels: str) -> dict[str, Any]:
    names = {key.replace("_", "/"): value for key, value in labels.items()}
    return {"metadata": {"name": name, "labels": names}, "status": {"images": [{"names": [str(i)]} for i in images]}}


@pytest.mark.parametrize(
    ("found", "lacks"),
    [
        (node("a", PILOT, PROXY), False),
        (node("a", PILOT), True),
        (node("a"), True),
        (node("a", **{"kubernetes.io_os": "windows"}), False),
        (node("a", type="virtual-kubelet"), False),
    ],
)
def test_nodes_that_lack_an_image(found: dict[str, Any], lacks: bool) -> None:
    assert lacking_nodes([found], [PILOT, PROXY]) == (("a",) if lacks else ())


def pod(*states: dict[str, Any], conditions: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    statuses = [{"name": f"image-{n}", "image": "an-image", "state": state} for n, state in enumerate(states)]
    spec = {"nodeName": "a", "containers": [{}, {}]}
    status = {"containerStatuses": statuses, "conditions": list(conditions)}
    return {"metadata": {"name": "p"}, "spec": spec, "status": status}


def waits(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


RUNS: dict[str, Any] = {"running": {}}
ENDED = {"terminated": {"exitCode": 0}}


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (pod(RUNS, ENDED), {}),
        (pod(ENDED, waits("CrashLoopBackOff")), {}),
        (pod(RUNS, waits("RunContainerError", "no such file")), {}),
        (pod(RUNS, waits("ContainerCreating")), {"a": ""}),
        (pod(RUNS), {"a": ""}),
        (pod(), {"a": ""}),
        (pod(RUNS, waits("ImagePullBackOff", "denied")), {"a": "an-image: ImagePullBackOff: denied"}),
        (pod(waits("ErrImagePull"), RUNS), {"a": "an-image: ErrImagePull"}),
        (
            pod(
                conditions=({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"},)
            ),
            {"a": "Unschedulable: full"},
        ),
    ],
)
def test_pods_that_have_not_pulled_everything(found: dict[str, Any], left: dict[str, str]) -> None:
    assert waiting_pods([found]) == left


def test_the_daemon_set_runs_nothing_and_may_nothing() -> None:
    found = daemon_set([PILOT, PROXY, Image.parse("dtr.example.com/other:1")], "jfrogauth")
    spec = found["spec"]["template"]["spec"]
    assert [container["image"] for container in spec["containers"]] == [
        str(PILOT),
        str(PROXY),
        "dtr.example.com/other:1",
    ]
    assert spec["imagePullSecrets"] == [{"name": "jfrogauth"}]
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert found["spec"]["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert "imagePullSecrets" not in daemon_set([PILOT], None)["spec"]["template"]["spec"]

"""Has every node pull images, by a DaemonSet that is there no longer than that takes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.errors import FailedError
from sohistio.images.prepull import LABELS, waiting_pods
from sohistio.model.words import first_names
from sohistio.plan.image_steps import PrepullImages
from sohistio.plan.ownership import OWN_MANAGER
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting
from sohistio.system.sanitize import one_line

_MOST_NAMED = 5
_POLL_SECONDS = 1.0
_REPORT_SECONDS = 5.0


def prepull(tools: Tools, waiting: Waiting, step: PrepullImages) -> None:
    """Apply it, wait until every node has every image, delete it. Raises FailedError that names the nodes.

    It is deleted too where a node cannot pull, and where the user stops the run; what a killed run left is taken over.
    """
    path = path_of(step.object)
    tools.api.apply(path, json.loads(step.document), OWN_MANAGER, force=True)
    try:
        _await(tools, waiting, step)
    finally:
        tools.api.delete(path)


def _await(tools: Tools, waiting: Waiting, step: PrepullImages) -> None:
    seconds = tools.component_seconds
    reported = time.monotonic()
    with waiting.at_most(seconds, "nodes that have not pulled all images yet") as limit:
        while True:
            nodes, left = _left(tools.api, step)
            if nodes is not None and not left:
                waiting.observer.note(f"all images are on {nodes} nodes")
                return
            if limit.passed:
                raise _failed(left, seconds)
            if left and time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                waiting.observer.note(f"{len(left)} of {nodes} nodes are pulling{_why(left)}")
            waiting.pause(_POLL_SECONDS)


def _left(api: KubeApi, step: PrepullImages) -> tuple[int | None, Mapping[str, str]]:
    """How many nodes there are, None where that is not known yet; and those that lack an image, with the reason."""
    found = api.get(path_of(step.object)) or {}
    status, generation = found.get("status") or {}, found.get("metadata", {}).get("generation")
    if status.get("observedGeneration") != generation:
        return None, {}
    labels = ",".join(f"{key}={value}" for key, value in LABELS.items())
    pods = [
        pod
        for pod in api.items(collection_path("Pod", step.object.namespace), labels=labels)
        if not pod["metadata"].get("deletionTimestamp")
    ]
    wanted = int(status.get("desiredNumberScheduled", 0))
    left = waiting_pods(pods)
    if left:  # a pod that was meant for a node that is gone may stay for a while
        there = {node["metadata"]["name"] for node in api.items("/api/v1/nodes")}
        left = {node: why for node, why in left.items() if node in there}
    if len(pods) < wanted:
        left |= {f"{wanted - len(pods)} more nodes": "no pod there yet"}
    return wanted, left


def _why(left: Mapping[str, str]) -> str:
    said = [f"{node}: {one_line(why)}" for node, why in sorted(left.items()) if why]
    return f"; {said[0]}" if said else ""


def _failed(left: Mapping[str, str], seconds: float) -> FailedError:
    nodes = sorted(left)
    return FailedError(
        f"{first_names(nodes, _MOST_NAMED)} did not pull all images within {seconds:.0f} s",
        details=tuple(f"{node}: {one_line(left[node] or 'still pulling')}" for node in nodes[:_MOST_NAMED]),
        todo="See whether the images are in the hub, and the pull Secret (`sohistio images check`); or give a longer "
        "--component-timeout. What was pulled stays on the nodes.",
    )

"""Has every node pull images, by a DaemonSet that is there no longer than that takes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.errors import FailedError
from sohistio.images.prepull import LABELS, PULLING, waiting_pods
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
            nodes = _look(tools.api, step)
            if nodes is not None and not nodes.lacking:
                waiting.observer.note(f"all images are on {nodes.wanted} nodes")
                return
            late = time.monotonic() - reported > _REPORT_SECONDS
            if limit.passed or (nodes and late):
                reported = time.monotonic()
                why = [*(nodes.reasons if nodes else ()), *waiting.reasons(step.object)]
                if limit.passed:
                    raise _failed(nodes, why, seconds)
                waiting.observer.note("; ".join((f"still pulling: {nodes.words if nodes else ''}", *why[:1])))
            waiting.pause(_POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class _Nodes:
    """How many nodes are to have the images; those that lack one, each with why; and how many have no pod yet."""

    wanted: int
    left: Mapping[str, str]
    without_pod: int

    @property
    def lacking(self) -> int:
        return len(self.left) + self.without_pod

    @property
    def words(self) -> str:
        """`2 of 5 nodes (a, b)`."""
        names = f" ({first_names(sorted(self.left), _MOST_NAMED)})" if self.left else ""
        return f"{self.lacking} of {self.wanted} nodes{names}"

    @property
    def reasons(self) -> list[str]:
        """Why, by node."""
        return [f"{node}: {one_line(why)}" for node, why in sorted(self.left.items()) if why]


def _look(api: KubeApi, step: PrepullImages) -> _Nodes | None:
    """None where it is not known yet which nodes are meant."""
    found = api.get(path_of(step.object)) or {}
    status, generation = found.get("status") or {}, found.get("metadata", {}).get("generation")
    if status.get("observedGeneration") != generation:
        return None
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
    return _Nodes(wanted, left, max(0, wanted - len(pods)))


def _failed(nodes: _Nodes | None, why: list[str], seconds: float) -> FailedError:
    pulls = any(reason in line for line in why for reason in PULLING)
    todo = (
        "See whether the images are in the hub, and the pull Secret: `sohistio images check`."
        if pulls
        else "See why its pods do not come or start: `kubectl describe daemonset,pods -n istio-system -l "
        f"app={LABELS['app']}` while it runs; or give a longer --component-timeout."
    )
    return FailedError(
        f"{nodes.words if nodes else 'the nodes'} did not pull all images within {seconds:.0f} s",
        details=tuple(dict.fromkeys(why))[:_MOST_NAMED],
        todo=f"{todo} What was pulled stays on the nodes.",
    )

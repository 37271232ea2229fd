"""A check of images' names, in pods and in the environment's files: none is of a public registry that closes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sohistio.checks.preflight.check import Good, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.environments.yaml_files import read_document
from sohistio.model.fault import Fault
from sohistio.model.words import first_names

Object = Mapping[str, Any]
_HUBS = Path(__file__).parent / "image-hubs.yaml"
_MOST_NAMED = 3
_NOT_THERE = "Name your own registry; docker.io/istio stays, as a source to mirror from."
_ENDED = ("Succeeded", "Failed")


def closing_hubs() -> dict[str, str]:
    """Hub → what becomes of it, from the file shipped with sohistio."""
    return {str(hub): str(why) for hub, why in read_document(_HUBS, _HUBS.name, {}).data.items()}


def image_hubs(context: Context) -> Iterator[Verdict]:
    """Neither the environment's files nor running pods name a registry of Istio's images that closes soon, or has."""
    closing, environment = closing_hubs(), context.environment
    named = {"istio.hub": environment.istio.hub, "images.source": environment.images.source}
    yield from hubs_of_files(closing, environment.name, named, environment.operator_for())
    yield from hubs(closing, context.pods())


def hubs_of_files(
    closing: Mapping[str, str], name: str, named: Mapping[str, str], operator: Mapping[str, Any]
) -> Iterator[Verdict]:
    """One fault for each key of an environment that names such a registry: those `named`, and all of the operator."""
    texts = {**named, **dict(_texts(operator["spec"], ""))}
    for key, text in texts.items():
        hub = next((hub for hub in closing if text == hub or text.startswith((f"{hub}/", f"{hub}:"))), None)
        if hub is not None and key != "hub":  # which istio.hub has set
            yield Fault(f"{key} of {name} is {text}, and {hub} {closing[hub]}", _NOT_THERE)


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{key}[{number}]")
    elif isinstance(value, str):
        yield key, value


def hubs(closing: Mapping[str, str], pods: Sequence[Object]) -> Iterator[Verdict]:
    """One fault for each hub, with some of the pods."""
    found: dict[str, list[str]] = {}
    good: Counter[str] = Counter()
    for pod in pods:
        if pod.get("status", {}).get("phase") in _ENDED:
            continue
        metadata = pod["metadata"]
        for image in _istio_images(pod["spec"]):
            hub = next((hub for hub in closing if image.startswith(f"{hub}/")), None)
            if hub is None:
                good[image.rpartition("/")[0]] += 1
            else:
                found.setdefault(hub, []).append(f"{metadata['namespace']}/{metadata['name']}")
    for hub, names in sorted(found.items()):
        unique = sorted(set(names))
        yield Fault(f"{hub} {closing[hub]}: {first_names(unique, _MOST_NAMED)}")
    if not found:
        yield Good(f"Istio's images come from {', '.join(sorted(good))}" if good else "no pod has an image of Istio's")


def _istio_images(spec: Object) -> Iterator[str]:
    """Those of the proxy, of istiod, and all that come from a hub named after Istio."""
    for container in [*spec.get("containers", ()), *(spec.get("initContainers") or ())]:
        image = str(container.get("image", ""))
        if container["name"] in ("istio-proxy", "discovery") or "istio" in image.rpartition("/")[0]:
            yield image

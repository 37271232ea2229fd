"""Which images a version needs: those of the rendered manifest, and those that its injector puts into pods. Pure.

There is no list of Istio's images here: what a version's own istioctl renders says it, `operator` of old versions,
install-cni, ztunnel and the variants included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.image import Image

_Object = Mapping[str, Any]

CHOSEN_BY_INJECTOR = "auto"
"""In place of an image: the injector replaces it (Istio, "Installing Gateways"). No registry has such an image."""
SAMPLE_POD = "sohistio-sample-pod"
"""The pod of an application, as the injector is asked about it."""
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
# Where an object has its pods' spec, if not in spec.template as workloads have it.
_PODS_OF: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_OF_WORKLOADS = ("spec", "template", "spec")


def _pod(name: str, container: str, template: str) -> _Object:
    annotations = {"inject.istio.io/templates": template} if template else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {"containers": [{"name": container, "image": CHOSEN_BY_INJECTOR}]},
    }


# What an application's pod and the pod of a gateway of its own look like to the injector, by the words about them.
_SAMPLES: Mapping[str, _Object] = {
    "injected pods": _pod(SAMPLE_POD, "application", ""),
    "injected gateways": _pod("sohistio-sample-gateway", "istio-proxy", "gateway"),
}
INJECTED = frozenset(_SAMPLES)
"""Who uses an image because the injector gives it to them."""
_WORDS = {sample["metadata"]["name"]: words for words, sample in _SAMPLES.items()}


@dataclass(frozen=True, slots=True)
class Needed:
    """An image in the environment's hub, and who uses it: `Deployment istio-system/istiod`, `injected pods`."""

    image: Image
    used_by: tuple[str, ...]


def to_inject(manifest: Sequence[_Object]) -> list[_Object]:
    """What the injector is asked about: a pod, a gateway's pod, and the workloads that leave their image to it."""
    left_to_it = [item for item in manifest if any(image == CHOSEN_BY_INJECTOR for _, image in containers_of(item))]
    return [*_SAMPLES.values(), *left_to_it]


def needed_of(objects: Sequence[_Object]) -> tuple[Needed, ...]:
    """The images of a manifest's objects and of what the injector made of `to_inject`, sorted, each once.

    Raises UsageError where an object has an image that has no valid name.
    """
    users: dict[Image, dict[str, None]] = {}
    for item in objects:
        for _, image in containers_of(item):
            if image and image != CHOSEN_BY_INJECTOR:
                users.setdefault(Image.parse(image), {})[_user(item)] = None
    return tuple(Needed(image, tuple(users[image])) for image in sorted(users))


def containers_of(item: _Object) -> Iterator[tuple[str, str]]:
    """Name and image of every container that an object's pods have; none for an object without pods."""
    spec: Any = item
    for key in _PODS_OF.get(str(item.get("kind")), _OF_WORKLOADS):
        spec = spec.get(key) if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping):
        return
    for kind in _CONTAINERS:
        for container in spec.get(kind) or ():
            yield str(container.get("name") or ""), str(container.get("image") or "")


def _user(item: _Object) -> str:
    metadata = item["metadata"]
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return _WORDS.get(metadata["name"], f"{item['kind']} {place}{metadata['name']}")

"""What makes Istio's charts render `repository:tag@digest`: a value with a slash in it is an image, taken whole. Pure.

So in manifests/charts of Istio 1.29 to 1.31: istio-discovery, gateways, istio-cni, ztunnel and the injection templates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.errors import RefusedError
from sohistio.images.needed import CHOSEN_BY_INJECTOR, SAMPLE_POD, containers_of
from sohistio.images.targets import source_of
from sohistio.model.image import Image

_Object = Mapping[str, Any]
_PROXY, _PROXY_INIT = ("global", "proxy"), ("global", "proxy_init")
# The value that decides the image of a container, by the names of the object that has it and of the container.
_VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("istiod", "discovery"): ("pilot",),
    ("istio-cni-node", "install-cni"): ("cni",),
    ("ztunnel", "istio-proxy"): ("ztunnel",),
    (SAMPLE_POD, "istio-proxy"): _PROXY,
    (SAMPLE_POD, "istio-init"): _PROXY_INIT,
    (SAMPLE_POD, "istio-validation"): _PROXY_INIT,
}


class NotPinnedError(RefusedError):
    """istio.pinDigests is on, and images.lock lacks an image."""


def pinned_values(
    objects: Sequence[_Object], pins: Mapping[Image, str], places: tuple[str, str], todo: str
) -> dict[str, Any]:
    """Values for the charts, from what they and the injector render without pins; `places` are source and hub.

    Raises NotPinnedError with `todo` where a pin is missing, and RefusedError where an image is decided by something
    else, such as a gateway's own `tag`: a pin would replace it.
    """
    images = {
        _VALUES[item["metadata"]["name"], name]: Image.parse(image)
        for item in objects
        for name, image in containers_of(item)
        if (item["metadata"]["name"], name) in _VALUES and image
    }
    if _PROXY in images:
        images.setdefault(_PROXY_INIT, images[_PROXY])
    if others := sorted({str(image) for image in _decided_elsewhere(objects, {*images.values()})}):
        raise RefusedError(
            "istio.pinDigests cannot pin an image that a gateway or a pod template has by itself",
            details=tuple(others),
            todo="Give it there with its digest (name:tag@sha256:…), or leave it to the environment.",
        )
    digests = {value: pin_of(image, pins, places) for value, image in images.items()}
    if missing := sorted({str(image) for value, image in images.items() if not digests[value]}):
        raise NotPinnedError(
            f"istio.pinDigests is on and images.lock has no digest for {missing[0] if len(missing) == 1 else 'these'}",
            details=tuple(missing) if len(missing) > 1 else (),
            todo=todo,
        )
    values: dict[str, Any] = {}
    for keys, image in images.items():
        part = values
        for key in keys:
            part = part.setdefault(key, {})
        part["image"] = str(image.pinned(digests[keys]))
    return values


def pin_of(image: Image, pins: Mapping[Image, str], places: tuple[str, str]) -> str:
    """The digest that an image has to have, empty for none: its own, else that of its source in images.lock; of an
    image that nobody mirrors the pin is its own. `places` are source and hub.
    """
    source, hub = places
    return image.digest or pins.get(source_of(image.by_tag, hub, source) or image, "")


def _decided_elsewhere(objects: Sequence[_Object], known: set[Image]) -> Iterator[Image]:
    """The images without a digest that none of the values decides."""
    for item in objects:
        for _, image in containers_of(item):
            if image and image != CHOSEN_BY_INJECTOR:
                found = Image.parse(image)
                if not found.digest and found not in known:
                    yield found

"""Whether nodes can pull an environment's images: judgements over what its registry answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sohistio.images.needed import INJECTED, Needed
from sohistio.model.fault import Fault, Severity
from sohistio.model.image import Image, brief

_LINUX = "linux"  # Istio's pods run on no other nodes
_HOSTS_HERE = ("127.", "localhost", "[::1]")


class PullOutcome(StrEnum):
    """What a registry answered; `unknown` is no usable answer."""

    THERE = "there"
    MISSING = "missing"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Pull:
    """One image asked for as the pods of these namespaces would: with the same login, or with none (`has_login`).

    `pin` is the digest that it must have, empty where any will do; `digest` the one that it has; `platforms` are those
    of its index, empty where they are not known. `said` is why it is denied or unknown.
    """

    image: Image
    namespaces: tuple[str, ...]
    outcome: PullOutcome
    has_login: bool = True
    pin: str = ""
    digest: str = ""
    platforms: tuple[str, ...] = ()
    said: str = ""


def namespaces_of(needed: Needed, injected: Sequence[str]) -> tuple[str, ...]:
    """The namespaces whose pods have the image: those of its objects, and the `injected` ones where injection uses it.

    `Deployment istio-system/istiod` is in istio-system.
    """
    objects = [user.partition(" ")[2].partition("/")[0] for user in needed.used_by if "/" in user]
    everywhere = injected if any(user in INJECTED for user in needed.used_by) else ()
    return tuple(dict.fromkeys([*objects, *everywhere]))


def pull_faults(pulls: Sequence[Pull], secret: str | None, mirror: str) -> Iterator[Fault]:
    """What keeps pods from their images; `secret` is the environment's pull Secret, `mirror` the command to mirror."""
    for (namespaces, host, has_login), images in _grouped(pulls, PullOutcome.DENIED).items():
        yield _denied(secret, namespaces, (host, ", ".join(images)), has_login=has_login)
    for image in dict.fromkeys(pull.image for pull in pulls if pull.outcome is PullOutcome.MISSING):
        yield Fault(f"{brief(str(image))} is not there", f"Run `{mirror}`.")
    for pull in _once(pull for pull in pulls if pull.pin and pull.digest and pull.digest != pull.pin):
        yield Fault(
            f"{pull.image.by_tag} is {brief(f'@{pull.digest}')[1:]} there, {brief(f'@{pull.pin}')[1:]} in images.lock",
            f"Somebody put another image under this tag. If images.lock is right, run `{mirror}`.",
        )
    unknown = {pull.image.registry: pull.said for pull in pulls if pull.outcome is PullOutcome.UNKNOWN}
    for host, said in unknown.items():
        hint = "Nodes may reach it all the same. Check the network and the proxy (HTTPS_PROXY, NO_PROXY)."
        yield Fault(f"{host} could not be asked from here: {said}", hint, Severity.WARNING)


def platform_faults(pulls: Sequence[Pull], nodes: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """Each image that has nothing for some of the cluster's Linux nodes (raw objects)."""
    count: dict[str, int] = {}
    for node in nodes:
        info = (node.get("status") or {}).get("nodeInfo") or {}
        if info.get("operatingSystem") == _LINUX and info.get("architecture"):
            platform = f"{_LINUX}/{info['architecture']}"
            count[platform] = count.get(platform, 0) + 1
    for pull in _once(pull for pull in pulls if pull.platforms):
        has = {"/".join(platform.split("/")[:2]) for platform in pull.platforms}  # without the variant: arm64/v8
        for platform in sorted(set(count) - has):
            nodes_there = f"{count[platform]} node{'s are' if count[platform] > 1 else ' is'}"
            yield Fault(f"{brief(str(pull.image))} has no {platform}, and {nodes_there} of it")


def is_on_this_machine(registry: str) -> bool:
    """Whether a registry is on loopback."""
    return registry.startswith(_HOSTS_HERE)


def _grouped(pulls: Sequence[Pull], outcome: PullOutcome) -> Mapping[tuple[tuple[str, ...], str, bool], list[str]]:
    """The names of images by who pulls them."""
    found: dict[tuple[tuple[str, ...], str, bool], list[str]] = {}
    for pull in pulls:
        if pull.outcome is outcome:
            found.setdefault((pull.namespaces, pull.image.registry, pull.has_login), []).append(pull.image.name)
    return found


def _denied(secret: str | None, namespaces: Sequence[str], what: tuple[str, str], *, has_login: bool) -> Fault:
    host, images = what
    places = ", ".join(namespaces)
    if secret is None:
        hint = "Set istio.pullSecret. Nodes with a login of their own (AKS attached to the registry) need none."
        return Fault(f"{host} gives {images} to nobody without a login (istio.pullSecret)", hint, Severity.WARNING)
    if not has_login:
        return Fault(f"{host} gives {images} to nobody without a login, and {secret} in {places} has none for it")
    return Fault(f"{host} refuses the login of Secret {secret} in {places} for {images}")


def _once(pulls: Iterable[Pull]) -> Iterator[Pull]:
    """Each image once, whoever asked for it."""
    yield from {pull.image: pull for pull in pulls}.values()

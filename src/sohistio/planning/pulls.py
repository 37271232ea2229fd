"""Asks a registry for images as kubelet would: with the logins that are in the cluster's pull Secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import DeniedError, NotLoggedInError, RegistryError
from sohistio.adapters.registry.logins import Login
from sohistio.adapters.registry.manifests import read_platforms
from sohistio.images.pulls import Pull, PullOutcome
from sohistio.model.image import Image
from sohistio.model.pull_secrets import login_of
from sohistio.planning.registries import PATIENCE, ask_each


@dataclass(frozen=True, slots=True)
class WantedImage:
    """An image that pods of these namespaces pull, and the digest that it must have (`pin`; empty for any).

    With a digest in its name it is asked for by that, as kubelet does.
    """

    image: Image
    namespaces: tuple[str, ...]
    pin: str = ""


@dataclass(frozen=True, slots=True)
class _Puller:
    """Who asks: a registry's login, user name and password; none is nobody in particular."""

    host: str
    pair: tuple[str, str] | None = field(repr=False)


def read_pulls(
    wanted: Sequence[WantedImage], configs: Mapping[str, Mapping[str, Any]], say: Callable[[str], None]
) -> tuple[Pull, ...]:
    """Ask for each image once for every login; `configs` are docker configs by namespace. Raises no RegistryError."""
    asked: dict[tuple[_Puller, WantedImage], list[str]] = {}
    for item in wanted:
        for place in item.namespaces:
            pair = login_of(configs.get(place) or {}, item.image.repository)
            asked.setdefault((_Puller(item.image.registry, pair), item), []).append(place)
    with ExitStack() as stack:
        registries: dict[_Puller, Registry] = {}
        for puller in dict.fromkeys(puller for puller, _ in asked):
            login = Login(*puller.pair, "the pull Secret") if puller.pair else None
            registries[puller] = stack.enter_context(Registry(puller.host, login, say, PATIENCE))

        def ask(key: tuple[_Puller, WantedImage]) -> Pull:
            return _pull(registries[key[0]], key, tuple(asked[key]))

        return tuple(ask_each(registries, ask, asked))


def _pull(registry: Registry, asked: tuple[_Puller, WantedImage], places: tuple[str, ...]) -> Pull:
    puller, wanted = asked
    image, has_login = wanted.image, puller.pair is not None
    try:
        digest = registry.digest(image)
        if digest is None:
            return Pull(image, places, PullOutcome.MISSING, has_login)
        platforms = read_platforms(registry, image.pinned(digest))
    except (DeniedError, NotLoggedInError) as error:
        return Pull(image, places, PullOutcome.DENIED, has_login, said=error.what)
    except RegistryError as error:
        return Pull(image, places, PullOutcome.UNKNOWN, has_login, said="; ".join((error.what, *error.details[:1])))
    return Pull(image, places, PullOutcome.THERE, has_login, wanted.pin, digest, platforms)

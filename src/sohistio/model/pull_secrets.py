"""The Secret that images are pulled with: the credential in it, and how a Secret in the cluster compares. Pure.

A credential shows nothing of itself: neither in its repr, nor in an error, nor in anything a plan is made of.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from sohistio.errors import RefusedError
from sohistio.model.state import ObjectRef

SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # noqa: S105 — a type, no password  # nosec B105
DATA_KEY = ".dockerconfigjson"
SOURCE = "istio.pullSecretSource"
MANAGED_BY = "app.kubernetes.io/managed-by"
SOHISTIO = "sohistio"
# kubelet looks Docker Hub's images up under this key, whatever the image's name says (pkg/credentialprovider).
_DOCKER_HUB = "https://index.docker.io/v1/"
_DOCKER_HUBS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


class PullSecretState(StrEnum):
    """How the Secret of a namespace compares with the source; `foreign` is somebody else's and another one."""

    MISSING = "missing"
    OLD = "old"
    CURRENT = "current"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class ObservedPullSecret:
    """The Secret of one namespace, by what must be known of it and no more."""

    ref: ObjectRef
    state: PullSecretState


@dataclass(frozen=True, slots=True)
class PullCredential:
    """What the Secret is to hold: a docker config (JSON) that can log in to these places.

    The first is registry and path of the hub; others are registries.
    """

    places: tuple[str, ...]
    config: str = field(repr=False)

    def manifest(self, ref: ObjectRef) -> dict[str, Any]:
        """The Secret as it is applied."""
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": {MANAGED_BY: SOHISTIO}},
            "type": SECRET_TYPE,
            "data": {DATA_KEY: b64encode(self.config.encode()).decode()},
        }

    def state_of(self, live: Mapping[str, Any] | None) -> PullSecretState:
        """How a Secret in the cluster compares. Somebody else's will do where it logs in to the registry alike."""
        if live is None:
            return PullSecretState.MISSING
        found = config_of(live)
        labels = live["metadata"].get("labels") or {}
        if labels.get(MANAGED_BY) == SOHISTIO and live.get("type") == SECRET_TYPE:
            return PullSecretState.CURRENT if found == json.loads(self.config) else PullSecretState.OLD
        wanted = json.loads(self.config)
        alike = all(login_of(found, place) == login_of(wanted, place) for place in self.places)
        return PullSecretState.CURRENT if alike else PullSecretState.FOREIGN

    def with_login(self, other: PullCredential) -> PullCredential:
        """With another registry's login in place of what this one has for it."""
        config = json.loads(self.config)
        hosts = {_host(place) for place in other.places}
        kept = {key: entry for key, entry in (config.get("auths") or {}).items() if _host(key) not in hosts}
        merged = config | {"auths": kept | json.loads(other.config)["auths"]}
        return PullCredential(self.places + other.places, _dumped(merged))


def of_pair(hub: str, username: str, password: str) -> PullCredential:
    """A credential of the hub's registry."""
    host = _host(hub)
    auth = b64encode(f"{username}:{password}".encode()).decode()
    entry = {"username": username, "password": password, "auth": auth}
    return PullCredential((_place(hub),), _dumped({"auths": {_DOCKER_HUB if host == "docker.io" else host: entry}}))


def of_config(hub: str, text: str, origin: str, key: str = SOURCE) -> PullCredential:
    """The entry of a hub's registry out of a docker config, and no other.

    Raises RefusedError that names `origin` and `key`, which the environment has it by.
    """
    config, login = _with_login(hub, text, origin)
    if login is None:
        raise _no_entry(hub, config, origin, key)
    return of_pair(hub, *login)


def of_copy(hub: str, secret: Mapping[str, Any], origin: str) -> PullCredential:
    """All that a Secret holds. Raises RefusedError where it is of another type or cannot log in to the registry."""
    text = config_text(secret, origin, SOURCE)
    config, login = _with_login(hub, text, origin)
    if login is None:
        raise _no_entry(hub, config, origin, SOURCE)
    return PullCredential((_place(hub),), _dumped(config))


def config_text(secret: Mapping[str, Any], origin: str, key: str) -> str:
    """The docker config of a Secret. Raises RefusedError where it is of another type."""
    if secret.get("type") != SECRET_TYPE:
        raise RefusedError(
            f"{origin} is of type {secret.get('type')}, and cannot be a pull Secret",
            todo=f"Name a Secret of type {SECRET_TYPE} in {key}.secret.",
        )
    return _decoded((secret.get("data") or {}).get(DATA_KEY, ""))


def logs_in(secret: Mapping[str, Any], hub: str) -> bool:
    """Whether kubelet would find a login for the hub in this Secret."""
    return login_of(config_of(secret), _place(hub)) is not None


def _with_login(hub: str, text: str, origin: str) -> tuple[dict[str, Any], tuple[str, str] | None]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not isinstance(config.get("auths", {}), dict):
        raise RefusedError(
            f"{origin} is no docker config", todo='Expected JSON such as {"auths": {"<registry>": {"auth": "…"}}}.'
        ) from None
    return config, login_of(config, _place(hub))


def _no_entry(hub: str, config: Mapping[str, Any], origin: str, key: str) -> RefusedError:
    host = _host(hub)
    helper = config.get("credsStore") or (config.get("credHelpers") or {}).get(host)
    if helper:
        return RefusedError(
            f"{origin} keeps the password of {host} in a credential helper ({helper}), where sohistio does not look",
            todo="Log in with a configuration folder of its own (DOCKER_CONFIG) that has no helper, or take another "
            f"{key}.",
        )
    known = ", ".join(sorted(map(str, config.get("auths") or {}))) or "none"
    return RefusedError(
        f"{origin} has no user name and password for {host}" + (", the registry of istio.hub" if key == SOURCE else ""),
        details=(f"it has entries for: {known}",),
        todo=f"Log in to {host} (`docker login {host}`), or take another {key}.",
    )


def registry_of(hub: str) -> str:
    """The registry of a hub, as an image's name has it: Docker Hub is docker.io."""
    return _host(hub)


def _host(hub: str) -> str:
    return _place(hub).partition("/")[0]


def _place(hub: str) -> str:
    """Host and path of a hub or of a docker config's key, without scheme; Docker Hub by one name."""
    place = hub.partition("://")[2] or hub
    host, slash, path = place.rstrip("/").partition("/")
    if not slash and "." not in host and ":" not in host and host != "localhost":
        return f"docker.io/{host}"
    path = "" if path in ("v1", "v2") else path
    host = "docker.io" if host in _DOCKER_HUBS else host
    return f"{host}/{path}" if path else host


def login_of(config: Mapping[str, Any], wanted: str) -> tuple[str, str] | None:
    """User name and password for a place: of the longest key that leads there, as kubelet looks it up."""
    auths = config.get("auths") or {}
    places = sorted(((_place(str(key)), entry) for key, entry in auths.items()), key=lambda item: -len(item[0]))
    for place, entry in places:
        if _leads_to(place, wanted):
            found = _pair(entry)
            if found is not None:
                return found
    return None


def _leads_to(place: str, wanted: str) -> bool:
    """Whether a key serves a place. Its host may have globs, each within a label; its path is the place's or above."""
    host, _, path = place.partition("/")
    its_host, _, its_path = wanted.partition("/")
    labels, its_labels = host.split("."), its_host.split(".")
    if len(labels) != len(its_labels) or not all(map(fnmatchcase, its_labels, labels)):
        return False
    return not path or its_path == path or its_path.startswith(f"{path}/")


def _pair(entry: Any) -> tuple[str, str] | None:
    if not isinstance(entry, dict):
        return None
    username, password = entry.get("username"), entry.get("password")
    if not (username and password):
        username, _, password = _decoded(str(entry.get("auth") or "")).partition(":")
    return (str(username), str(password)) if username and password else None


def config_of(secret: Mapping[str, Any]) -> dict[str, Any]:
    """What a Secret holds as docker config; empty where it is none."""
    try:
        config = json.loads(_decoded((secret.get("data") or {}).get(DATA_KEY, "")))
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) and isinstance(config.get("auths", {}), dict) else {}


def _decoded(text: str) -> str:
    try:
        return b64decode(text).decode()
    except ValueError:  # no base64, or no text
        return ""


def _dumped(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True)

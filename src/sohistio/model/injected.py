"""What an injector put into a pod, flat and normalised, so that two pods are compared setting by setting. Pure.

Only what is the injector's is looked at: the containers and volumes that `sidecar.istio.io/status` names, and its own
labels and annotations. What differs for every pod by nature is left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.hidden import HIDDEN, shown
from sohistio.model.image import brief

STATUS = "sidecar.istio.io/status"
# Names that istiod takes from the pod's owner, not from its configuration.
_NAMES = frozenset({"ISTIO_META_WORKLOAD_NAME", "ISTIO_META_OWNER", "ISTIO_META_APP_CONTAINERS"})
# The pod's labels and annotations once more, in templates of older versions: those of restarts are among them.
_OF_ALL = "ISTIO_METAJSON_"
# The API server's own: each pod has a volume of another name.
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
# The last is the template's own proxy container once more, with a volume of a name of each pod's own in it.
_OF_POD = ("istio.io/rev", STATUS, "proxy.istio.io/overrides")
# Others write labels and annotations as well, at any time; these are what Istio's own templates write.
_OWN = ("prometheus.io/", "kubectl.kubernetes.io/default-")
_PROXY, _CONFIG = "istio-proxy", "PROXY_CONFIG"
# Variables that Istio's own templates set; what others put into the proxy's environment may be anything.
_VARIABLES = ("ISTIO_", "PILOT_", "PROXY_", "POD_", "ENVOY_", "CA_ADDR", "GOMAXPROCS", "GOMEMLIMIT", "TRUST_DOMAIN")
# The vertical autoscaler gives other resources to every new pod, and marks them so.
_AUTOSCALED, _RESOURCES = "vpaUpdates", ("limits.", "requests.")
_FIRST = ("sidecar", "image", "limits.", "requests.", "proxyConfig.")
_VALUES = ("env ", "proxyConfig.", "argument ", "annotation ")
_ENVIRONMENT = ("env ", "proxyConfig.proxyMetadata.")
_LONGEST = 60
NONE, SIDECAR = "none", "sidecar"

View = Mapping[str, str]
"""What was injected: a setting's name, as people read it, and its value."""


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that a new pod gets otherwise; `none` where one of them has not got it."""

    setting: str
    before: str
    after: str

    @property
    def of_image(self) -> bool:
        """Whether it is an image, or the sidecar as a whole."""
        return self.setting.rpartition(": ")[2] in ("image", SIDECAR)

    @property
    def words(self) -> str:
        """As in `limits.memory 512Mi → 1024Mi`; what a name says is secret is not shown, nor variables that are not
        Istio's."""
        plain = self.setting.rpartition(": ")[2]
        # A volume or a port may be called a token, and is none.
        name = re.split(r"[ .]", plain)[-1] if plain.startswith(_VALUES) else ""
        if plain.startswith(_ENVIRONMENT) and not name.startswith(_VARIABLES):
            before, after = (value if value == NONE else HIDDEN for value in (self.before, self.after))
            return f"{self.setting} {before} → {after}"
        return f"{self.setting} {_shown(name, self.before)} → {_shown(name, self.after)}"


@dataclass(frozen=True, slots=True)
class Compared:
    """A running pod beside a new one of the same template: how they differ, and the digest of what the new one got."""

    changes: tuple[Change, ...]
    digest: str


def was_injected(pod: Mapping[str, Any]) -> bool:
    """Whether an injector has been at a raw pod."""
    return STATUS in _metadata(pod, "annotations")


def has_sidecar(pod: Mapping[str, Any]) -> bool:
    """Whether a raw pod has the proxy that an injector put there: somebody may have taken it out again."""
    spec = pod.get("spec") or {}
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    return was_injected(pod) and any(container.get("name") == _PROXY for container in containers)


def injected_view(pod: Mapping[str, Any]) -> View:
    """What the injector put into a raw pod; empty where none has been at it."""
    annotations, spec = _metadata(pod, "annotations"), pod.get("spec") or {}
    try:
        status = json.loads(annotations.get(STATUS, "{}"))
        owned = {name for key in ("initContainers", "containers") for name in status.get(key) or ()}
        volumes = set(status.get("volumes") or ())
        secrets = sorted(status.get("imagePullSecrets") or ())
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    found: dict[str, str] = {}
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        if (name := str(container.get("name"))) in owned:
            prefix = "" if name == _PROXY else f"{name}: "
            found |= {f"{prefix}{key}": value for key, value in _of_container(container)}
    for volume in spec.get("volumes") or ():
        if volume.get("name") in volumes:
            rest = {key: value for key, value in volume.items() if key != "name"}
            found[f"volume {volume['name']}"] = _text(rest)
    if status:
        found |= {f"annotation {key}": value for key, value in annotations.items() if _is_own(key)}
        found |= {f"label {key}": value for key, value in _metadata(pod, "labels").items() if _is_own(key)}
        if secrets:
            found["imagePullSecrets"] = ", ".join(secrets)
        if spec.get("dnsConfig"):
            found["dnsConfig"] = _text(spec["dnsConfig"])
    return found


def compared(running: Mapping[str, Any], new: Mapping[str, Any], again: Mapping[str, Any] | None = None) -> Compared:
    """A raw running pod beside one that the injector makes of the same template now.

    What comes out otherwise when it is asked `again`, somebody's random value say, is no setting.
    """
    gets = injected_view(new)
    if not has_sidecar(running):
        image = brief(gets.get("image", "")).rpartition("/")[2]
        return Compared((Change(SIDECAR, NONE, image or "injected"),), digest_of(gets))
    found = changes(injected_view(running), gets)
    if _AUTOSCALED in _metadata(running, "annotations") or _AUTOSCALED in _metadata(new, "annotations"):
        found = tuple(item for item in found if not item.setting.rpartition(": ")[2].startswith(_RESOURCES))
    if again is not None:
        unsteady = {item.setting for item in changes(gets, injected_view(again))}
        found = tuple(item for item in found if item.setting not in unsteady)
        gets = {key: value for key, value in gets.items() if key not in unsteady}
    return Compared(found, digest_of(gets))


def changes(before: View, after: View) -> tuple[Change, ...]:
    """How two views differ, what matters most first. A digest that a policy pinned a tag to makes no difference."""
    found = [
        Change(key, before.get(key, NONE), after.get(key, NONE))
        for key in {*before, *after}
        if not _is_alike(key, before.get(key, NONE), after.get(key, NONE))
    ]
    return tuple(sorted(found, key=lambda item: (_rank(item.setting), item.setting)))


def digest_of(view: View) -> str:
    """A short digest of what was injected."""
    return hashlib.sha256(json.dumps(dict(view), sort_keys=True).encode()).hexdigest()[:16]


def _is_alike(key: str, before: str, after: str) -> bool:
    if before == after:
        return True
    if key.startswith(("annotation ", "label ")) and after == NONE:
        # Somebody may have written it to the running pod; what Prometheus goes by is the injector's.
        return not key.startswith("annotation prometheus.io/")
    return key.rpartition(": ")[2] == "image" and after == before.partition("@")[0]


def _rank(setting: str) -> int:
    plain = setting.rpartition(": ")[2]
    rank = next((number for number, start in enumerate(_FIRST) if plain.startswith(start)), len(_FIRST))
    return rank + len(_FIRST) * (plain != setting)


def _is_own(key: str) -> bool:
    domain = key.partition("/")[0]
    return key not in _OF_POD and (domain.endswith("istio.io") or key.startswith(_OWN))


def _of_container(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in container.items():
        match key:
            case "name":
                continue
            case "env":
                yield from _environment(value or ())
            case "args" | "command":
                yield from _arguments(value or ())
            case "resources":
                yield from _flat("", value)
            case "ports":
                yield from ((f"port {item.get('name') or item.get('containerPort')}", _text(item)) for item in value)
            case "volumeMounts":
                mounts = [item for item in value if item.get("mountPath") != TOKENS]
                yield from ((f"mount {item.get('mountPath')}", _text(item)) for item in mounts)
            case _:
                yield from _flat(key, value)


def _environment(variables: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for variable in variables:
        name = str(variable.get("name"))
        if name in _NAMES or name.startswith(_OF_ALL):
            continue
        if name == _CONFIG:
            try:
                yield from _flat("proxyConfig", json.loads(variable.get("value") or "{}"))
                continue
            except (ValueError, RecursionError):
                pass
        yield f"env {name}", _text(variable["valueFrom"]) if "valueFrom" in variable else str(variable.get("value", ""))


def _arguments(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Flags by their names: `--a=b` and `--a b` are one thing."""
    found: dict[str, list[str]] = {}
    flag = ""
    for word in map(str, words):
        if word.startswith("-"):
            flag, _, value = word.partition("=")
            found.setdefault(f"argument {flag}", []).extend([value] if "=" in word else [])
        else:
            found.setdefault(f"argument {flag}" if flag else "arguments", []).append(word)
            flag = ""
    yield from ((key, ",".join(values) if values else "on") for key, values in found.items())


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for inner, item in value.items():
            yield from _flat(f"{key}.{inner}" if key else str(inner), item)
    elif value not in ({}, [], None):
        yield key, _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _metadata(pod: Mapping[str, Any], key: str) -> Mapping[str, str]:
    return (pod.get("metadata") or {}).get(key) or {}


def _shown(name: str, value: str) -> str:
    return NONE if value == NONE else _short(str(shown(name, value)))


def _short(value: str) -> str:
    value = brief(value) if "@sha256:" in value else value or '""'
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"

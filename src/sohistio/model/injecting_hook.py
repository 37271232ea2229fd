"""Whether an injector's webhook still picks the pods that istioctl makes it for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sohistio.model.revision import DEFAULT_REVISION, LABEL, TAG_LABEL
from sohistio.model.selector import selector_matches
from sohistio.model.webhooks import PARKED

NARROWED = "has matchConditions, which Istio does not write: pods that they leave out get no sidecar"
"""Nobody's apply takes these away again: they are somebody's own field."""
UNVALIDATED = "has matchConditions, which Istio does not write: what they leave out is not validated"
NO_CREATION = "has rules that leave out new pods"
MISSING = "is not there"
MORE_SELECTORS = "has a selector on {}, which Istio does not write: pods that it leaves out get no sidecar"
NO_POD = "has selectors that pick none of the pods that it is for"
_SUFFIX = ".sidecar-injector.istio.io"
_INJECTION, _INJECT = "istio-injection", "sidecar.istio.io/inject"
AKS_SELECTOR_KEYS = frozenset({"control-plane", "kubernetes.azure.com/managedby"})
"""AKS adds these to webhooks' namespaceSelectors (Admissions Enforcer, Azure/AKS#4002)."""
_KNOWN = AKS_SELECTOR_KEYS | {LABEL, _INJECTION, _INJECT}


def is_parked(hook: Mapping[str, Any]) -> bool:
    """Whether istioctl has switched it off: it matches no object."""
    return PARKED in ((hook.get("objectSelector") or {}).get("matchLabels") or {})


def misses(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """Why a raw configuration that istioctl made does not inject all that it is for, a sentence without its subject for
    each webhook; none where it does, is parked, or has webhooks that are none of istioctl's.

    Each is asked with the labels that it is made for (charts/istio-control/istio-discovery, mutatingwebhook.yaml), so
    that what AKS adds to its selectors makes no difference.
    """
    labels = configuration["metadata"].get("labels") or {}
    revision = str(labels.get(TAG_LABEL) or labels.get(LABEL) or DEFAULT_REVISION)
    made_for: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
        "rev.namespace": ({LABEL: revision}, {}),
        "rev.object": ({}, {LABEL: revision}),
    }
    if revision == DEFAULT_REVISION:
        made_for |= {"namespace": ({_INJECTION: "enabled"}, {}), "object": ({}, {_INJECT: "true"})}
    hooks = {str(hook.get("name")): hook for hook in configuration.get("webhooks") or ()}
    found = ((f"{start}{_SUFFIX}", asked) for start, asked in made_for.items())
    why = ((name, _misses(hooks[name], *asked) if name in hooks else MISSING) for name, asked in found)
    return tuple(f"{name} {words}" for name, words in why if words)


def unvalidated(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """The same of a raw configuration of validating webhooks, as far as somebody's conditions go."""
    hooks = configuration.get("webhooks") or ()
    return tuple(f"{hook['name']} {UNVALIDATED}" for hook in hooks if hook.get("matchConditions"))


def _misses(hook: Mapping[str, Any], namespace: Mapping[str, str], pod: Mapping[str, str]) -> str:
    if is_parked(hook):
        return ""
    if not any(map(takes_new_pods, hook.get("rules") or ())):
        return NO_CREATION
    picked = selector_matches(hook.get("namespaceSelector") or {}, namespace)
    if not (picked and selector_matches(hook.get("objectSelector") or {}, pod)):
        return NO_POD
    keys = [key for name in ("namespaceSelector", "objectSelector") for key in _keys(hook.get(name) or {})]
    if others := sorted(set(keys) - _KNOWN):
        return MORE_SELECTORS.format(", ".join(others))
    return NARROWED if hook.get("matchConditions") else ""


def _keys(selector: Mapping[str, Any]) -> Iterator[str]:
    yield from selector.get("matchLabels") or ()
    yield from (str(expression["key"]) for expression in selector.get("matchExpressions") or ())


def takes_new_pods(rule: Mapping[str, Any]) -> bool:
    """Whether a rule of a webhook is about pods that are created."""
    wanted = {"apiGroups": "", "apiVersions": "v1", "operations": "CREATE", "resources": "pods"}
    named = all({value, "*"} & set(rule.get(key) or ()) for key, value in wanted.items())
    return named and rule.get("scope", "*") in ("*", "Namespaced")

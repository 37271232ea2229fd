"""A check of Istio's webhooks: each leads to a Service that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault, Severity

Object = Mapping[str, Any]
_KINDS = {
    "MutatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}
_APPS = ("sidecar-injector", "istiod")
_STALE = {
    ("MutatingWebhookConfiguration", "Fail"): "no pod can be created in the namespaces that it injects",
    ("MutatingWebhookConfiguration", "Ignore"): "new pods get no sidecar",
    ("ValidatingWebhookConfiguration", "Fail"): "nobody can change Istio's configuration",
    ("ValidatingWebhookConfiguration", "Ignore"): "Istio's configuration is not validated",
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a configuration sends its requests; the worst failure policy of its webhooks."""

    kind: str
    name: str
    service: tuple[str, str]
    policy: str


def stale_webhooks(context: Context) -> Iterator[Verdict]:
    """Every webhook of Istio, of whatever revision, leads to a Service."""
    found = [
        webhook
        for kind, path in _KINDS.items()
        for item in context.api.items(path)
        for webhook in webhooks_of(kind, item)
    ]
    services = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in context.services()}
    objects = context.plan.rendered.manifest if context.plan is not None else ()
    coming = {(o["metadata"]["namespace"], o["metadata"]["name"]) for o in objects if o["kind"] == "Service"}
    yield from stale(found, services, coming)


def webhooks_of(kind: str, item: Object) -> Iterator[Webhook]:
    """The Services that a configuration of Istio calls; nothing for another's, or for one that calls a URL."""
    labels = item["metadata"].get("labels") or {}
    webhooks: Sequence[Object] = item.get("webhooks") or ()
    if labels.get("app") not in _APPS and not any(str(hook["name"]).endswith(".istio.io") for hook in webhooks):
        return
    policies: dict[tuple[str, str], str] = {}
    for hook in webhooks:
        service = (hook.get("clientConfig") or {}).get("service")
        if service:
            place = (service["namespace"], service["name"])
            fails = hook.get("failurePolicy", "Fail") == "Fail" or policies.get(place) == "Fail"
            policies[place] = "Fail" if fails else "Ignore"
    for place, policy in policies.items():
        yield Webhook(kind, item["metadata"]["name"], place, policy)


def stale(found: Sequence[Webhook], services: set[tuple[str, str]], coming: set[tuple[str, str]]) -> Iterator[Verdict]:
    """One fault for each whose Service is missing; a warning where the manifest brings the Service (back)."""
    for hook in found:
        if hook.service in services:
            continue
        what = f"{hook.kind} {hook.name} calls Service {'/'.join(hook.service)}, which does not exist"
        message = f"{what}: {_STALE[hook.kind, hook.policy]}"
        if hook.service in coming:
            yield Fault(message, "An install brings the Service back: `sohistio install`.", Severity.WARNING)
        else:
            hint = f"If that Istio is gone for good: kubectl delete {hook.kind.lower()} {hook.name}"
            yield Fault(message, hint)
    if not found:
        yield NotAsked("there is none")
    elif all(hook.service in services for hook in found):
        yield Good(f"each leads to a Service: {', '.join(hook.name for hook in found)}")

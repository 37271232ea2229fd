"""A check of Istio's webhooks: each leads to a Service that is there, with a pod that answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sohistio.adapters.kubernetes.webhooks import webhooks_in
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.checks.webhooks_alive import gone_for_good
from sohistio.model.fault import Fault, Severity
from sohistio.model.webhooks import MUTATING, Hook, Reach, WebhookConfiguration
from sohistio.modes.webhooks import calls_elsewhere, is_own

Object = Mapping[str, Any]
_APPS = ("sidecar-injector", "istiod")
_AT_FIRST = "A run puts it right before anything else: `sohistio install`."


def stale_webhooks(context: Context) -> Iterator[Verdict]:
    """Every webhook of Istio, of whatever revision, reaches somebody; those of a run's own mesh it puts right."""
    found = {kind: list(filter(is_istios, items)) for kind, items in context.webhooks().items()}
    objects = context.plan.rendered.manifest if context.plan is not None else ()
    coming = {(o["metadata"]["namespace"], o["metadata"]["name"]) for o in objects if o["kind"] == "Service"}
    seen = webhooks_in(found, context.services(), context.pods())
    applied = {item.name for item in seen.configurations if calls_elsewhere(item, seen)}
    yield from stale(seen.configurations, coming, applied)


def is_istios(item: Object) -> bool:
    """Whether a configuration is of Istio: by the charts' label, or by its webhooks' names."""
    labels = item["metadata"].get("labels") or {}
    hooks: Sequence[Object] = item.get("webhooks") or ()
    return labels.get("app") in _APPS or any(str(hook["name"]).endswith(".istio.io") for hook in hooks)


def stale(
    found: Sequence[WebhookConfiguration], coming: set[tuple[str, str]], applied: Collection[str] = ()
) -> Iterator[Verdict]:
    """One fault for each that leads nowhere; a warning where a run puts it right or brings the Service (back).

    `applied` are the mesh's own that call somebody else: istioctl has them call istiod.
    """
    good = []
    for item in found:
        lost = [hook for hook in item.hooks if _is_lost(hook)]
        if not lost:
            good.append(item.name)
            continue
        hook = max(lost, key=lambda hook: hook.fails)
        message = f"{item.kind} {item.name} calls Service {hook.called}, {hook.why}: {_effect(item, hook)}"
        if is_own(item):
            yield Fault(message, _AT_FIRST, Severity.WARNING)
        elif item.name in applied:
            yield Fault(message, "An install has it call istiod again: `sohistio install`.", Severity.WARNING)
        elif hook.service in coming:
            yield Fault(message, "An install brings the Service back: `sohistio install`.", Severity.WARNING)
        elif hook.reach is not Reach.NO_SERVICE:
            yield Fault(message, gone_for_good(item), Severity.WARNING)
        else:
            yield Fault(message, f"If that Istio is gone for good: kubectl delete {item.kind.lower()} {item.name}")
    if not found:
        yield NotAsked("there is none")
    elif len(good) == len(found):
        yield Good(f"each reaches a pod that is ready: {', '.join(good)}")


def _is_lost(hook: Hook) -> bool:
    """Without its Service also where failures are ignored; without a pod it may be starting then."""
    return not hook.parked and (hook.reach is Reach.NO_SERVICE or hook.is_dead)


def _effect(item: WebhookConfiguration, hook: Hook) -> str:
    if hook.fails:
        return item.refuses
    return "new pods get no sidecar" if item.kind == MUTATING else "Istio's configuration is not validated"

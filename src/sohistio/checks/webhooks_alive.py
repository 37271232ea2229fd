"""Whether each of Istio's webhooks reaches a ready istiod, and what a dead one stops. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.model.injecting_hook import NARROWED, UNVALIDATED
from sohistio.model.state import ClusterState
from sohistio.model.webhooks import DEFAULT_TAG, INJECTOR, MUTATING, Reach, WebhookConfiguration
from sohistio.modes.webhooks import NOTHING_INJECTS, calls_elsewhere, inject_twice, injects_at_all, is_own

_NAME = "webhooks-alive"
_INSTALL = "`sohistio install` puts it right before anything else."
_MENDS = "If nobody means it, find out who did that; `sohistio install` has it call istiod."
_AGAIN = "`sohistio install` has istioctl do its last step again."
_NARROWED_TODO = (
    "If nobody means them, take them away (kubectl edit {} {}): they are not istioctl's, so no install does."
)
_ROOT = (
    "istiod writes its certificate there: see its log (kubectl -n istio-system logs deployment/istiod), or restart it."
)


def webhooks_alive(state: ClusterState) -> Iterator[CheckResult]:
    """One result for each that is dead, ignores failures or trusts another root; one for all that are alive."""
    yield from _who_injects(state)
    for _, _, name in state.webhooks.unlabelled:
        yield failed(_NAME, f"{name} has lost labels by which istioctl knows what is the default tag's", _INSTALL)
    if name := state.webhooks.lacking:
        message = f"there is no {name}, or it lost its label app: configuration without a revision is not validated"
        yield failed(_NAME, message, _AGAIN)
    alive = []
    for item in state.webhooks.configurations:
        own = is_own(item, state.revision)
        if found := _elsewhere(item, state) or _dead(item, own=own) or (_of_own(item, state) if own else None):
            yield found
        elif any(hook.reach is Reach.READY and not hook.parked for hook in item.hooks):
            alive.append(item.name)
    if alive:
        yield passed(_NAME, f"each reaches a ready istiod: {', '.join(alive)}")


def _who_injects(state: ClusterState) -> Iterator[CheckResult]:
    if not injects_at_all(state.webhooks):
        yield failed(_NAME, NOTHING_INJECTS, _AGAIN)
    elif inject_twice(state.webhooks):
        message = f"{INJECTOR} and {DEFAULT_TAG} both inject: where istiods of two versions run, pods may be refused"
        yield failed(_NAME, message, _AGAIN)


def _elsewhere(item: WebhookConfiguration, state: ClusterState) -> CheckResult | None:
    hook = calls_elsewhere(item, state.webhooks)
    if hook is None:
        return None
    what = f"{hook.url}, which Istio did not write" if hook.url else f"Service {hook.called}, which is not the mesh's"
    sent = "new pods are sent there" if item.kind == MUTATING else "Istio's configuration is sent there"
    return failed(_NAME, f"{item.kind} {item.name} calls {what}: {sent}, and what it answers is done", _MENDS)


def _dead(item: WebhookConfiguration, *, own: bool) -> CheckResult | None:
    dead = next((hook for hook in item.hooks if hook.is_dead), None)
    if dead is None:
        return None
    message = f"{item.kind} {item.name} calls Service {dead.called}, {dead.why}: {item.refuses}"
    if own:
        return failed(_NAME, message, _INSTALL)
    return warned(_NAME, message, gone_for_good(item))


def _of_own(item: WebhookConfiguration, state: ClusterState) -> CheckResult | None:
    what = f"{item.kind} {item.name}"
    if any(hook.is_untrusting for hook in item.hooks):
        message = f"{what} has no certificate to know istiod by: {item.refuses}"
        return failed(_NAME, message, _INSTALL)
    if item.opened:
        then = "new pods may start without a sidecar" if item.kind == MUTATING else "nothing is validated"
        message = f"{what} ignores failures, since no istiod answered: {then}"
        return failed(_NAME, message, "`sohistio install` takes that back as soon as an istiod is ready.")
    if item.misses:
        narrowed = all(words.endswith((NARROWED, UNVALIDATED)) for words in item.misses)
        todo = _NARROWED_TODO.format(item.kind.lower(), item.name) if narrowed else _AGAIN
        return failed(_NAME, f"{what}: {'; '.join(item.misses)}", todo)
    if state.ca_root and any(hook.fails and not hook.parked and hook.root != state.ca_root for hook in item.hooks):
        message = f"{what} trusts another root certificate than the mesh's (ConfigMap istio-ca-root-cert)"
        return warned(_NAME, message, _ROOT)
    return None


def gone_for_good(item: WebhookConfiguration) -> str:
    """What to do about one that is not the mesh's."""
    return f"Bring that istiod back; if it is gone for good: kubectl delete {item.kind.lower()} {item.name}"

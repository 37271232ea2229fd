"""Which of the mesh's webhooks refuse everything because no istiod answers, and what puts each right. Pure.

`failurePolicy: Fail` without an istiod behind it stops every pod of the injected namespaces, or every change of Istio's
configuration (istio/istio#26380, #28880, #43227, #60596). Webhooks of another revision, of another namespace's istiod
and of AKS are reported by the checks, and left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.model.revision import DEFAULT_REVISION, Revision
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef
from sohistio.model.webhooks import (
    DEFAULT_TAG,
    INJECTOR,
    MUTATING,
    OWN_NAMES,
    OWN_PREFIXES,
    Hook,
    Reach,
    WebhookConfiguration,
    Webhooks,
)
from sohistio.plan.plan import Phase
from sohistio.plan.webhook_steps import Cure, RepairWebhooks, WebhookRepair

OPENED_NOTICE = (
    "until istiod is ready, pods of injected namespaces that start do so without a sidecar: the injector's "
    "webhook ignores failures for so long, so that pods start wherever the run is killed"
)
_ISTIOD = "istiod"
"""What istioctl calls the Service of revision default."""
_SUMMARIES = {
    Cure.IGNORE_FAILURES: "no istiod answers: ignore failures of {} until one is ready (pods start, without a sidecar)",
    Cure.FAIL_AGAIN: "istiod is back: no longer ignore failures of {}",
    Cure.CALL_ISTIOD: "have {} call istiod, and no URL that Istio did not write",
    Cure.LABEL: "give {} back the labels by which istioctl knows what is the default tag's",
    Cure.POINT_TO_ISTIOD: "point {} to the istiod that is there",
    Cure.TRUST_ISTIOD: "give {} the root certificate to know istiod by",
}


def repair_phase(state: ClusterState) -> tuple[Phase, ...]:
    """What comes before all else in a run; nothing where every webhook of the mesh reaches an istiod."""
    repairs = repairs_of(state.webhooks, state.revision)
    if not repairs:
        return ()
    names = {cure: [repair.ref.name for repair in repairs if repair.cure is cure] for cure in Cure}
    said = (words.format(", ".join(names[cure])) for cure, words in _SUMMARIES.items() if names[cure])
    return (Phase("webhooks", (RepairWebhooks("webhooks/repair", "; ".join(said), repairs),)),)


def repairs_of(webhooks: Webhooks, revision: Revision = DEFAULT_REVISION) -> tuple[WebhookRepair, ...]:
    """What each of the mesh's own takes, in the order in which they are listed."""
    own = [item for item in webhooks.configurations if is_own(item, revision)]
    labelled = map(_label, webhooks.unlabelled if revision == DEFAULT_REVISION else ())
    return (*labelled, *(repair for item in own for repair in _repair(item, webhooks.live)))


def is_own(item: WebhookConfiguration, revision: Revision = DEFAULT_REVISION) -> bool:
    """Whether it is the mesh's: by istioctl's name for it and its revision, and not all its calls go elsewhere."""
    here = not item.hooks or any(hook.service[0] in ("", ISTIO_NAMESPACE) for hook in item.hooks)
    if revision == DEFAULT_REVISION and item.name in OWN_NAMES:
        return here
    return here and item.revision == revision and item.name.startswith(OWN_PREFIXES)


def tag_injects(webhooks: Webhooks) -> bool:
    """Whether the default tag leads to the mesh: then the injector's own webhooks have nothing to do."""
    tags = [item for item in webhooks.configurations if item.name == DEFAULT_TAG]
    return any(item.revision == DEFAULT_REVISION and is_own(item) for item in tags)


MAKE_THE_TAG = "Run `sohistio install`: istioctl makes the tag again."
NOTHING_INJECTS = f"nothing injects: {INJECTOR} is parked, and there is no {DEFAULT_TAG}: new pods get no sidecar"


def calls_elsewhere(item: WebhookConfiguration, webhooks: Webhooks) -> Hook | None:
    """A webhook of the mesh's own that calls neither its istiod nor, as far as can be told, what its environment wants:
    a URL that Istio did not write, or a Service that is not this istiod's."""
    strange = (hook for hook in item.hooks if hook.reach is Reach.STRANGE and is_own(item))
    others: Iterator[Hook] = iter(())
    if webhooks.live and item.name in OWN_NAMES and item.revision == DEFAULT_REVISION:
        others = (hook for hook in item.hooks if _is_elsewhere(hook))
    return next(strange, None) or next(others, None)


def _is_elsewhere(hook: Hook) -> bool:
    return bool(hook.service[0]) and (hook.service[0] != ISTIO_NAMESPACE or hook.reach is Reach.OUTSIDE)


def injects_at_all(webhooks: Webhooks) -> bool:
    """Whether somebody does the work of an injector that istioctl has parked: the default tag, of whatever revision."""
    parked = [item for item in webhooks.configurations if item.name == INJECTOR and _is_parked(item)]
    return not parked or any(item.name == DEFAULT_TAG for item in webhooks.configurations)


def inject_twice(webhooks: Webhooks) -> bool:
    """Whether the injector's own webhooks serve beside those of the default tag."""
    serving = [item for item in webhooks.configurations if item.name == INJECTOR and not _is_parked(item)]
    return bool(serving) and tag_injects(webhooks)


def _is_parked(item: WebhookConfiguration) -> bool:
    return any(hook.parked for hook in item.hooks)


def _label(place: tuple[str, str, str]) -> WebhookRepair:
    ref = ObjectRef(*place)
    return WebhookRepair(ref, Cure.LABEL, f"{ref.name} has lost labels by which istioctl knows it: give them back")


def _repair(item: WebhookConfiguration, live: str) -> Iterator[WebhookRepair]:
    ref = ObjectRef(item.kind, "", item.name)
    if strange := next((hook for hook in item.hooks if hook.reach is Reach.STRANGE), None):
        service = live or _ISTIOD
        words = f"{item.name} calls {strange.url}, which Istio did not write: have it call Service {service}"
        yield WebhookRepair(ref, Cure.CALL_ISTIOD, words, service)
    dead = next((hook for hook in item.hooks if hook.is_dead), None)
    if dead is not None and live:
        words = f"{item.name} calls {dead.called}, {dead.why}: point it to {live}"
        yield WebhookRepair(ref, Cure.POINT_TO_ISTIOD, words, live)
    elif dead is not None:
        meanwhile = "pods start, without a sidecar" if item.kind == MUTATING else "nothing is validated"
        words = f"{item.name} calls {dead.called}, {dead.why}: ignore its failures until one is ready ({meanwhile})"
        yield WebhookRepair(ref, Cure.IGNORE_FAILURES, words)
    elif item.opened and live and all(hook.reach is Reach.READY for hook in item.hooks):
        yield WebhookRepair(
            ref, Cure.FAIL_AGAIN, f"{item.name} reaches a ready istiod again: no longer ignore failures"
        )
    elif live and any(hook.is_untrusting for hook in item.hooks):
        words = f"{item.name} has no certificate to know {live} by: give it the mesh's root certificate"
        yield WebhookRepair(ref, Cure.TRUST_ISTIOD, words, live)

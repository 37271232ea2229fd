"""Puts Istio's webhooks right: as the plan says, after each step of a run, and before a control plane goes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from copy import deepcopy
from typing import assert_never

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.webhooks import PATHS, PORT, answers_at, read_webhooks
from sohistio.errors import FailedError
from sohistio.model.default_tag import LABELS
from sohistio.model.revision import DEFAULT_REVISION, LABEL, Revision
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.model.webhooks import FAIL_AGAIN, MUTATING, VALIDATING
from sohistio.modes.webhooks import is_own, repairs_of
from sohistio.plan.drift.strange_urls import strange_urls
from sohistio.plan.webhook_steps import Cure, RepairWebhooks, WebhookRepair

_ROOT = ObjectRef("ConfigMap", ISTIO_NAMESPACE, "istio-ca-root-cert")
# istiod writes to its webhooks too: who comes second reads again.
_TRIES = 5
_CONFLICT = 409
_WITHOUT_ROOT = (Cure.IGNORE_FAILURES, Cure.FAIL_AGAIN, Cure.LABEL)


def repair_webhooks(api: KubeApi, step: RepairWebhooks) -> None:
    """Carry out what the plan says, as far as it is still needed. Raises FailedError."""
    needed = {(repair.ref, repair.cure): repair for repair in repairs_of(read_webhooks(api))}
    for planned in step.repairs:
        repair = needed.get((planned.ref, planned.cure))
        if repair is not None:
            _put_right(api, repair)


def put_right(api: KubeApi, say: Callable[[str], None]) -> None:
    """Look, and put right what a step broke or a killed run left; each is said before it is done.

    Raises FailedError, or KubeError where the cluster cannot be read.
    """
    for repair in repairs_of(read_webhooks(api)):
        say(f"webhooks: {repair.words}")
        _put_right(api, repair)


def let_go(api: KubeApi, revision: Revision) -> None:
    """Before istiod goes: none of its webhooks may refuse anything once it is gone, wherever the run is killed.

    istioctl takes them last (operator/pkg/uninstall/prune.go), and finds a revision by its injector: that one stays,
    and its failures are ignored. Validators are deleted, as a running istiod has their failures count again at once;
    the uninstall would take them anyway. Raises KubeError, FailedError.
    """
    for item in read_webhooks(api).configurations:
        if not is_own(item, revision):
            continue
        ref = ObjectRef(item.kind, "", item.name)
        if item.kind == VALIDATING:
            api.delete(path_of(ref))
        elif any(hook.fails for hook in item.hooks):
            _put_right(api, WebhookRepair(ref, Cure.IGNORE_FAILURES, ""))


def _put_right(api: KubeApi, repair: WebhookRepair) -> None:
    for last in (False,) * (_TRIES - 1) + (True,):
        found = api.get(path_of(repair.ref))
        if found is None:
            return
        root = "" if repair.cure in _WITHOUT_ROOT else _root(api)
        changed = _cured(found, repair, root)
        if changed == found:
            return
        try:
            api.replace(path_of(repair.ref), changed)
        except KubeError as error:
            if error.status != _CONFLICT or last:
                raise
        else:
            return


def _cured(found: Object, repair: WebhookRepair, root: str) -> Object:
    """The object as it is to be; the very same where it is so already."""
    changed = deepcopy(found)
    hooks: list[Object] = changed.get("webhooks") or []
    annotations: dict[str, str] = changed["metadata"].get("annotations") or {}
    match repair.cure:
        case Cure.IGNORE_FAILURES:
            failing = [hook for hook in hooks if hook.get("failurePolicy", "Fail") == "Fail"]
            for hook in failing:
                hook["failurePolicy"] = "Ignore"
            if failing and repair.ref.kind == MUTATING:
                names = ",".join(hook["name"] for hook in failing)
                changed["metadata"]["annotations"] = {FAIL_AGAIN: names, **annotations}
        case Cure.FAIL_AGAIN:
            failed = annotations.pop(FAIL_AGAIN, "").split(",")
            for hook in hooks:
                hook["failurePolicy"] = "Fail" if hook["name"] in failed else hook["failurePolicy"]
        case Cure.POINT_TO_ISTIOD:
            _point(hooks, repair, root)
            # istiod keeps the certificate of those that are its revision's.
            changed["metadata"]["labels"] = (changed["metadata"].get("labels") or {}) | {LABEL: DEFAULT_REVISION}
        case Cure.CALL_ISTIOD:
            strange = strange_urls(repair.ref.kind, found)
            astray = [hook for hook in hooks if hook["name"] in strange]
            for hook in astray:
                hook["clientConfig"] = {"service": {}}
            _point(astray, repair, root)
        case Cure.LABEL:
            changed["metadata"]["labels"] = {**(changed["metadata"].get("labels") or {}), **LABELS}
        case Cure.TRUST_ISTIOD:
            for hook in hooks:
                hook["clientConfig"]["caBundle"] = hook["clientConfig"].get("caBundle") or root
        case _:
            assert_never(repair.cure)
    return changed


def _point(hooks: list[Object], repair: WebhookRepair, root: str) -> None:
    """To the istiod that is there, where it answers."""
    for client in [hook["clientConfig"] for hook in hooks if "service" in hook["clientConfig"]]:
        client["service"] |= {"namespace": ISTIO_NAMESPACE, "name": repair.service}
        if not answers_at(repair.ref.kind, client["service"]):
            client["service"] |= {"path": PATHS[repair.ref.kind], "port": PORT}
        client["caBundle"] = root


def _root(api: KubeApi) -> str:
    """The mesh's root certificate as a caBundle. Raises FailedError where nobody knows it."""
    pem = ((api.get(path_of(_ROOT)) or {}).get("data") or {}).get("root-cert.pem")
    if not pem:
        raise FailedError(
            f"{_ROOT} has no root certificate: the API server would not trust istiod",
            todo="istiod writes it: see its log (kubectl -n istio-system logs deployment/istiod).",
        )
    return base64.b64encode(pem.encode()).decode()

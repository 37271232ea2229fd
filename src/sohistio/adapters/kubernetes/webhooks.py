"""Adapter: Istio's webhook configurations, with whether the Services that they call lead to a ready pod."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.model.default_tag import VALIDATOR, has_validator, lacks_labels
from sohistio.model.injecting_hook import is_parked, misses, unvalidated
from sohistio.model.revision import DEFAULT_REVISION, LABEL, TAG_LABEL, Revision
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.model.webhooks import FAIL_AGAIN, MUTATING, VALIDATING, Hook, Reach, WebhookConfiguration, Webhooks
from sohistio.plan.drift.strange_urls import strange_urls

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
# As Istio's charts label them, and `istioctl tag`.
LISTED: Mapping[str, tuple[str, str]] = {
    MUTATING: (f"{_ADMISSION}/mutatingwebhookconfigurations", "app=sidecar-injector"),
    VALIDATING: (f"{_ADMISSION}/validatingwebhookconfigurations", "app=istiod"),
}
PATHS: Mapping[str, str] = {MUTATING: "/inject", VALIDATING: "/validate"}
"""Where istiod answers; a cluster's name may follow."""
PORT = 443
# Enough to know it by; it is somebody's text.
_LONGEST_URL = 80
# By namespace and name: whether a Service leads to a ready pod, or where (OUTSIDE) nobody can tell.
_Reached = Mapping[tuple[str, str], Reach]


def read_webhooks(api: KubeApi) -> Webhooks:
    """A short look at them and at the mesh's namespace: what calls a Service elsewhere is OUTSIDE. Raises KubeError."""
    found = {kind: api.items(path, labels=labels) for kind, (path, labels) in LISTED.items()}
    if not any(found.values()):
        return Webhooks()
    services = api.items(f"/api/v1/namespaces/{ISTIO_NAMESPACE}/services")
    pods = api.items(f"/api/v1/namespaces/{ISTIO_NAMESPACE}/pods", labels="app=istiod")
    return webhooks_in(found, services, pods, everywhere=False)


def dead_here(webhooks: Webhooks) -> tuple[str, ...]:
    """How the paths of their fields begin that call a Service of the mesh's namespace with nobody behind it, while an
    istiod is ready: they are pointed to that one (modes/webhooks.py)."""
    return tuple(
        f"{item.name}.webhooks["
        for item in webhooks.configurations
        if webhooks.live and any(hook.is_dead and hook.service[0] == ISTIO_NAMESPACE for hook in item.hooks)
    )


def webhooks_in(
    found: Mapping[str, Sequence[Object]],
    services: Sequence[Object],
    pods: Sequence[Object],
    *,
    everywhere: bool = True,
    revision: Revision = DEFAULT_REVISION,
) -> Webhooks:
    """Configurations by their kind, and whom they reach among these Services and pods.

    Where those are not of `everywhere`, they are of the mesh's namespace.
    """
    reached = {_place(item): _reach(item, pods) for item in services}
    return Webhooks(
        tuple(
            WebhookConfiguration(
                kind,
                item["metadata"]["name"],
                str((item["metadata"].get("labels") or {}).get(LABEL, "")),
                _hooks(item, kind, reached, everywhere=everywhere),
                FAIL_AGAIN in (item["metadata"].get("annotations") or {}),
                misses(item) if kind == MUTATING else unvalidated(item),
            )
            for kind, items in found.items()
            for item in items
        ),
        _live(services, reached, revision),
        tuple(
            (kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
            for kind, items in (*found.items(), ("Service", services))
            for item in items
            if lacks_labels(kind, item) and item["metadata"].get("namespace", ISTIO_NAMESPACE) == ISTIO_NAMESPACE
        ),
        "" if has_validator(found) else VALIDATOR,
    )


def _hooks(item: Object, kind: str, reached: _Reached, *, everywhere: bool) -> tuple[Hook, ...]:
    strange = strange_urls(kind, item)
    hooks = (_hook(hook, kind, reached, everywhere=everywhere) for hook in item.get("webhooks") or ())
    return tuple(
        replace(hook, reach=Reach.STRANGE, url=strange[hook.name][:_LONGEST_URL]) if hook.name in strange else hook
        for hook in hooks
    )


def _hook(hook: Object, kind: str, reached: _Reached, *, everywhere: bool) -> Hook:
    client = hook.get("clientConfig") or {}
    service = client.get("service")
    place = (str(service["namespace"]), str(service["name"])) if service else ("", "")
    missing = Reach.NO_SERVICE if service and (everywhere or place[0] == ISTIO_NAMESPACE) else Reach.OUTSIDE
    reach = reached.get(place, missing)
    if service and reach is Reach.READY and not answers_at(kind, service):
        reach = Reach.NO_PATH
    bundle = client.get("caBundle") or ""
    return Hook(
        name=str(hook["name"]),
        fails=hook.get("failurePolicy", "Fail") == "Fail",
        service=place,
        reach=reach,
        parked=is_parked(hook),
        root=hashlib.sha256(b64decode(bundle).strip()).hexdigest() if bundle else "",
    )


def answers_at(kind: str, service: Object) -> bool:
    """Whether istiod answers at this path and port of its Service (istio/istio, pkg/kube/inject and pkg/webhooks)."""
    path = str(service.get("path") or "")
    return service.get("port", PORT) == PORT and f"{path}/".startswith(f"{PATHS[kind]}/")


def _live(services: Sequence[Object], reached: _Reached, revision: Revision) -> str:
    """The revision's own Service; one of a tag leads to the same pods, and goes with the tag."""
    own = [
        item["metadata"]["name"]
        for item in services
        if _label(item, "app") == "istiod"
        and _label(item, LABEL) == revision
        and _place(item)[0] == ISTIO_NAMESPACE
        and not _label(item, TAG_LABEL)
        and reached[_place(item)] is Reach.READY
    ]
    return str(min(own, default=""))


def _reach(service: Object, pods: Sequence[Object]) -> Reach:
    """One without a selector has endpoints that somebody else writes, an istiod outside of the cluster, say."""
    selector = service["spec"].get("selector") or {}
    if not selector:
        return Reach.OUTSIDE
    place = service["metadata"]["namespace"]
    return Reach.READY if any(_answers(pod, place, selector) for pod in pods) else Reach.NO_POD


def _answers(pod: Object, place: str, selector: Mapping[str, str]) -> bool:
    metadata = pod["metadata"]
    if metadata["namespace"] != place or "deletionTimestamp" in metadata:
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and selector.items() <= (metadata.get("labels") or {}).items()


def _place(item: Object) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def _label(item: Object, key: str) -> str:
    return str((item["metadata"].get("labels") or {}).get(key, ""))

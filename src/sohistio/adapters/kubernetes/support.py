"""Adapter: what a support bundle reads of a cluster. No request for a Secret leaves this machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.chosen_fields import Chosen, chosen
from sohistio.adapters.kubernetes.custom_resources import custom_resources
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.adapters.kubernetes.requests import Request
from sohistio.model.record import RECORD_NAME
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.system.parallel import side_by_side
from sohistio.system.sanitize import visible

_KINDS = (
    *("Deployment", "StatefulSet", "DaemonSet", "Pod", "Service"),
    *("HorizontalPodAutoscaler", "PodDisruptionBudget"),
)
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_CONFIG_MAPS = ("istio", "istio-sidecar-injector", "values")
_MOST_EVENTS = 1000
_LINES, _BYTES = 1000, 512 * 1024
# Of a log: Istio's and Envoy's own lines, "2026-11-27T15:00:00.000000Z<tab>info<tab>…". An access log's lines have what
# clients send (paths, headers), and are of another form.
_LEVELS = frozenset({"trace", "debug", "info", "warn", "warning", "error", "critical", "fatal"})


class WithoutSecrets:
    """How a bundle's requests are made: the ones for Secrets are refused here, whatever the user's rights."""

    def seconds_for(self, request: Request) -> float:
        """For each try. Raises KubeError, as a server that forbids it would."""
        if "secrets" in request.path.split("/"):
            raise KubeError("a support bundle reads no Secrets", 403)
        return 15.0

    def answered(self) -> None:
        """Nothing follows from it."""

    def read_failed(self, error: KubeError) -> None:
        """A part of a bundle is not waited for."""
        raise error


def read_objects(api: KubeApi, namespaces: Iterable[str]) -> list[Chosen]:
    """Workloads, pods, Services, autoscalers and budgets of these namespaces. Raises KubeError."""
    places = [(kind, namespace) for namespace in namespaces for kind in _KINDS]

    def listed(place: tuple[str, str]) -> list[Chosen]:
        return _chosen(api.items(collection_path(*place)), place[0])

    return [item for found in side_by_side(listed, places) for item in found]


def read_cluster_wide(api: KubeApi) -> list[Chosen]:
    """Istio's webhooks, the definitions of its custom resources, the nodes. Raises KubeError."""
    found = [
        item
        for kind in _WEBHOOKS
        for item in _chosen(api.items(collection_path(kind)), kind)
        if "istio" in str(item.get("name"))
    ]
    definitions = _chosen(api.items(collection_path("CustomResourceDefinition")), "CustomResourceDefinition")
    found += [
        item for item in definitions if str(item.get("name")).endswith((".istio.io", ".gateway.networking.k8s.io"))
    ]
    return [*found, *_chosen(api.items("/api/v1/nodes"), "Node")]


def read_config_maps(api: KubeApi) -> list[Chosen]:
    """Digests of what istiod reads, where it is there. Raises KubeError."""
    refs = [ObjectRef("ConfigMap", ISTIO_NAMESPACE, name) for name in _CONFIG_MAPS]
    return _chosen([item for ref in refs if (item := api.get(path_of(ref))) is not None], "ConfigMap")


def read_resources(api: KubeApi) -> tuple[list[Chosen], list[Object]]:
    """Istio's custom resources: which there are, and, for istioctl, all of them as they are. Raises KubeError."""
    found = custom_resources(api)
    return [{"apiVersion": str(item["apiVersion"]), **chosen(item)} for item in found], found


def read_events(api: KubeApi, namespaces: Iterable[str]) -> list[Chosen]:
    """The newest Events of these namespaces, with their messages, which anybody may have written. Raises KubeError.

    Those about the record are without: they have people's reasons, and the record says the rest.
    """
    found = [item for namespace in namespaces for item in api.items(collection_path("Event", namespace))]
    found.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return [
        {
            "type": event.get("type"),
            "reason": event.get("reason"),
            "kind": (event.get("involvedObject") or {}).get("kind"),
            "namespace": (event.get("involvedObject") or {}).get("namespace"),
            "name": (event.get("involvedObject") or {}).get("name"),
            "count": event.get("count"),
            "first": event.get("firstTimestamp") or event.get("eventTime"),
            "last": event.get("lastTimestamp") or event.get("eventTime"),
            "message": None if _is_about_the_record(event) else event.get("message"),
        }
        for event in found[-_MOST_EVENTS:]
    ]


def _is_about_the_record(event: Object) -> bool:
    about = event.get("involvedObject") or {}
    return about.get("kind") == "ConfigMap" and about.get("name") == RECORD_NAME


def containers_with_logs(api: KubeApi, namespace: str, apps: Collection[str]) -> list[tuple[str, str, str]]:
    """Namespace, pod and container of istiod and the gateways in a namespace; `apps` are their app labels.

    Raises KubeError.
    """
    found = []
    for pod in api.items(collection_path("Pod", namespace)):
        metadata: Mapping[str, Any] = pod["metadata"]
        if (metadata.get("labels") or {}).get("app") not in apps:
            continue
        containers = (pod.get("spec") or {}).get("containers") or ()
        found += [
            (namespace, str(metadata["name"]), str(container["name"]))
            for container in containers
            if container["name"] in ("discovery", "istio-proxy")
        ]
    return sorted(found)


def read_log(api: KubeApi, namespace: str, pod: str, container: str) -> str:
    """Istio's and Envoy's own lines among the last 1,000 of a container, at most 512 KiB. Raises KubeError."""
    query = {"container": container, "tailLines": str(_LINES), "limitBytes": str(_BYTES)}
    text = api.text(f"{collection_path('Pod', namespace)}/{pod}/log", query)
    lines = [line for line in text.split("\n") if _is_own_line(line)]
    return "".join(f"{visible(line)}\n" for line in lines)


def _is_own_line(line: str) -> bool:
    moment, _, rest = line.partition("\t")
    return len(moment) < 40 and moment[:2] == "20" and rest.partition("\t")[0].strip() in _LEVELS


def _chosen(items: Iterable[Object], kind: str) -> list[Chosen]:
    """A list's items lack their kind."""
    return [chosen({**item, "kind": kind}) for item in items]

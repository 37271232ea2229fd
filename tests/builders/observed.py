"""Builders of what a cluster shows, for tables of tests: every argument has the value of a healthy cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.model.revision import Revision
from sohistio.model.sidecar import SidecarTemplate
from sohistio.model.state import (
    Budget,
    ClusterState,
    Istiod,
    MeshDeployment,
    ObjectRef,
    ObservedPod,
    ObservedService,
    Workload,
)
from sohistio.model.webhooks import MUTATING, Hook, Reach, WebhookConfiguration

HUB = "docker.io/istio"
EMPTY_CLUSTER: Mapping[str, Any] = {"istiods": (), "sidecar": None}


def istiod(
    version: str = "1.31.1", *, label: str | None = None, revision: str = "default", namespace: str = "istio-system"
) -> Istiod:
    ref = ObjectRef("Deployment", namespace, "istiod")
    return Istiod(ref, Revision(revision), version, version if label is None else label)


def state(**changes: Any) -> ClusterState:
    """A cluster with Istio 1.31.1 and nothing else; keyword arguments replace fields."""
    base: dict[str, Any] = {
        "server": "https://cluster",
        "kubernetes_version": "1.35.4",
        "istiods": (istiod(),),
        "sidecar": sidecar(),
    }
    return ClusterState(**(base | changes))


def sidecar(tag: str = "1.31.1") -> SidecarTemplate:
    return SidecarTemplate(HUB, tag)


def pod(tag: str = "1.31.1", **changes: Any) -> ObservedPod:
    """A running pod with a sidecar of this tag; an empty tag is no sidecar."""
    base: dict[str, Any] = {
        "name": "web-1",
        "labels": {"app": "web"},
        "annotations": {},
        "proxy_image": f"{HUB}/proxyv2:{tag}" if tag else "",
        "ready": True,
    }
    return ObservedPod(**(base | changes))


def workload(name: str = "web", *, pods: tuple[ObservedPod, ...] | None = None, **changes: Any) -> Workload:
    """A Deployment shop/<name> of three pods with the current sidecar."""
    base: dict[str, Any] = {
        "ref": ObjectRef("Deployment", "shop", name),
        "desired": 3,
        "paused": False,
        "strategy": "RollingUpdate",
        "max_unavailable": 0,
        "rolling": False,
        "pods": pods if pods is not None else (pod(labels={"app": name}),) * 3,
    }
    return Workload(**(base | changes))


def stale(name: str = "web", **changes: Any) -> Workload:
    """A Deployment whose pods carry the sidecar of 1.30.5."""
    return workload(name, pods=(pod("1.30.5", labels={"app": name}),) * 3, **changes)


def budget(name: str = "web", *, headroom: int = 1, app: str = "web", namespace: str = "shop") -> Budget:
    """A budget over pods labelled app=<app>: three pods, of which `headroom` may be away."""
    return Budget(
        ObjectRef("PodDisruptionBudget", namespace, name),
        {"matchLabels": {"app": app}},
        min_available=str(3 - headroom),
        max_unavailable="",
        desired_healthy=3 - headroom,
        expected_pods=3,
        disruptions_allowed=headroom,
    )


def mesh(name: str, *, desired: int = 3, ready: int = 3, labels: Mapping[str, str] | None = None) -> MeshDeployment:
    component = "istiod" if name == "istiod" else "gateway"
    return MeshDeployment(
        ObjectRef("Deployment", "istio-system", name),
        component,
        desired,
        ready,
        max(desired, ready),
        labels or {"app": name},
    )


def service(*addresses: str, wanted: str = "10.0.0.1") -> ObservedService:
    return ObservedService(
        ObjectRef("Service", "istio-system", "istio-ingressgateway"), "LoadBalancer", wanted, addresses
    )


def webhook(
    reach: Reach = Reach.READY, *, kind: str = MUTATING, revision: str = "default", **changes: Any
) -> WebhookConfiguration:
    """A configuration with one webhook that fails; keyword arguments are of that one, but for `name`, `opened` and
    `misses`."""
    usual = "istio-revision-tag-{}" if kind == MUTATING else "istio-validator-{}-istio-system"
    name, opened = changes.pop("name", usual.format(revision)), changes.pop("opened", False)
    base: dict[str, Any] = {"name": "x.istio.io", "fails": True, "service": ("istio-system", "istiod"), "root": "r"}
    misses = changes.pop("misses", ())
    return WebhookConfiguration(kind, name, revision, (Hook(**(base | {"reach": reach} | changes)),), opened, misses)

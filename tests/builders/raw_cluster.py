"""A small cluster as the API answers it: istiod, a gateway, an application with sidecars, webhooks, budgets, CRDs."""

from __future__ import annotations

import json
from typing import Any

PROXY = "docker.io/istio/proxyv2:1.31.1"
_MANAGED = [
    {
        "manager": "kubectl-edit",
        "operation": "Update",
        "time": "2026-11-23T05:00:00Z",
        "fieldsV1": {"f:spec": {"f:replicas": {}}, "f:metadata": {"f:labels": {"f:istio-injection": {}}}},
    }
]


def meta(name: str, namespace: str = "istio-system", **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "uid": f"uid-{namespace}-{name}", "managedFields": _MANAGED, **more}


def _deployment(name: str, namespace: str, labels: dict[str, str], image: str, container: str) -> dict[str, Any]:
    template = {
        "metadata": {"labels": labels, "annotations": {}},
        "spec": {"containers": [{"name": container, "image": image}]},
    }
    spec = {
        "replicas": 1,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "selector": {"matchLabels": labels},
        "template": template,
    }
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1)
    annotations = {"sohistio.io/restart-windows": "Sat 02:00-04:00 UTC"}
    found = meta(name, namespace, labels=labels, annotations=annotations, generation=2)
    return {"metadata": found, "spec": spec, "status": {**counts, "observedGeneration": 2}}


def _owned(kind: str, owner: str, namespace: str) -> list[dict[str, Any]]:
    return [
        {"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": f"uid-{namespace}-{owner}", "controller": True}
    ]


def _pod(name: str, namespace: str, owner: str, labels: dict[str, str]) -> dict[str, Any]:
    status = {"initContainers": ["istio-init", "istio-proxy"], "volumes": ["istio-envoy"], "imagePullSecrets": ["j"]}
    proxy = {
        "name": "istio-proxy",
        "image": PROXY,
        "args": ["proxy", "sidecar", "--log_output_level=default:info"],
        "env": [
            {"name": "PROXY_CONFIG", "value": '{"concurrency": 2}'},
            {"name": "POD", "valueFrom": {"fieldRef": {}}},
        ],
        "ports": [{"containerPort": 15090, "name": "http-envoy-prom"}],
        "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "100m"}},
        "volumeMounts": [{"mountPath": "/etc/istio/proxy", "name": "istio-envoy"}],
    }
    annotations = {"sidecar.istio.io/status": json.dumps(status), "istio.io/rev": "default"}
    return {
        "metadata": meta(
            name,
            namespace,
            labels=labels,
            annotations=annotations,
            ownerReferences=_owned("ReplicaSet", owner, namespace),
            creationTimestamp="2026-11-01T00:00:00Z",
        ),
        "spec": {
            "containers": [{"name": "app", "image": "app:1"}],
            "initContainers": [proxy],
            "volumes": [{"name": "istio-envoy", "emptyDir": {}}],
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


ISTIOD = {"app": "istiod", "istio.io/rev": "default", "operator.istio.io/version": "1.31.1"}
GATEWAY = {"app": "istio-ingressgateway", "operator.istio.io/component": "IngressGateways"}
WEB = {"app": "web"}
_SERVICE = {"namespace": "istio-system", "name": "istiod", "path": "/inject"}
_HOOK = {
    "name": "namespace.sidecar-injector.istio.io",
    "clientConfig": {"service": _SERVICE, "caBundle": "cm9vdA=="},
    "failurePolicy": "Fail",
    "namespaceSelector": {"matchExpressions": [{"key": "istio-injection", "operator": "In", "values": ["enabled"]}]},
    "objectSelector": {
        "matchExpressions": [{"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}]
    },
}
_VALUES = {"global": {"hub": "docker.io/istio", "tag": "1.31.1", "proxy": {"image": "proxyv2"}}}
_CRD_NOTES = {"gateway.networking.k8s.io/bundle-version": "v1.5.0", "gateway.networking.k8s.io/channel": "standard"}

LISTS: dict[str, list[dict[str, Any]]] = {
    "namespaces": [
        {"metadata": meta("shop", "", labels={"istio-injection": "enabled"}), "spec": {"finalizers": ["kubernetes"]}},
        {"metadata": meta("istio-system", "")},
    ],
    "deployments": [
        _deployment("istiod", "istio-system", ISTIOD, "docker.io/istio/pilot:1.31.1", "discovery"),
        _deployment("istio-ingressgateway", "istio-system", GATEWAY, PROXY, "istio-proxy"),
        _deployment("web", "shop", WEB, "app:1", "app"),
    ],
    "replicasets": [{"metadata": meta("web-7d", "shop", ownerReferences=_owned("Deployment", "web", "shop"))}],
    "statefulsets": [],
    "daemonsets": [],
    "pods": [
        _pod("web-7d-a", "shop", "web-7d", WEB),
        _pod("istiod-1", "istio-system", "x", ISTIOD),
    ],
    "services": [
        {
            "metadata": meta("istio-ingressgateway", labels=GATEWAY),
            "spec": {"type": "LoadBalancer", "selector": GATEWAY},
            "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}},
        },
        {"metadata": meta("istiod", labels=ISTIOD), "spec": {"selector": {"app": "istiod"}}},
    ],
    "poddisruptionbudgets": [
        {
            "metadata": meta("web", "shop"),
            "spec": {"minAvailable": 1, "selector": {"matchLabels": WEB}},
            "status": {"desiredHealthy": 1, "expectedPods": 1, "disruptionsAllowed": 0},
        }
    ],
    "customresourcedefinitions": [
        {"metadata": meta("virtualservices.networking.istio.io", "", finalizers=["x"], deletionTimestamp="2026-11-01")},
        {"metadata": meta("gateways.gateway.networking.k8s.io", "", annotations=_CRD_NOTES)},
    ],
    "mutatingwebhookconfigurations": [
        {
            "metadata": meta(
                "istio-sidecar-injector", "", labels={"app": "sidecar-injector", "istio.io/rev": "default"}
            ),
            "webhooks": [_HOOK],
        }
    ],
    "validatingwebhookconfigurations": [],
    "configmaps": [
        {
            "metadata": meta("istio-sidecar-injector"),
            "data": {"config": "templates: {}", "values": json.dumps(_VALUES)},
        },
        {"metadata": meta("istio"), "data": {"mesh": "accessLogFile: /dev/stdout\n"}},
    ],
}
ROOT = {"metadata": meta("istio-ca-root-cert"), "data": {"root-cert.pem": "-----BEGIN CERTIFICATE-----\n"}}

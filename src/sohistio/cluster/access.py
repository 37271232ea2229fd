"""Adapter: what the user of a kubeconfig may do, asked of the API server (SelfSubjectAccessReview); writes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sohistio.cluster.kube import KubeApi

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def may_apply(api: KubeApi, path: str) -> bool:
    """Whether a server-side apply at `path` is within the user's rights: patch, and create for what is not there.

    A 403 alone does not say: admission and quotas answer with the same code. Raises KubeError.
    """
    return may(api, "patch", path) and may(api, "create", path)


def may(api: KubeApi, verb: str, path: str) -> bool:
    """Whether the user may do this to the object at `path` (a REST path that ends in its name)."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else ""
    return _allowed(api, {"verb": verb, "group": group, "resource": rest[-2], "name": rest[-1], "namespace": namespace})


# What `istioctl analyze` (1.29 to 1.31) lists and then watches in all namespaces; read from the API server's audit log.
# Where it may not list one of them it waits for ever (pkg/config/analysis/local, Init).
_ANALYZED = {
    "": ("configmaps", "namespaces", "nodes", "pods", "secrets", "services"),
    "apps": ("deployments",),
    "admissionregistration.k8s.io": ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "extensions.istio.io": ("wasmplugins",),
    "networking.istio.io": (
        "destinationrules",
        "envoyfilters",
        "gateways",
        "proxyconfigs",
        "serviceentries",
        "sidecars",
        "virtualservices",
        "workloadentries",
        "workloadgroups",
    ),
    "security.istio.io": ("authorizationpolicies", "peerauthentications", "requestauthentications"),
    "telemetry.istio.io": ("telemetries",),
}


def not_analyzable(api: KubeApi) -> tuple[str, ...]:
    """The resources that `istioctl analyze` lists and the user may not; empty where it can be run. Raises KubeError."""
    resources = [(group, resource) for group, named in _ANALYZED.items() for resource in named]

    def is_missing(place: tuple[str, str]) -> bool:
        group, resource = place
        return not all(_allowed(api, {"verb": v, "group": group, "resource": resource}) for v in ("list", "watch"))

    with ThreadPoolExecutor(max_workers=8) as pool:
        missing = list(pool.map(is_missing, resources))
    return tuple(resource for (_, resource), lacks in zip(resources, missing, strict=True) if lacks)


def _allowed(api: KubeApi, attributes: dict[str, str]) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool(api.request("POST", _REVIEWS, body=body)["status"]["allowed"])

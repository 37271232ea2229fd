"""Adapter: what the user of a kubeconfig may do, asked of the API server (SelfSubjectAccessReview); writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.system.parallel import side_by_side

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, order=True, slots=True)
class Right:
    """A verb on a resource; without a name on all of them, without a namespace cluster-wide or in all namespaces."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    @classmethod
    def on(cls, verb: str, path: str) -> Right:
        """To do this to the object at `path` (a REST path that ends in its name)."""
        parts = path.strip("/").split("/")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else ""
        return cls(verb, group, rest[-2], namespace, rest[-1])

    @property
    def unnamed(self) -> Right:
        """The same on all objects of the resource."""
        return Right(self.verb, self.group, self.resource, self.namespace)

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {resource}{f' {self.name}' if self.name else ''}{place}"


def lacking(api: KubeApi, rights: Iterable[Right]) -> tuple[Right, ...]:
    """Those that the user does not have, sorted; asked side by side. Raises KubeError.

    A whole resource is asked for first: who may patch all Services need not be asked for each by its name; and before
    that, whether the user may do all there is.
    """
    if _may_all(api):
        return ()

    def missing(group: tuple[Right, list[Right]]) -> list[Right]:
        whole, named = group
        if _allowed(api, _attributes(whole)):
            return []
        return [right for right in named if right == whole or not _allowed(api, _attributes(right))]

    groups = [(whole, list(named)) for whole, named in groupby(sorted(set(rights)), lambda right: right.unnamed)]
    return tuple(right for found in side_by_side(missing, groups) for right in found)


def _attributes(right: Right) -> dict[str, str]:
    return {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "namespace": right.namespace,
        "name": right.name,
    }


def may_apply(api: KubeApi, path: str) -> bool:
    """Whether a server-side apply at `path` is within the user's rights: patch, and create for what is not there.

    A 403 alone does not say: admission and quotas answer with the same code. Raises KubeError.
    """
    return may(api, "patch", path) and may(api, "create", path)


def may(api: KubeApi, verb: str, path: str) -> bool:
    """Whether the user may do this to the object at `path` (a REST path that ends in its name)."""
    return _allowed(api, _attributes(Right.on(verb, path)))


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
    if _may_all(api):
        return ()
    resources = [(group, resource) for group, named in _ANALYZED.items() for resource in named]

    def is_missing(place: tuple[str, str]) -> bool:
        group, resource = place
        return not all(_allowed(api, {"verb": v, "group": group, "resource": resource}) for v in ("list", "watch"))

    missing = side_by_side(is_missing, resources)
    return tuple(resource for (_, resource), lacks in zip(resources, missing, strict=True) if lacks)


def _may_all(api: KubeApi) -> bool:
    """As `kubectl auth can-i '*' '*'` asks; "no" says nothing of any one right."""
    return _allowed(api, {"verb": "*", "group": "*", "resource": "*"})


def _allowed(api: KubeApi, attributes: dict[str, str]) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool(api.request("POST", _REVIEWS, body=body)["status"]["allowed"])

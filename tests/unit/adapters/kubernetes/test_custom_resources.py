"""Which custom resources there are: every kind of every served version once, and Istio's part of the Gateway API."""

from __future__ import annotations

from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.custom_resources import custom_resources, digests, resource_ref
from sohistio.adapters.kubernetes.gateway_objects import of_istio
from sohistio.adapters.kubernetes.served_kinds import ServedKind, served_kinds
from sohistio.model.state import ObjectRef

# group → versions, the preferred one first → kinds, as Istio 1.31 has them
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "apps": {"v1": ("Deployment",)},
    "install.istio.io": {"v1alpha1": ("IstioOperator",)},
    "networking.istio.io": {
        "v1": ("VirtualService", "Gateway"),
        "v1beta1": ("VirtualService", "Gateway", "ProxyConfig"),
        "v1alpha3": ("VirtualService", "Gateway", "EnvoyFilter"),
    },
    "gateway.networking.k8s.io": {"v1": ("Gateway",), "v1beta1": ("Gateway", "ReferenceGrant")},
}
EACH_ONCE = [
    ServedKind("gateway.networking.k8s.io/v1", "Gateway", "gateways"),
    ServedKind("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "referencegrants"),
    ServedKind("networking.istio.io/v1", "Gateway", "gateways"),
    ServedKind("networking.istio.io/v1", "VirtualService", "virtualservices"),
    ServedKind("networking.istio.io/v1alpha3", "EnvoyFilter", "envoyfilters"),
    ServedKind("networking.istio.io/v1beta1", "ProxyConfig", "proxyconfigs"),
]


def plural(kind: str) -> str:
    return f"{kind.lower()}s"


def aggregated(freshness: str = "Current") -> Reply:
    """All in one answer, as Kubernetes 1.30 and newer give it."""
    items = [
        {
            "metadata": {"name": group},
            "versions": [
                {
                    "version": version,
                    "freshness": freshness,
                    "resources": [
                        {"resource": plural(kind), "responseKind": {"kind": kind}, "subresources": []} for kind in kinds
                    ],
                }
                for version, kinds in versions.items()
            ],
        }
        for group, versions in GROUPS.items()
    ]
    return Reply({"kind": "APIGroupDiscoveryList", "items": items})


def plain(server: ApiServer) -> Reply:
    """The groups, and an answer for each version of them."""
    groups = []
    for group, versions in GROUPS.items():
        named = [{"groupVersion": f"{group}/{version}"} for version in versions]
        # The preferred one need not be the first of the list.
        groups.append({"name": group, "versions": named[::-1], "preferredVersion": named[0]})
        for version, kinds in versions.items():
            resources = [{"name": plural(kind), "kind": kind} for kind in kinds]
            status = [{"name": f"{plural(kind)}/status", "kind": kind} for kind in kinds]
            server.answers("GET", f"/apis/{group}/{version}", Reply({"resources": [*resources, *status]}))
    return Reply({"kind": "APIGroupList", "groups": groups})


def test_all_kinds_in_one_answer(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", "/apis", aggregated())
    assert served_kinds(api) == EACH_ONCE
    (asked,) = server.asked
    assert asked.headers["accept"].startswith("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")


def test_a_server_without_the_one_answer_is_asked_for_each_version(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", "/apis", plain(server))
    assert served_kinds(api) == EACH_ONCE
    server.answers("GET", "/apis", aggregated("Stale"), plain(server))
    assert served_kinds(api) == EACH_ONCE, "what is not up to date is not taken for all"


def test_a_version_that_cannot_be_read_is_an_error(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", "/apis", plain(server))
    server.answers("GET", "/apis/networking.istio.io/v1alpha3", Reply({"message": "no"}, 403))
    with pytest.raises(KubeError):
        served_kinds(api)


def test_a_kind_that_may_not_be_listed_is_an_error(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", "/apis", aggregated())
    for kind in EACH_ONCE:
        server.answers("GET", f"/apis/{kind.group_version}/{kind.plural}", Reply({"items": []}))
    assert custom_resources(api) == []
    server.answers("GET", "/apis/networking.istio.io/v1alpha3/envoyfilters", Reply({"message": "no"}, 403))
    with pytest.raises(KubeError) as caught:
        custom_resources(api)
    assert caught.value.status == 403


def obj(kind: str, name: str, spec: dict[str, Any] | None = None, place: str = "shop") -> dict[str, Any]:
    metadata = {"name": name, "namespace": place}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": metadata, "spec": spec or {}}


def test_both_gateways_of_a_name_are_told_apart() -> None:
    istios = obj("Gateway", "web") | {"apiVersion": "networking.istio.io/v1"}
    assert set(digests([istios, obj("Gateway", "web")])) == {
        ObjectRef("Gateway", "shop", "web"),
        ObjectRef("Gateway.gateway.networking.k8s.io", "shop", "web"),
    }


def test_what_istiod_writes_is_no_change() -> None:
    gateway = obj("Gateway", "web")
    marked = obj("Gateway", "web")
    marked["metadata"]["annotations"] = {"gateway.istio.io/controller-version": "5"}
    assert digests([gateway]) == digests([marked])
    marked["metadata"]["annotations"]["team"] = "shop"
    assert digests([gateway]) != digests([marked])


def of_class(name: str, of: str, place: str = "shop") -> dict[str, Any]:
    return obj("Gateway", name, {"gatewayClassName": of}, place)


def class_of(name: str, controller: str) -> dict[str, Any]:
    return obj("GatewayClass", name, {"controllerName": controller}, "")


def route(name: str, parent: dict[str, str], backend: str = "web", place: str = "shop") -> dict[str, Any]:
    spec = {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": backend}]}]}
    return obj("HTTPRoute", name, spec, place)


IN, OUT = True, False
AKS = class_of("approuting-istio", "istio.io/gateway-controller")
OTHER, OWN = class_of("other", "example.com/other"), class_of("own", "istio.io/gateway-controller")
ISTIO = of_class("istio", "istio")
SET = obj("ListenerSet", "set", {"parentRef": {"name": "istio"}})


@pytest.mark.parametrize(
    ("others", "item", "is_in"),
    [
        pytest.param((), ISTIO, IN, id="istiod serves its class without an object of it"),
        pytest.param((), of_class("waypoint", "istio-waypoint"), IN, id="a waypoint"),
        pytest.param((class_of("istio", "example.com/other"),), ISTIO, OUT, id="the class is another's"),
        pytest.param((OWN,), of_class("web", "own"), IN, id="a class of one's own"),
        pytest.param((), OWN, IN, id="that class itself"),
        pytest.param((), class_of("istio", "istio.io/gateway-controller"), OUT, id="istiod makes its class anew"),
        pytest.param((OTHER,), of_class("web", "other"), OUT, id="another controller"),
        pytest.param((), OTHER, OUT, id="another controller's class"),
        pytest.param((AKS,), of_class("web", "approuting-istio"), OUT, id="application routing of AKS"),
        pytest.param((), AKS, OUT, id="its class"),
        pytest.param((), of_class("web", "unknown"), OUT, id="no such class"),
        pytest.param((ISTIO,), route("r", {"name": "istio"}), IN, id="a route"),
        pytest.param((ISTIO,), route("r", {"name": "istio", "namespace": "shop"}, place="b"), IN, id="of elsewhere"),
        pytest.param((ISTIO,), route("r", {"name": "istio"}, place="b"), OUT, id="the name in another namespace"),
        pytest.param((ISTIO,), route("r", {"name": "another"}), OUT, id="a route of another"),
        pytest.param((), route("r", {"group": "", "kind": "Service", "name": "web"}), IN, id="within the mesh"),
        pytest.param((ISTIO,), SET, IN, id="a listener set"),
        pytest.param((ISTIO, SET), route("r", {"kind": "ListenerSet", "name": "set"}), IN, id="a route on it"),
        pytest.param((SET,), route("r", {"kind": "ListenerSet", "name": "set"}), OUT, id="on one of another's"),
        pytest.param(
            (ISTIO, route("r", {"name": "istio"})),
            obj("BackendTLSPolicy", "p", {"targetRefs": [{"group": "", "kind": "Service", "name": "web"}]}),
            IN,
            id="a policy for a backend",
        ),
        pytest.param(
            (ISTIO, route("r", {"name": "another"})),
            obj("BackendTLSPolicy", "p", {"targetRefs": [{"group": "", "kind": "Service", "name": "web"}]}),
            OUT,
            id="a policy for another's backend",
        ),
        pytest.param(
            (ISTIO, route("r", {"name": "istio"})),
            obj("ReferenceGrant", "g", {"from": [{"kind": "HTTPRoute", "namespace": "shop"}]}, "b"),
            IN,
            id="what a route may refer to",
        ),
        pytest.param(
            (ISTIO,),
            obj("ReferenceGrant", "g", {"from": [{"kind": "HTTPRoute", "namespace": "b"}]}, "b"),
            OUT,
            id="what others may refer to",
        ),
    ],
)
def test_what_of_the_gateway_api_is_istios(
    others: tuple[dict[str, Any], ...], item: dict[str, Any], is_in: bool
) -> None:
    found = of_istio([*others, item])
    assert [resource_ref(one) for one in found].count(resource_ref(item)) == int(is_in)

"""Which objects of the Gateway API are Istio's to serve, and so belong into a backup. Pure: raw objects in, a part out.

Other controllers share the API (on AKS the application routing add-on): theirs are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.served_kinds import GATEWAY_API, ISTIO_SUFFIX
from sohistio.model.gateway_api import ROUTING_CLASS

# istiod's controllers (istio 1.31, pilot/pkg/config/kube/gatewaycommon/classinfo.go). A name of one's own
# (PILOT_GATEWAY_API_CONTROLLER_NAME) is another istiod's.
_CONTROLLERS = frozenset(
    {
        "istio.io/gateway-controller",
        "istio.io/unmanaged-gateway",
        "istio.io/mesh-controller",
        "istio.io/eastwest-controller",
        "istio.io/agentgateway-controller",
        "istio.io/agentgateway-waypoint-controller",
    }
)
# Classes that istiod makes itself, and serves also where their object is missing.
_BUILT_IN = frozenset(
    {"istio", "istio-remote", "istio-waypoint", "istio-east-west", "istio-agentgateway", "istio-agentgateway-waypoint"}
)

_Place = tuple[str, str, str]  # kind, namespace, name


def of_istio(objects: Sequence[Object]) -> list[Object]:
    """Gateways of Istio's classes, the classes that somebody wrote for them, what is attached to them or to Services.

    Attached are routes and listener sets (`parentRefs`), policies for the routes' backends (`targetRefs`), and
    ReferenceGrants without which one of these may not refer to another namespace.
    """
    controllers = {_name(item): _spec(item).get("controllerName") for item in _of(objects, "GatewayClass")}
    classes = {name for name, controller in controllers.items() if controller in _CONTROLLERS}
    classes = (classes | (_BUILT_IN - controllers.keys())) - {ROUTING_CLASS}
    found = [item for item in _of(objects, "GatewayClass") if _name(item) in classes - _BUILT_IN]
    found += [item for item in _of(objects, "Gateway") if _spec(item).get("gatewayClassName") in classes]
    found += _attached(objects, found)
    backends = {place for item in found for place in _references(item, "backendRefs")}
    found += [item for item in objects if backends.intersection(_references(item, "targetRefs"))]
    return found + [item for item in _of(objects, "ReferenceGrant") if _lets_one_of(item, found)]


def _of(objects: Iterable[Object], kind: str) -> Iterator[Object]:
    return (item for item in objects if item["kind"] == kind)


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])


def _spec(item: Object) -> Object:
    return item.get("spec") or {}


def _place(item: Object) -> _Place:
    return item["kind"], item["metadata"].get("namespace", ""), _name(item)


def _attached(objects: Sequence[Object], parents: Sequence[Object]) -> list[Object]:
    """What hangs on one of the parents, or on what hangs on it (a route on a listener set), or on the mesh itself."""
    places = {_place(item) for item in parents}
    found: list[Object] = []
    while True:
        more = [
            item
            for item in objects
            if _place(item) not in places
            and any(parent in places or parent[0] in ("Service", "ServiceEntry") for parent in _parents(item))
        ]
        if not more:
            return found
        found += more
        places.update(map(_place, more))


def _parents(item: Object) -> Iterator[_Place]:
    spec = _spec(item)
    single = spec.get("parentRef")
    for ref in (*(spec.get("parentRefs") or ()), *([single] if single else ())):
        if (ref.get("group") or _default_group(ref)) in (*GATEWAY_API, "", f"networking{ISTIO_SUFFIX}"):
            yield _referred(item, ref, "Gateway")


def _default_group(ref: Object) -> str:
    """A missing group is the Gateway API's own; an empty one is that of Services."""
    return "" if "group" in ref else GATEWAY_API[0]


def _referred(item: Object, ref: Object, kind: str) -> _Place:
    namespace = ref.get("namespace") or item["metadata"].get("namespace", "")
    return ref.get("kind") or kind, namespace, ref.get("name", "")


def _references(item: Object, key: str) -> Iterator[_Place]:
    """What an object's rules (or its spec itself) refer to under this key."""
    spec = _spec(item)
    for part in (spec, *(spec.get("rules") or ())):
        for ref in part.get(key) or ():
            yield _referred(item, ref, "Service")


def _lets_one_of(grant: Object, objects: Sequence[Object]) -> bool:
    allowed = {(entry.get("kind"), entry.get("namespace")) for entry in _spec(grant).get("from") or ()}
    return any((item["kind"], item["metadata"].get("namespace", "")) in allowed for item in objects)

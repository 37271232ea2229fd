"""Stands in for Azure's load balancer: gives Services of type LoadBalancer the address they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sohistio.sandbox.cluster_api import ClusterApi
from sohistio.sandbox.traffic.addresses import on_this_machine

ADDRESS_ANNOTATION = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
INTERNAL_ANNOTATION = "service.beta.kubernetes.io/azure-load-balancer-internal"
POOL = tuple(f"10.224.0.{host}" for host in range(50, 250))
"""Addresses for Services that ask for none."""
PUBLIC_POOL = tuple(f"203.0.113.{host}" for host in range(10, 250))
"""Addresses of the internet (a range for documentation), for Services that are public by their annotation."""


@dataclass(frozen=True, slots=True)
class Pools:
    """The addresses to choose from. With `loopback_only`, none is given that programs here could not listen at."""

    private: tuple[str, ...] = POOL
    public: tuple[str, ...] = PUBLIC_POOL
    loopback_only: bool = False


class LoadBalancers:
    """Remembers nothing but which conflicts it has reported: addresses are in the Services."""

    def __init__(self, api: ClusterApi, pools: Pools | None = None) -> None:
        self._api = api
        self._pools = pools or Pools()
        self._reported: set[tuple[str, str]] = set()

    def follow(self) -> None:
        """Write the addresses that are to change; a Service whose address is taken stays as it is, with an Event."""
        services = self._api.items("/api/v1/services", fieldSelector="spec.type=LoadBalancer")
        given, refused = addresses(services, self._pools)
        for service in services:
            uid = service["metadata"]["uid"]
            if uid in given and given[uid] != address_of(service):
                path = f"{_path(service)}/status"
                ingress = [{"ip": given[uid]}] if given[uid] else []
                self._api.patch(path, {"status": {"loadBalancer": {"ingress": ingress}}})
                print(f"load balancer: {_path(service)} has {given[uid] or 'no address any more'}", flush=True)
            if uid in refused and (uid, refused[uid]) not in self._reported:
                self._reported.add((uid, refused[uid]))
                self._report(service, refused[uid])

    def _report(self, service: dict[str, Any], address: str) -> None:
        reason = f"PrivateIPAddressInUse: IP address {address} is already allocated to another resource"
        if self._pools.loopback_only and not on_this_machine(address):
            reason = f"PrivateIPAddressNotInSubnet: {address} is not in 127.0.0.0/8, where this sandbox's addresses are"
        elif _is_public(service):
            reason = f"user supplied IP Address {address} was not found in resource group"
        report_refused(self._api, service, reason)


def report_refused(api: ClusterApi, service: dict[str, Any], reason: str) -> None:
    """An Event of a Service whose load balancer cannot be had; raises ClusterApiError."""
    metadata, now = service["metadata"], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Service",
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": "Warning",
        "reason": "SyncLoadBalancerFailed",
        "message": f"Error syncing load balancer: failed to ensure load balancer: {reason}",
        "source": {"component": "service-controller"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    api.create(f"/api/v1/namespaces/{metadata['namespace']}/events", event)


def addresses(services: list[dict[str, Any]], pools: Pools | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """By uid: the address each LoadBalancer Service is to have, and the addresses asked for that it cannot have.

    Whoever has an address keeps it; among those who ask for the same one the oldest gets it. One that is made public
    loses its private address ("" is none), and gets no private one.
    """
    pools = pools or Pools()
    balanced = [service for service in services if service["spec"].get("type") == "LoadBalancer"]
    balanced.sort(key=lambda service: (service["metadata"]["creationTimestamp"], service["metadata"]["uid"]))
    taken = {held: service["metadata"]["uid"] for service in balanced if (held := address_of(service))}
    given: dict[str, str] = {}
    refused: dict[str, str] = {}
    for service in balanced:
        uid, asked = service["metadata"]["uid"], _asked(service)
        held = address_of(service)
        pool = pools.public if _is_public(service) else pools.private
        if held and _is_public(service) != (held in pools.public):
            del taken[held]
            held, given[uid] = "", ""
        beyond = pools.loopback_only and not on_this_machine(asked)
        if asked and (beyond or (_is_public(service) and asked not in pools.public)):
            refused[uid] = asked
            continue
        if not asked:
            asked = held or next((free for free in pool if free not in taken), "")
        if not asked:
            continue
        if taken.setdefault(asked, uid) != uid:
            refused[uid] = asked
            continue
        given[uid] = asked
        if held and held != asked:
            del taken[held]
    return given, refused


def address_of(service: Mapping[str, Any]) -> str:
    """The address a Service has now, or ''."""
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return str(ingress[0].get("ip", ""))


def _asked(service: dict[str, Any]) -> str:
    annotated = (service["metadata"].get("annotations") or {}).get(ADDRESS_ANNOTATION, "")
    return str(annotated or service["spec"].get("loadBalancerIP", ""))


def _is_public(service: dict[str, Any]) -> bool:
    """Only where the annotation says so: Azure's default, without it, is no use on a sandbox."""
    return (service["metadata"].get("annotations") or {}).get(INTERNAL_ANNOTATION) == "false"


def _path(service: dict[str, Any]) -> str:
    metadata = service["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}"

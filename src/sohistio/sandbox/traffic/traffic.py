"""Everything that a sandbox with traffic has beside the others: started, followed and ended by the supervisor."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from sohistio.sandbox import record
from sohistio.sandbox.cluster_api import ClusterApi
from sohistio.sandbox.istiod import IstiodFollower
from sohistio.sandbox.load_balancers import Pools, address_of
from sohistio.sandbox.part import Part
from sohistio.sandbox.processes import identify
from sohistio.sandbox.record import PartRecord
from sohistio.sandbox.traffic import data_plane
from sohistio.sandbox.traffic.addresses import Addresses, on_this_machine
from sohistio.sandbox.traffic.backend import HTTP_PORT, HTTPS_PORT
from sohistio.sandbox.traffic.istiod_address import XDS_PORT, IstiodAddress
from sohistio.sandbox.traffic.kubelet import Kubelet
from sohistio.sandbox.traffic.mesh_settings import MeshSettings


@dataclass(frozen=True, slots=True)
class TrafficSettings:
    """`region` is what backends call themselves, `lag` how many seconds late load balancers drop an endpoint."""

    addresses: Addresses
    region: str
    lag: int


def pools_of(addresses: Addresses) -> Pools:
    """The load balancers' addresses of a sandbox with these ranges."""
    return Pools(addresses.balancers, addresses.public_balancers, loopback_only=True)


class Traffic:
    """The Envoys, the load balancers and the backends, and the way from the Envoys to istiod."""

    def __init__(
        self, api: ClusterApi, folder: Path, server: str, istiod: IstiodFollower, settings: TrafficSettings
    ) -> None:
        self._api = api
        self._folder = folder
        self._server = server
        self._istiod = istiod
        self._settings = settings
        self._address = IstiodAddress(lambda: istiod.ports.get(XDS_PORT))
        self._kubelet = Kubelet(api, folder, settings.addresses, self._address.port)
        self._data_plane: Part | None = None
        self._balancers: dict[str, str] = {}

    def start(self) -> None:
        """Raises FailedError where a part cannot be started."""
        self._istiod.settings = MeshSettings(self._api, self._folder).environment
        self._address.start()
        self._data_plane = data_plane.start(self._folder, self._settings.region, self._server, self._settings.lag)
        self._kubelet.start()

    def follow(self) -> None:
        """Look at which load balancers there are; raises ClusterApiError."""
        services = self._api.items("/api/v1/services", fieldSelector="spec.type=LoadBalancer")
        self._balancers = {
            f"load balancer {service['metadata']['namespace']}/{service['metadata']['name']}": address
            for service in services
            if on_this_machine(address := address_of(service))
        }

    def records(self) -> tuple[PartRecord, ...]:
        """For `sandbox status`."""
        me = identify(os.getpid())
        found = []
        if self._data_plane is not None:
            of_process = self._data_plane.record()
            shared = {"backends": f"ports {HTTP_PORT} and {HTTPS_PORT} of their pods"} | self._balancers
            found = [of_process, *(replace(of_process, name=name, address=at) for name, at in shared.items())]
        if me is not None:
            log = str(self._folder / "logs" / "supervisor.log")
            address = f"127.0.0.1:{self._address.port}"
            kubelet = record.RUNNING if self._kubelet.alive else record.CRASHED
            found.append(PartRecord("istiod address", record.RUNNING, me.pid, me.started, address, log))
            found.append(PartRecord("kubelet of proxies", kubelet, me.pid, me.started, log=log))
        return (*found, *self._kubelet.records())

    def stop(self) -> None:
        """End all of it; without grace, because nobody is to be served any more."""
        self._kubelet.stop()
        Part.end_all([self._data_plane] if self._data_plane else [])
        self._address.stop()

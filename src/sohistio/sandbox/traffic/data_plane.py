"""The process that carries the sandbox's traffic besides the Envoys: load balancers, and the backends of pods."""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError
from sohistio.sandbox.credentials import SANDBOX, write_tokens
from sohistio.sandbox.load_balancers import address_of, report_refused
from sohistio.sandbox.part import Part
from sohistio.sandbox.parts import Command
from sohistio.sandbox.traffic.backend import BACKEND_LABEL, Backend, runs
from sohistio.sandbox.traffic.balancers import Balancers
from sohistio.sandbox.traffic.endpoints import SERVICE_LABEL
from sohistio.sandbox.traffic.watched import Watched
from sohistio.system.certificates import Authority

NAME = "traffic"
AUTHORITY_FILE = "backends-ca.crt"
"""The authority of the backends' certificates, in the sandbox's folder."""

_LONGEST_PAUSE = 0.5


def start(folder: Path, region: str, server: str, lag: int) -> Part:
    """Start it as a part of the sandbox in this folder; raises FailedError."""
    argv = (
        *(sys.executable, "-P", "-m", "sohistio.sandbox.traffic.data_plane"),
        f"--folder={folder}",
        f"--region={region}",
        f"--server={server}",
        f"--lag={lag}",
    )
    return Part(folder, Command(NAME, argv), environment={"PYTHONPATH": str(Path(__file__).parents[3])})


class DataPlane:
    """Follows the cluster: load balancers by Services and EndpointSlices, backends by pods with the label."""

    def __init__(self, api: ClusterApi, region: str, lag: float, tls: ssl.SSLContext) -> None:
        self._api = api
        self._region = region
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._routes_changed, self._pods_changed = asyncio.Event(), asyncio.Event()
        self._balancers = Balancers(lag, self._report_refused)
        self._backends: dict[str, Backend] = {}
        self._troubles: dict[str, str] = {}
        slices = "/apis/discovery.k8s.io/v1/endpointslices"
        wake = self._waking(self._routes_changed)
        self._services = Watched(api, "/api/v1/services", wake, fieldSelector="spec.type=LoadBalancer")
        self._slices = Watched(api, slices, wake, labelSelector=SERVICE_LABEL)
        wake = self._waking(self._pods_changed)
        self._pods = Watched(api, "/api/v1/pods", wake, labelSelector=f"{BACKEND_LABEL}=true")

    async def run(self) -> None:
        """Until the process is ended."""
        for watched in (self._services, self._slices, self._pods):
            watched.start()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._balance())
            tasks.create_task(self._answer())

    def _waking(self, event: asyncio.Event) -> Callable[[], None]:
        return partial(self._wake, event)

    def _wake(self, event: asyncio.Event) -> None:
        self._loop.call_soon_threadsafe(event.set)

    async def _balance(self) -> None:
        while True:
            await _set_or_late(self._routes_changed)
            services, slices = self._services.objects(), self._slices.objects()
            if services is not None and slices is not None:
                await self._balancers.follow(services, slices)

    async def _report_refused(self, address: str, why: str) -> None:
        for service in self._services.objects() or []:
            if address_of(service) == address:
                reason = f"IP address {address} cannot be listened at on this machine: {why}"
                try:
                    await asyncio.to_thread(report_refused, self._api, service, reason)
                except ClusterApiError as error:
                    print(error.what, flush=True)

    async def _answer(self) -> None:
        while True:
            await _set_or_late(self._pods_changed)
            pods = self._pods.objects()
            if pods is not None:
                await asyncio.to_thread(self._follow_backends, pods)  # a server that stops takes its time

    def _follow_backends(self, pods: list[dict[str, Any]]) -> None:
        wanted = {str(pod["metadata"]["uid"]): pod for pod in pods if runs(pod)}
        for uid, backend in list(self._backends.items()):
            if uid not in wanted or wanted[uid]["status"]["podIP"] != backend.address:
                self._backends.pop(uid).stop()
        for uid, pod in wanted.items():
            if uid in self._backends:
                self._backends[uid].behave(pod)
            else:
                self._begin(uid, pod)

    def _begin(self, uid: str, pod: Mapping[str, Any]) -> None:
        try:
            self._backends[uid] = Backend(pod, self._region, self._tls)
            print(f"backend {pod['metadata']['name']}: at {pod['status']['podIP']}", flush=True)
        except (OSError, ValueError) as error:
            if self._troubles.get(uid) != str(error):
                print(f"backend {pod['metadata']['name']}: {error}", flush=True)
            self._troubles[uid] = str(error)


async def _set_or_late(event: asyncio.Event) -> None:
    """Wait until something changed, or for a while: endpoints that lag are dropped without an event."""
    try:
        async with asyncio.timeout(_LONGEST_PAUSE):
            await event.wait()
    except TimeoutError:
        return
    event.clear()


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS for backends, with a certificate of a new authority, which is written into `folder`."""
    authority = Authority("sohistio sandbox backends")
    (folder / AUTHORITY_FILE).write_text(authority.certificate, encoding="ascii")
    issued = authority.issue(("backend.sandbox", "*.svc.cluster.local", "localhost"))
    chain = folder / "backends.pem"
    chain.touch(mode=0o600)
    chain.write_text(issued.key + issued.certificate, encoding="ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


async def _run(folder: Path, region: str, server: str, lag: float) -> None:
    token = write_tokens(folder / "tokens.csv")[SANDBOX]
    api = ClusterApi(server, folder / "tls" / "apiserver.crt", token)
    await DataPlane(api, region, lag, server_context(folder)).run()


def main() -> None:
    """`python -m sohistio.sandbox.traffic.data_plane …`, started by the supervisor, which also ends it."""
    parser = argparse.ArgumentParser(prog="sohistio.sandbox.traffic.data_plane")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--lag", type=float, required=True)
    given = parser.parse_args()
    asyncio.run(_run(given.folder, given.region, given.server, given.lag))


if __name__ == "__main__":
    main()

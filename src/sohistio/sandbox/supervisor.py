"""The process that owns a sandbox: starts its parts, follows the cluster, and ends everything when it is asked to.

Crashed parts are not started again: status tells about them.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event

from sohistio.errors import FailedError, SohistioError
from sohistio.sandbox import nodes, parts, record
from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError
from sohistio.sandbox.credentials import (
    ADMIN,
    CONTROLLER_MANAGER,
    SANDBOX,
    SCHEDULER,
    write_kubeconfig,
    write_service_account_key,
    write_serving_certificate,
    write_tokens,
)
from sohistio.sandbox.disks import Disks
from sohistio.sandbox.followers import Followers
from sohistio.sandbox.istiod import IstiodFollower
from sohistio.sandbox.load_balancers import LoadBalancers
from sohistio.sandbox.location import sandbox_context, sandbox_folder
from sohistio.sandbox.mirror import ReleaseMirror
from sohistio.sandbox.modules import releases_folder
from sohistio.sandbox.network import ServiceNetwork
from sohistio.sandbox.part import Part
from sohistio.sandbox.ports import free_ports, mirror_ports
from sohistio.sandbox.processes import ProcessId, identify
from sohistio.sandbox.record import PartRecord, SandboxRecord, write_record
from sohistio.sandbox.traffic.addresses import Addresses
from sohistio.sandbox.traffic.stages import without_proxies
from sohistio.sandbox.traffic.traffic import Traffic, TrafficSettings, pools_of

_START_SECONDS = 90.0
_ISTIOD_SECONDS = 20.0
_TODO = "`sohistio sandbox reset` starts all of it anew."
_PAUSE_SECONDS = 0.25


class _StoppedError(Exception):
    """Asked to end while starting."""


class Supervisor:
    """One sandbox, from start to end."""

    def __init__(self, name: str, count: int, stop: Event, mirror_port: int, settings: TrafficSettings | None) -> None:
        self._name = name
        self._nodes = count
        self._stop = stop
        self._folder = sandbox_folder(name)
        self._ports = parts.Ports(*free_ports(3))
        self._network = ServiceNetwork(Path(parts.NETWORK_SOCKET))
        self._mirror = ReleaseMirror(releases_folder(), mirror_ports(self._folder, mirror_port))
        self._parts: list[Part] = []
        self._istiod: IstiodFollower | None = None
        self._api: ClusterApi | None = None
        self._followers: Followers | None = None
        self._traffic_settings = settings
        self._traffic: Traffic | None = None
        self._phase = record.STARTING
        self._failure: tuple[str, ...] = ()
        self._written: SandboxRecord | None = None

    def run(self) -> int:
        """Start, follow until stopped, end; returns the exit code."""
        try:
            api = self._start()
            server = parts.api_server_url(self._ports)
            self._istiod = istiod = IstiodFollower(api, self._folder, server, self._network)
            if self._traffic_settings is not None:
                self._traffic = Traffic(api, self._folder, server, istiod, self._traffic_settings)
                self._traffic.start()
            self._await_istiod(istiod)
            self._phase = record.READY
            self._write()
            self._follow(api, istiod)
        except _StoppedError:
            print("stopped while starting", flush=True)
        except SohistioError as error:
            self._phase = record.FAILED
            self._failure = (error.what, *error.details)
            print(error.what, *error.details, sep="\n", flush=True)
        except Exception as error:
            self._phase = record.FAILED
            self._failure = (f"the supervisor failed: {error!r}",)
            raise
        finally:
            self._end()
        return 1 if self._failure else 0

    def _start(self) -> ClusterApi:
        folder, ports = self._folder, self._ports
        (folder / "logs").mkdir(exist_ok=True)
        parts.write_settings(folder, without_proxies(parts.usual_stages()) if self._ranges else None)
        tokens = write_tokens(folder / "tokens.csv")
        write_service_account_key(folder / "service-accounts.key")
        self._network.start()
        self._mirror.start()
        services = self._ranges.services if self._ranges else parts.SERVICE_RANGE
        pods = self._ranges.simulated_pods if self._ranges else parts.POD_RANGE
        authority, server = write_serving_certificate(folder / "tls", services), parts.api_server_url(ports)
        self._begin(parts.etcd(folder, ports), parts.api_server(folder, ports, services))
        context = sandbox_context(self._name)
        for user in (CONTROLLER_MANAGER, SCHEDULER, SANDBOX):
            write_kubeconfig(folder / f"{user}.kubeconfig", context, server, authority, tokens[user])
        write_kubeconfig(folder / "kubeconfig", context, server, authority, tokens[ADMIN])
        self._api = api = ClusterApi(server, authority, tokens[SANDBOX])
        self._wait_for("the API server", lambda: bool(api.get("/readyz") or True))
        self._begin(parts.controller_manager(folder), parts.scheduler(folder), parts.kwok(folder, pods))
        nodes.create_nodes(api, self._nodes)
        self._wait_for("the nodes", lambda: nodes.ready_nodes(api) >= self._nodes)
        default = "/api/v1/namespaces/default"
        self._wait_for("the default service account", lambda: bool(api.get(f"{default}/serviceaccounts/default")))
        self._wait_for("kube-root-ca.crt", lambda: bool(api.get(f"{default}/configmaps/kube-root-ca.crt")))
        return api

    def _await_istiod(self, istiod: IstiodFollower) -> None:
        """One that ran when the sandbox was stopped answers again before anything else: its pods are called ready."""
        deadline = time.monotonic() + _ISTIOD_SECONDS
        while time.monotonic() < deadline and not self._stop.is_set():
            with suppress(ClusterApiError):
                istiod.follow(patient=True)
                if not istiod.is_unsettled():
                    return
            self._stop.wait(0.1)

    def _follow(self, api: ClusterApi, istiod: IstiodFollower) -> None:
        balancers = LoadBalancers(api, pools_of(self._ranges) if self._ranges else None)
        self._followers = Followers(api, istiod, [balancers, Disks(api), *([self._traffic] if self._traffic else [])])
        while not self._stop.wait(_PAUSE_SECONDS):
            self._followers.look()
            self._write()

    @property
    def _ranges(self) -> Addresses | None:
        return self._traffic_settings.addresses if self._traffic_settings else None

    def _begin(self, *commands: parts.Command) -> None:
        for command in commands:
            self._parts.append(Part(self._folder, command))
            self._write()

    def _wait_for(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        last = ""
        while True:
            if self._stop.is_set():
                raise _StoppedError
            for part in self._parts:
                if (code := part.exit_code()) is not None:
                    raise FailedError(f"{part.name} ended with exit code {code}", details=part.last_lines(), todo=_TODO)
            try:
                if done():
                    return
            except ClusterApiError as error:
                last = error.what
            if time.monotonic() > deadline:
                what = f"{what} did not come up in {_START_SECONDS:.0f} s"
                raise FailedError(what, details=(last,) if last else (), todo=_TODO)
            self._stop.wait(0.1)

    def _end(self) -> None:
        # First said, then done: who starts it again meanwhile waits for it, and takes nothing for crashed.
        if self._phase != record.FAILED:
            self._phase = record.STOPPED
        self._write()
        started = [*self._parts]
        followers = self._istiod.parts() if self._istiod else []
        if self._followers is not None:
            self._followers.stop()
        if self._traffic is not None:
            self._traffic.stop()
        # Clients first, so that the API server has nobody to wait for; etcd last.
        Part.end_all([*started[2:], *followers])
        Part.end_all(started[1:2])
        Part.end_all(started[:1])
        if self._api is not None:
            self._api.close()
        self._mirror.stop()
        self._network.stop()
        self._parts, self._istiod, self._traffic = [], None, None
        self._write()

    def _write(self) -> None:
        me = identify(os.getpid()) or ProcessId(os.getpid(), 0)
        log = str(self._folder / "logs" / "supervisor.log")
        istiods = [part.record() for part in self._istiod.parts()] if self._istiod else []
        istiods = istiods or [PartRecord("istiod", record.STOPPED, 0, 0)]
        now = SandboxRecord(
            name=self._name,
            phase=self._phase,
            nodes=self._nodes,
            supervisor=PartRecord("supervisor", record.RUNNING, me.pid, me.started, log=log),
            mirror_url=self._mirror.url,
            parts=(
                *(part.record() for part in self._parts),
                PartRecord("release mirror", record.RUNNING, me.pid, me.started, self._mirror.url, log),
                *istiods,
                *(self._traffic.records() if self._traffic else ()),
            ),
            failure=self._failure,
            network=self._ranges.number if self._ranges else None,
            lag=self._traffic_settings.lag if self._traffic_settings else 0,
        )
        if now != self._written:
            write_record(self._folder, now)
            self._written = now


def main() -> int:
    """`python -m sohistio.sandbox.supervisor …`, started by `sohistio sandbox up`."""
    parser = argparse.ArgumentParser(prog="sohistio.sandbox.supervisor")
    parser.add_argument("--name", required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--mirror-port", type=int, required=True)
    parser.add_argument("--network", type=int)
    parser.add_argument("--claim", type=int)
    parser.add_argument("--load-balancer-lag", type=int, default=0)
    arguments = parser.parse_args()
    settings = None
    if arguments.network is not None:
        # Inherited from `up`, which claimed the number; it is held for as long as this process lives.
        os.set_inheritable(arguments.claim, False)
        settings = TrafficSettings(Addresses(arguments.network), arguments.name, arguments.load_balancer_lag)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.umask(0o077)
    folder: Path = sandbox_folder(arguments.name)
    os.chdir(folder)
    return Supervisor(arguments.name, arguments.nodes, stop, arguments.mirror_port, settings).run()


if __name__ == "__main__":
    sys.exit(main())

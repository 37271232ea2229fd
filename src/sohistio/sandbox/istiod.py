"""Runs the real istiod for the cluster's istiod pods: they are ready when it answers, and it ends when they go."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from sohistio.sandbox.cluster_api import STRATEGIC, ClusterApi, ClusterApiError
from sohistio.sandbox.credentials import write_kubeconfig
from sohistio.sandbox.modules import program_path
from sohistio.sandbox.mounted_authority import mount_authority
from sohistio.sandbox.network import ServiceNetwork
from sohistio.sandbox.part import Part
from sohistio.sandbox.parts import Command
from sohistio.sandbox.ports import free_ports

NAMESPACE = "istio-system"
TROUBLE_LABEL = "sandbox.sohistio/trouble"
_TOKEN_SECONDS = 30 * 24 * 3600
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_STOCK_ENVOY = {"PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false"}
"""A stock Envoy lacks the filters of Istio's own."""


class IstiodProcess:
    """One istiod, for all pods of one ReplicaSet: with their environment, arguments and service account."""

    def __init__(
        self, api: ClusterApi, folder: Path, server: str, pod: dict[str, Any], settings: Mapping[str, str]
    ) -> None:
        generation = generation_of(pod)
        home = folder / "istiod" / generation
        home.mkdir(parents=True, exist_ok=True)
        account = pod["spec"].get("serviceAccountName", "istiod")
        # The token is bound to no pod: the process outlives any one of them. RBAC holds as for the real istiod.
        request = {"spec": {"expirationSeconds": _TOKEN_SECONDS}}
        token = api.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token", request)
        authority = folder / "tls" / "apiserver.crt"
        write_kubeconfig(home / "kubeconfig", "istiod", server, authority, token["status"]["token"])
        mount_authority(api, home)
        http, https, grpc, secure_grpc, monitoring = free_ports(5)
        self.ports = {8080: http, 15017: https, 15010: grpc, 15012: secure_grpc, 15014: monitoring}
        """The port on 127.0.0.1 for each port of the container."""
        container = pod["spec"]["containers"][0]
        flags = (
            f"--kubeconfig={home / 'kubeconfig'}",
            f"--httpAddr=127.0.0.1:{http}",
            f"--httpsAddr=127.0.0.1:{https}",
            f"--grpcAddr=127.0.0.1:{grpc}",
            f"--secureGRPCAddr=127.0.0.1:{secure_grpc}",
            f"--monitoringAddr=127.0.0.1:{monitoring}",
            "--ctrlz_port=0",
            "--shutdownDuration=500ms",
        )
        argv = (str(program_path("pilot-discovery")), *(container.get("args") or ["discovery"]), *flags)
        self._part = Part(
            folder,
            Command(f"istiod-{generation}", argv, f"https://127.0.0.1:{https}"),
            environment=_environment(pod, container) | dict(settings),
            cwd=home,
        )

    @property
    def part(self) -> Part:
        return self._part

    def answers(self) -> bool:
        """Whether its own readiness endpoint says so."""
        if self._part.exit_code() is not None:
            return False
        connection = HTTPConnection("127.0.0.1", self.ports[8080], timeout=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class IstiodFollower:
    """Keeps one IstiodProcess a ReplicaSet whose pods run, and leads Services to the newest that answers.

    One that has ended is started again as a kubelet would, on other ports: somebody may have taken one of its own.
    """

    def __init__(self, api: ClusterApi, folder: Path, server: str, network: ServiceNetwork) -> None:
        self._api = api
        self._folder = folder
        self._server = server
        self._network = network
        self.settings: Callable[[], Mapping[str, str]] = dict
        """Asked for what a new process is to have in its environment beside what its pod says."""
        self._processes: dict[str, IstiodProcess] = {}
        self._restarts: dict[str, tuple[int, float]] = {}
        """Of a ReplicaSet whose process has ended: how often it was started again, and when it is the next time."""
        self._waits = False
        self.ports: dict[int, int] = {}
        """Of the newest process that answers: the port on 127.0.0.1 for each port of its container."""

    def is_unsettled(self) -> bool:
        """Whether a process has ended, or did not answer when it was looked at last: it is looked at again soon."""
        return self._waits or any(process.part.exit_code() is not None for process in self._processes.values())

    def parts(self) -> list[Part]:
        """The processes, newest last."""
        return [process.part for process in self._processes.values()]

    def follow(self, *, patient: bool = False) -> None:
        """Start, end and look at the processes as the pods ask for. `patient` calls no pod unready."""
        pods = [pod for pod in self._pods() if _runs(pod)]
        pods.sort(key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        wanted = {generation_of(pod): pod for pod in pods}
        for generation, pod in wanted.items():
            if generation not in self._processes or self._is_to_start_again(generation):
                self._processes[generation] = IstiodProcess(self._api, self._folder, self._server, pod, self.settings())
        answering = {generation for generation in wanted if self._processes[generation].answers()}
        self._waits = answering != wanted.keys()
        services = self._api.items(f"/api/v1/namespaces/{NAMESPACE}/services") if answering else []
        routes = {
            route: port
            for generation in wanted
            if generation in answering
            for route, port in routes_to(wanted[generation], services, self._processes[generation].ports).items()
        }
        # A Service that is asked for through the API server (`services/proxy`) leads to the address of one of its pods.
        for pod in pods:
            if (address := pod["status"].get("podIP")) and (generation := generation_of(pod)) in answering:
                ports = self._processes[generation].ports
                routes |= {f"{address}:{port}": host_port for port, host_port in ports.items()}
        self.ports = next((self._processes[found].ports for found in reversed(wanted) if found in answering), {})
        self._network.lead(routes)  # before any pod is called ready, and before any process ends
        for pod in pods:
            if not patient or generation_of(pod) in answering:
                self._tell_readiness(pod, generation_of(pod) in answering)
        gone = [self._processes.pop(generation) for generation in list(self._processes) if generation not in wanted]
        Part.end_all(process.part for process in gone)
        self._restarts = {generation: last for generation, last in self._restarts.items() if generation in wanted}

    def _is_to_start_again(self, generation: str) -> bool:
        part, now = self._processes[generation].part, time.monotonic()
        count, due = self._restarts.get(generation, (0, 0.0))
        if part.exit_code() is None:
            return False
        if not due:
            print(f"{part.name} ended with exit code {part.exit_code()}", flush=True)
            self._restarts[generation] = count, now + min(_FIRST_PAUSE_SECONDS * 2**count, _LONGEST_PAUSE_SECONDS)
        elif now >= due:
            self._restarts[generation] = count + 1, 0.0
            return True
        return False

    def _pods(self) -> list[dict[str, Any]]:
        return self._api.items(f"/api/v1/namespaces/{NAMESPACE}/pods", labelSelector="app=istiod")

    def _tell_readiness(self, pod: dict[str, Any], ready: bool) -> None:
        conditions = {condition["type"]: condition["status"] for condition in pod["status"].get("conditions", [])}
        if (conditions.get("Ready") == "True") == ready:
            return
        value = "True" if ready else "False"
        why = {} if ready else {"reason": "ContainersNotReady", "message": "istiod does not answer"}
        cleared = {"reason": None, "message": None} if ready else {}
        status = {
            "conditions": [{"type": kind, "status": value} | why | cleared for kind in ("ContainersReady", "Ready")],
            "containerStatuses": [
                container | {"ready": ready} for container in pod["status"].get("containerStatuses", [])
            ],
        }
        try:
            name = pod["metadata"]["name"]
            self._api.patch(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/status", {"status": status}, STRATEGIC)
        except ClusterApiError as error:
            if error.status != 404:  # deleted meanwhile
                raise


def generation_of(pod: dict[str, Any]) -> str:
    """What tells the pods of one ReplicaSet from those of the next."""
    labels = pod["metadata"].get("labels") or {}
    return str(labels.get("pod-template-hash") or pod["metadata"]["uid"])


def routes_to(pod: dict[str, Any], services: list[dict[str, Any]], ports: dict[int, int]) -> dict[str, int]:
    """`ClusterIP:port` of each Service that selects this pod, and the host port behind it."""
    labels = pod["metadata"].get("labels") or {}
    routes = {}
    for service in services:
        spec = service["spec"]
        selector, address = spec.get("selector") or {}, spec.get("clusterIP", "None")
        if not selector or address == "None":
            continue
        if selector.items() <= labels.items():
            for port in spec.get("ports", []):
                target = port.get("targetPort", port["port"])
                if target in ports:
                    routes[f"{address}:{port['port']}"] = ports[target]
    return routes


def _runs(pod: dict[str, Any]) -> bool:
    metadata = pod["metadata"]
    troubled = TROUBLE_LABEL in (metadata.get("labels") or {})
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in metadata and not troubled


def _environment(pod: dict[str, Any], container: dict[str, Any]) -> dict[str, str]:
    given = {entry["name"]: entry["value"] for entry in container.get("env") or [] if entry.get("value")}
    given.pop("KUBECONFIG", None)
    revision = given.get("REVISION", "default")
    suffix = "" if revision == "default" else f"-{revision}"
    return (
        _STOCK_ENVOY
        | {
            "INJECTION_WEBHOOK_CONFIG_NAME": f"istio-sidecar-injector{suffix}",
            "VALIDATION_WEBHOOK_CONFIG_NAME": f"istio-validator{suffix}-{NAMESPACE}",
            "ISTIOD_CUSTOM_HOST": "localhost",
        }
        | given
        | {
            "POD_NAME": str(pod["metadata"]["name"]),
            "POD_NAMESPACE": NAMESPACE,
            "SERVICE_ACCOUNT": str(pod["spec"].get("serviceAccountName", "istiod")),
        }
    )

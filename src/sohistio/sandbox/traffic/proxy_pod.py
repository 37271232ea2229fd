"""One pod with a proxy, a gateway's or a sidecar's: its agent and Envoy, from when it is scheduled until it is gone."""

from __future__ import annotations

import shutil
import signal
import time
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from sohistio.sandbox.cluster_api import STRATEGIC, ClusterApi, ClusterApiError
from sohistio.sandbox.modules import program_path
from sohistio.sandbox.part import Part
from sohistio.sandbox.parts import Command
from sohistio.sandbox.ports import free_ports
from sohistio.sandbox.processes import end, processes_with, send
from sohistio.sandbox.traffic import agent
from sohistio.sandbox.traffic.addresses import loopback_of
from sohistio.sandbox.traffic.ending import Ending, Step, next_step, restart_pause
from sohistio.sandbox.traffic.pod_status import PodState, is_shown, restarts_of, status_of
from sohistio.sandbox.traffic.proxy_container import container_of
from sohistio.sandbox.traffic.trouble import NOT_READY, slow_seconds, trouble_of

_RENEWAL_SECONDS = 10.0
_SETTLED_SECONDS = 3.0
_READINESS_PORT = 15021
_FIRST_PROBES = 0.3
"""Seconds between probes before the first success: waiting a whole period for it would only cost time."""


class ProxyPod:
    """`step` is called again and again with the pod as the cluster has it; it raises ClusterApiError."""

    def __init__(self, api: ClusterApi, folder: Path, pod: dict[str, Any], address: str, istiod_port: int) -> None:
        metadata = pod["metadata"]
        self.name, self.uid, self.address = str(metadata["name"]), str(metadata["uid"]), address
        self._path = path_of(pod)
        self._api = api
        self._folder = folder
        self._home = folder / "pods" / self.uid
        self._istiod_port = istiod_port
        self._host = _host_of(api, pod)
        self._begun = _now()
        self._part: Part | None = None
        self._started = ""
        self._ready = False
        self._written_at = 0.0
        self._failures = 0
        self._restarts = restarts_of(pod)
        self._last_exit: int | None = None
        self._next_probe = self._next_start = self._next_renewal = 0.0
        self._written: PodState | None = None
        self._ending: Ending | None = None
        self.gone = False
        """Whether its processes have ended and its object is deleted."""

    def part(self) -> Part | None:
        """Its agent, None where none was started."""
        return self._part

    def step(self, pod: dict[str, Any]) -> None:
        """Do what is to be done now: start, probe, report, end."""
        if "deletionTimestamp" in pod["metadata"] and self._ending is None:
            grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 30))
            self._ending = Ending(time.monotonic(), agent.pre_stop_seconds(pod), grace)
        if self._ending is not None and self._follow_ending(self._ending):
            return
        if self._part is not None and (code := self._part.exit_code()) is not None:
            self._has_exited(code)
        if self._part is not None and time.monotonic() >= self._next_renewal:
            agent.renew_root_certificate(self._api, self._home, str(pod["metadata"]["namespace"]))
            self._next_renewal = time.monotonic() + _RENEWAL_SECONDS
        if self._part is None and time.monotonic() >= self._next_start:
            self._start(pod)
        self._probe(pod)
        self._report(pod)

    def kill(self) -> None:
        """End agent and Envoy at once."""
        for process in processes_with(agent.POD_VARIABLE, self.uid):
            send(process, signal.SIGKILL)
        if self._part is not None:
            Part.end_all([self._part])
        end(processes_with(agent.POD_VARIABLE, self.uid), 0.0)
        shutil.rmtree(self._home, ignore_errors=True)

    def _start(self, pod: dict[str, Any]) -> None:
        agent.write_files(self._api, self._home, pod)
        ports = agent.AgentPorts(*free_ports(3))
        given = agent.environment(self._home, pod, self.address, ports, self._istiod_port)
        argv = (str(program_path("pilot-agent")), *agent.arguments(pod, given))
        command = Command(part_name(pod), argv, f"http://127.0.0.1:{ports.status}")
        self._part = Part(self._folder, command, environment=given, cwd=self._home)
        self._started, self._failures = _now(), 0
        self._next_probe = time.monotonic() + slow_seconds(pod)
        self._next_renewal = time.monotonic() + _RENEWAL_SECONDS
        print(f"kubelet: {self.name} has an Envoy at {loopback_of(self.address)}", flush=True)

    def _has_exited(self, code: int) -> None:
        """As a kubelet does: start it again, after a pause that grows."""
        print(f"kubelet: the agent of {self.name} ended with exit code {code}", flush=True)
        self.kill()
        self._next_start = time.monotonic() + restart_pause(self._restarts)
        self._part, self._started, self._ready = None, "", False
        self._restarts += 1
        # A signal's number is negative here and 128 + N in a container's exit code.
        self._last_exit = code if code >= 0 else 128 - code

    def _probe(self, pod: dict[str, Any]) -> None:
        now = time.monotonic()
        if self._part is None or now < self._next_probe:
            return
        probe = container_of(pod).get("readinessProbe") or {}
        never = trouble_of(pod) == NOT_READY
        passed = not never and self._answers()
        self._failures = 0 if passed else self._failures + 1
        if passed:
            self._ready = True
        elif self._failures >= probe.get("failureThreshold", 3) or never:
            self._ready = False
        self._next_probe = now + (float(probe.get("periodSeconds", 10)) if self._ready else _FIRST_PROBES)

    def _answers(self) -> bool:
        connection = HTTPConnection(loopback_of(self.address), _READINESS_PORT, timeout=1)
        try:
            connection.request("GET", "/healthz/ready", headers={"Connection": "close"})
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _report(self, pod: dict[str, Any]) -> None:
        state = PodState(
            self.address, self._host, self._begun, self._started, self._ready, self._restarts, self._last_exit
        )
        now = time.monotonic()
        # The node controller writes Ready as well, where the API server was away for a while; a watch lags a moment.
        overruled = now - self._written_at > _SETTLED_SECONDS and not is_shown(pod, state)
        if state != self._written or overruled:
            self._api.patch(f"{self._path}/status", {"status": status_of(pod, state, _now())}, STRATEGIC)
            self._written, self._written_at = state, now

    def _follow_ending(self, ending: Ending) -> bool:
        """Whether nothing more is to be done for it now."""
        running = self._part is not None and self._part.exit_code() is None
        step = next_step(ending, time.monotonic(), running)
        if step is Step.TERMINATE and self._part is not None:
            self._part.terminate()
            ending.terminated = True
        if step is not Step.END:
            return False
        seconds = time.monotonic() - ending.begun
        print(f"kubelet: {self.name} ended {seconds:.1f} s after its deletion", flush=True)
        self.kill()
        remove(self._api, self._path, self.uid)
        self.gone = True
        return True


def path_of(pod: dict[str, Any]) -> str:
    """A pod's REST path."""
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def part_name(pod: dict[str, Any]) -> str:
    """What `sandbox status` and the log's name call it; only in istio-system is a pod's name enough."""
    metadata = pod["metadata"]
    place = "" if metadata["namespace"] == "istio-system" else f".{metadata['namespace']}"
    return f"envoy-{metadata['name']}{place}"


def remove(api: ClusterApi, path: str, uid: str) -> None:
    """Take the object of an ended pod out of the cluster; a pod of the same name that is another one stays."""
    try:
        api.delete(path, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
    except ClusterApiError as error:
        if error.status not in (404, 409):
            raise


def _host_of(api: ClusterApi, pod: dict[str, Any]) -> str:
    node = api.get(f"/api/v1/nodes/{pod['spec']['nodeName']}")
    return str(node["status"]["addresses"][0]["address"])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

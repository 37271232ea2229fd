"""The kubelet of pods with a proxy, gateways' and sidecars: kwok leaves these to it, as each runs a real Envoy."""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sohistio.errors import SohistioError
from sohistio.sandbox.cluster_api import ClusterApi
from sohistio.sandbox.part import Part
from sohistio.sandbox.record import PartRecord
from sohistio.sandbox.traffic.addresses import Addresses
from sohistio.sandbox.traffic.proxy_container import has_proxy
from sohistio.sandbox.traffic.proxy_pod import ProxyPod, path_of, remove
from sohistio.sandbox.traffic.stages import GATEWAYS, SIDECAR_LABEL
from sohistio.sandbox.traffic.trouble import CRASH, SIMULATED, trouble_of
from sohistio.sandbox.traffic.watched import Watched

_GATEWAYS_PODS = "/api/v1/namespaces/istio-system/pods"
_PODS = "/api/v1/pods"
_STEP_SECONDS = 0.1


class Kubelet:
    """Runs one ProxyPod for each pod of a gateway or with a sidecar, in a thread of its own."""

    def __init__(self, api: ClusterApi, folder: Path, addresses: Addresses, istiod_port: int) -> None:
        self._api = api
        self._folder = folder
        self._addresses = addresses
        self._istiod_port = istiod_port
        self._pods: dict[str, ProxyPod] = {}
        self._last_address = ""
        self._troubles: dict[str, str] = {}
        self._parts: tuple[Part, ...] = ()
        self._stop = Event()
        self._changed = Event()
        of_gateways = f"app in ({','.join(GATEWAYS)}),{SIDECAR_LABEL}!=true"
        self._watched = (
            Watched(api, _GATEWAYS_PODS, self._changed.set, labelSelector=of_gateways),
            Watched(api, _PODS, self._changed.set, labelSelector=f"{SIDECAR_LABEL}=true"),
        )
        self._thread = Thread(target=self._run, name="kubelet", daemon=True)

    def start(self) -> None:
        shutil.rmtree(self._folder / "pods", ignore_errors=True)  # of an earlier supervisor
        for watched in self._watched:
            watched.start()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread still runs; an error that nobody expected ends it, and is in the supervisor's log."""
        return self._thread.is_alive()

    def records(self) -> list[PartRecord]:
        """The Envoys that run now."""
        return [part.record() for part in self._parts]

    def stop(self) -> None:
        """End all agents and Envoys at once; the objects of their pods stay."""
        self._stop.set()
        for watched in self._watched:
            watched.stop()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(30)
        for pod in self._pods.values():
            pod.kill()
        self._pods, self._parts = {}, ()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._changed.wait(_STEP_SECONDS)
            self._changed.clear()
            found = self._listed()
            if found is not None:
                self._step(found)

    def _listed(self) -> list[dict[str, Any]] | None:
        """All pods that are its own; None before each list was read once. kwok has those without a sidecar."""
        gateways, labelled = (watched.objects() for watched in self._watched)
        if gateways is None or labelled is None:
            return None
        return [*gateways, *filter(has_proxy, labelled)]

    def _step(self, found: list[dict[str, Any]]) -> None:
        wanted = {str(pod["metadata"]["uid"]): pod for pod in found if pod["spec"].get("nodeName")}
        for uid, pod in wanted.items():
            if self._stop.is_set():
                return
            try:
                self._follow(uid, pod)
                self._troubles.pop(uid, None)
            except SohistioError as error:
                if self._troubles.get(uid) != error.what:  # it would be the same line ten times a second
                    print(f"kubelet: {pod['metadata']['name']}: {error.what}", *error.details, flush=True)
                self._troubles[uid] = error.what
        for uid in [uid for uid in self._pods if uid not in wanted]:
            pod_gone = self._pods.pop(uid)
            self._troubles.pop(uid, None)
            if not pod_gone.gone:  # deleted by force
                pod_gone.kill()
        running = [part for pod in self._pods.values() if (part := pod.part()) is not None]
        self._parts = tuple(running)

    def _follow(self, uid: str, pod: dict[str, Any]) -> None:
        known = self._pods.get(uid)
        trouble = trouble_of(pod)
        deleted = "deletionTimestamp" in pod["metadata"]
        if known is None:
            if deleted:
                remove(self._api, path_of(pod), uid)
            elif trouble not in SIMULATED:
                self._pods[uid] = self._accept(pod)
                self._pods[uid].step(pod)
        elif trouble == CRASH and not deleted:
            self._pods.pop(uid).kill()
        elif not known.gone:
            known.step(pod)

    def _accept(self, pod: dict[str, Any]) -> ProxyPod:
        used = {known.address for known in self._pods.values()}
        for other in self._listed() or []:
            if other["metadata"]["uid"] != pod["metadata"]["uid"]:
                used.add((other.get("status") or {}).get("podIP", ""))
        held = (pod.get("status") or {}).get("podIP", "")
        if held in used or not self._addresses.has_running_pod(held):
            held = self._last_address = self._addresses.free_pod_address(used, self._last_address)
        return ProxyPod(self._api, self._folder, pod, held, self._istiod_port)

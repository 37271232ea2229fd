"""sohistio killed outright (SIGKILL) at work, and what must be the same once the next run has ended."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.custom_resources import custom_resources, digests
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.record_store import read_record
from sohistio.model.record import RunEntry
from sohistio.model.state import ObjectRef
from warm import WARM
from workloads import apply, await_running, deployment, namespace, pods_of

LOCAL = ("--env", "local")
_LONGEST = 120.0


def started(sandbox: Sandbox, output: IO[str], *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """sohistio as a process of its own, no terminal; all that it says goes to `output`."""
    return subprocess.Popen(
        sandbox.command(*arguments),
        cwd=CHECKOUT,
        env=sandbox.environ(**variables),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def killed_once(sandbox: Sandbox, now: Callable[[], bool], *arguments: str, **variables: str) -> tuple[bool, str]:
    """Start sohistio and kill it as soon as `now` holds: whether it was killed, not done before, and what it said."""
    with tempfile.TemporaryFile("w+") as output:
        deadline = time.monotonic() + _LONGEST
        environ = sandbox.environ(**variables)
        with WARM.begin(arguments, cwd=CHECKOUT, env=environ, stdout=output, stderr=output) as process:
            while process.poll() is None and not now():
                assert time.monotonic() < deadline
                time.sleep(0.05)
        output.seek(0)
        said = output.read()
        assert process.returncode in (0, -9), said
        return process.returncode == -9, said


def istioctls(sandbox: Sandbox) -> list[str]:
    """The command lines of istioctl processes that work on this sandbox."""
    return list(map(" ".join, istioctl_processes(sandbox).values()))


def istioctl_processes(sandbox: Sandbox) -> dict[int, list[str]]:
    """The same as words, by their pids."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if words[0].endswith("istioctl") and any(str(sandbox.kubeconfig) in word for word in words):
            found[int(file.parent.name)] = words
    return found


def no_istioctl_is_left(sandbox: Sandbox) -> None:
    """The kernel ends it with its parent; it may take a moment until it is reaped."""
    deadline = time.monotonic() + 2
    while left := istioctls(sandbox):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def last_run(sandbox: Sandbox) -> RunEntry | None:
    """The newest run of the record."""
    record = read_record(sandbox.api)
    return record.last_run if record else None


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do something beside a run."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(120)


def await_said(said: Path, words: str, seconds: float = 30.0) -> None:
    """Return once the run has said these words."""
    end = time.monotonic() + seconds
    while words not in said.read_text():
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.05)


def await_step(sandbox: Sandbox, step: str) -> None:
    """Wait until a run has begun this step."""
    for _ in range(1200):
        run = last_run(sandbox)
        if run is not None and run.outcome == "running" and run.last_step == step:
            return
        time.sleep(0.05)
    raise AssertionError(f"{step} did not begin")


@dataclass(frozen=True)
class Kept:
    """What no run may change: custom resources, the CA, the gateways' Services, which CRDs there are."""

    custom_resources: Mapping[ObjectRef, str]
    ca_root: str
    services: Mapping[str, tuple[str, Any]]
    crds: frozenset[str]


def kept(sandbox: Sandbox) -> Kept:
    api = sandbox.api
    services = api.items("/api/v1/namespaces/istio-system/services")
    return Kept(
        digests(custom_resources(api)),
        observe(api).ca_root,
        {
            item["metadata"]["name"]: (item["metadata"]["uid"], item["status"])
            for item in services
            if item["spec"]["type"] == "LoadBalancer"
        },
        frozenset(
            item["metadata"]["name"] for item in api.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        ),
    )


def custom_resource(kind: str, place: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    group = "security" if kind in ("AuthorizationPolicy", "PeerAuthentication") else "networking"
    metadata = {"name": name, "namespace": place, "labels": {"team": place}}
    return {"apiVersion": f"{group}.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def route(place: str, name: str = "web", **spec: Any) -> dict[str, Any]:
    """A VirtualService to Service <name>."""
    destination = {"destination": {"host": f"{name}.{place}.svc.cluster.local"}}
    spec = {"hosts": [f"{name}.{place}.local"], "http": [{"route": [destination]}]} | spec
    return custom_resource("VirtualService", place, name, spec)


def settle(sandbox: Sandbox, places: tuple[str, ...], *, each: int) -> None:
    """In each namespace: workloads of two pods with sidecars, a Service, and custom resources of four kinds."""
    for place in places:
        apply(sandbox.api, namespace(place))
        for number in range(each):
            apply(sandbox.api, deployment(place, f"web-{number}"))
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": place}}
        sandbox.api.create(
            f"/api/v1/namespaces/{place}/services",
            service | {"spec": {"selector": {"app": "web-0"}, "ports": [{"name": "http", "port": 80}]}},
        )
        rule = {"host": f"web.{place}.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}
        for item in (
            route(place),
            custom_resource("DestinationRule", place, "web", rule),
            custom_resource("AuthorizationPolicy", place, "allow", {"action": "ALLOW", "rules": [{}]}),
            custom_resource("PeerAuthentication", place, "default", {"mtls": {"mode": "STRICT"}}),
        ):
            sandbox.api.create(sandbox.api.path_of(item).rpartition("/")[0], item)
    for place in places:
        await_running(sandbox.api, place, each * 2)


def sidecars(sandbox: Sandbox, places: tuple[str, ...]) -> set[str]:
    """The versions of the namespaces' sidecars; `none` for a pod without."""
    found = set()
    for pod in (pod for place in places for pod in pods_of(sandbox.api, place)):
        containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
        proxies = [item["image"].rpartition(":")[2] for item in containers if item["name"] == "istio-proxy"]
        found.update(proxies or ["none"])
    return found

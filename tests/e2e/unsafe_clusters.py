"""More starts that must be refused: of the clusters themselves, of who asks, and of the command."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accounts import account, kubeconfig_for, role
from regions import Regions
from unsafe_starts import SECRET, Command, Unsafe, records

DEPLOYMENT = "/apis/apps/v1/namespaces/istio-system/deployments/{}"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases"


@contextmanager
def another_version(regions: Regions) -> Iterator[None]:
    """dr's istiod is to be another one; held, so that no pod changes."""
    api, path = regions.regions["dr"].api, DEPLOYMENT.format("istiod")
    found = api.get(path)
    assert found is not None
    container = found["spec"]["template"]["spec"]["containers"][0]

    def change(image: str, *, paused: bool | None) -> None:
        template = {"spec": {"containers": [{"name": container["name"], "image": image}]}}
        kind = "application/strategic-merge-patch+json"
        api.request("PATCH", path, body={"spec": {"paused": paused, "template": template}}, content_type=kind)

    change("docker.io/istio/pilot:1.30.0", paused=True)
    try:
        yield
    finally:
        change(container["image"], paused=None)


@contextmanager
def another_route(regions: Regions) -> Iterator[None]:
    """prod has a route that dr has not."""
    path = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices"
    spec = {"hosts": ["api.example.com"], "http": [{"route": [{"destination": {"host": "web"}}]}]}
    body = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "api"}, "spec": spec}
    api = regions.regions["prod"].api
    api.create(path, body)
    try:
        yield
    finally:
        api.delete(f"{path}/api")


@contextmanager
def no_rights(regions: Regions) -> Iterator[Command]:
    """Somebody who may read all of dr and write nothing."""
    dr = regions.regions["dr"]
    token = account(dr.api, "onlooker")
    role(dr.api, "onlooker", {"apiGroups": ["*"], "resources": ["*"]})
    yield as_user(kubeconfig_for(dr, regions.folder, token))


@contextmanager
def another_run(regions: Regions) -> Iterator[None]:
    """One on another machine holds dr's lock, and renews it."""
    api, path = regions.regions["dr"].api, f"{LEASES}/sohistio"
    ended = threading.Event()

    def renew() -> None:
        while True:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            api.merge_patch(path, {"spec": {"holderIdentity": "ada@elsewhere run 1", "renewTime": now}})
            if ended.wait(2):
                return

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        api.merge_patch(path, {"spec": {"holderIdentity": ""}})


def without_gateway(name: str, command: Command | None = None) -> Unsafe:
    """An environment's egress gateway is gone."""

    @contextmanager
    def start(regions: Regions) -> Iterator[Command | None]:
        api, path = regions.regions[name].api, DEPLOYMENT.format("istio-egressgateway")
        found = api.get(path)
        assert found is not None
        api.delete(path)
        try:
            yield command
        finally:
            metadata = {key: found["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
            kept: dict[str, Any] = {key: found[key] for key in ("apiVersion", "kind", "spec")}
            api.create(path.rpartition("/")[0], kept | {"metadata": metadata})

    return start


@contextmanager
def unreachable(regions: Regions) -> Iterator[Command]:
    """Nobody listens where dr's API server should be."""
    yield as_user(kubeconfig_for(regions.regions["dr"], regions.folder, "any", server="https://127.0.0.1:1"))


@contextmanager
def cluster_of_prod(regions: Regions) -> Iterator[Command]:
    """--context names the other side's cluster."""
    yield ("--kubeconfig", str(regions.regions["prod"].kubeconfig), "--context", "sohistio-prod")


@contextmanager
def no_secret(regions: Regions) -> Iterator[None]:
    api = regions.regions["dr"].api
    found = api.get(SECRET)
    assert found is not None
    api.delete(SECRET)
    try:
        yield
    finally:
        kept = {key: found[key] for key in ("apiVersion", "kind", "type", "data")}
        metadata = {key: found["metadata"][key] for key in ("name", "namespace")}
        api.create(SECRET.rpartition("/")[0], kept | {"metadata": metadata})


def while_dr_is_named(*command: str) -> Unsafe:
    """DNS leads to dr, whose gateways are off."""

    @contextmanager
    def start(regions: Regions) -> Iterator[Command]:
        with records("dr")(regions):
            yield command

    return start


def as_user(kubeconfig: Path) -> Command:
    """Options for dr's cluster as somebody else."""
    return ("--kubeconfig", str(kubeconfig), "--context", "sohistio-dr")

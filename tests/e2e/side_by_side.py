"""An environment that drifted and its calm standby on two sandboxes, and others whose clusters are not there."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from certificates import tls_secret
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.record_store import RECORD_REF
from sohistio.model.kube_target import KubeTarget
from workloads import apply, await_running, deployment, namespace

HPA = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Fleet:
    box: Sandbox
    environments: Path
    kubeconfig: Path

    def without(self, name: str, *flags: str) -> tuple[subprocess.CompletedProcess[str], float]:
        """A look at all but one, and the seconds that it took."""
        aside = self.environments.parent / name
        (self.environments / name).rename(aside)
        begun = time.monotonic()
        try:
            return self.run(*flags), time.monotonic() - begun
        finally:
            aside.rename(self.environments / name)

    def command(self, *flags: str) -> list[str]:
        return self.box.command("status", "--environments", str(self.environments), *flags)

    def run(self, *flags: str) -> subprocess.CompletedProcess[str]:
        return self.box.run(*self.command(*flags)[3:], KUBECONFIG=str(self.kubeconfig))

    @property
    def environ(self) -> dict[str, str]:
        return self.box.environ(KUBECONFIG=str(self.kubeconfig))


def environment(folder: Path, name: str, **changes: Any) -> None:
    """As `local`, with other keys."""
    shipped = yaml.safe_load((CHECKOUT / "environments" / "local" / "environment.yaml").read_text())
    (folder / name).mkdir()
    (folder / name / "environment.yaml").write_text(yaml.safe_dump(shipped | {"name": name} | changes))


def kubeconfig(folder: Path, box: Sandbox, **servers: str) -> Path:
    """The sandbox's, with contexts of other servers."""
    document = yaml.safe_load(box.kubeconfig.read_text())
    (cluster,), (context,) = document["clusters"], document["contexts"]
    for name, server in servers.items():
        document["clusters"].append({"name": name, "cluster": cluster["cluster"] | {"server": server}})
        document["contexts"].append({"name": name, "context": context["context"] | {"cluster": name}})
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path


def install(fleet: Fleet, name: str) -> bool:
    flags = ("--environments", str(fleet.environments), "--env", name, "--yes")
    done = fleet.box.run("install", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return True


def spoil(fleet: Fleet) -> None:
    """A hand edit, pods that have no sidecar, a certificate that ends soon; and a sync that the standby remembers."""
    api = fleet.box.api
    api.request(
        "PATCH", HPA, query={"fieldManager": "kubectl-edit"}, body={"spec": {"maxReplicas": 7}}, content_type=MERGE
    )
    apply(api, namespace("shop", injected=False))
    apply(api, deployment("shop", "web"))
    await_running(api, "shop", 2)
    api.create("/api/v1/namespaces/istio-system/secrets", tls_secret("istio-system", "web-tls", days=9))
    servers = [
        {
            "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
            "tls": {"mode": "SIMPLE", "credentialName": "web-tls"},
            "hosts": ["web.example.com"],
        }
    ]
    gateway = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "web", "namespace": "istio-system"},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": servers},
    }
    api.create("/apis/networking.istio.io/v1/namespaces/istio-system/gateways", gateway)
    remember_a_sync(calm_api(fleet))


def calm_api(fleet: Fleet) -> KubeApi:
    return KubeApi(KubeTarget(fleet.box.kubeconfig.parents[1] / "calm" / "kubeconfig", "sohistio-calm"))


def remember_a_sync(api: KubeApi) -> None:
    """As the record has it after `sync` and a rehearsal, which take two meshes with traffic (test_sync.py)."""
    found = api.get(path_of(RECORD_REF))
    assert found is not None
    record = json.loads(found["data"]["record.json"])
    (installed,) = record["runs"]
    hour = 3600
    for mode, age in (("rehearse", 40 * 24 * hour), ("sync", 2 * 24 * hour + hour)):
        ended = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - age))
        record["runs"].insert(-1, installed | {"id": mode, "mode": mode, "ended": ended})
    record["syncLeft"] = 3
    api.merge_patch(path_of(RECORD_REF), {"data": {"record.json": json.dumps(record)}})

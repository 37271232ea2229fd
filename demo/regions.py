"""Two regions on this machine: sandboxes prod and dr with traffic, an application behind both, and a DNS zone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from application import deploy
from cold_start import cold
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.model.kube_target import KubeTarget
from sohistio.sandbox.traffic.name_server import KEY_NAME, NameServer
from sohistio.system.certificates import Authority
from sohistio.system.parallel import side_by_side

CHECKOUT = Path(__file__).parents[1]
HOST = "shop.corp.example.com"
ZONE = "corp.example.com"
LONGEST = 400
_READY_SECONDS = 90


@dataclass(frozen=True)
class Region:
    """One sandbox with traffic. `address` is where its ingress gateway answers."""

    name: str
    kubeconfig: Path
    address: str

    @property
    def context(self) -> str:
        """The one in its kubeconfig."""
        return f"sohistio-{self.name}"

    @property
    def api(self) -> KubeApi:
        """Its API server, as administrator."""
        return KubeApi(KubeTarget(self.kubeconfig, self.context))

    @property
    def record(self) -> dict[str, Any]:
        """What the sandbox's supervisor last wrote: its parts, with their processes."""
        found: dict[str, Any] = json.loads((self.kubeconfig.parent / "sandbox.json").read_text(encoding="utf-8"))
        return found


@dataclass
class Regions:
    """`folder` takes the environments, the zone and the certificates; `state_home` the sandboxes.

    `settings` are keys of `failover` in dr's environment that replace the usual ones; `ttl` is the record's, in
    seconds.
    """

    folder: Path
    state_home: Path
    settings: dict[str, Any] = field(default_factory=dict)
    ttl: int = 5
    authority: Authority = field(default_factory=lambda: Authority("the regions'"))
    regions: dict[str, Region] = field(default_factory=dict)
    dns: NameServer | None = None

    @property
    def environments(self) -> Path:
        """The folder of environments."""
        return self.folder / "environments"

    @property
    def ca(self) -> Path:
        """The authority of the application's certificate."""
        return self.folder / "ca.pem"

    def start(self) -> None:
        """Everything, until the application answers in prod."""
        side_by_side(lambda name: self.run("sandbox", "up", "--traffic", "--name", name), ("prod", "dr"))
        for name in ("prod", "dr"):
            number = json.loads(self.run("sandbox", "status", "--name", name, "-o", "json").stdout)["traffic"]["number"]
            kubeconfig = self.state_home / "sohistio" / "sandbox" / name / "kubeconfig"
            self.regions[name] = Region(name, kubeconfig, f"127.{100 + number}.2.10")
        records = {HOST.removesuffix(f".{ZONE}"): self.regions["prod"].address}
        self.dns = NameServer(self.folder / "zone", ZONE, records, ttl=self.ttl)
        self.dns.start()
        self.write_environments()
        side_by_side(self._fill, self.regions.values())

    def _fill(self, region: Region) -> None:
        self.run("install", "--env", region.name, "--yes", "--confirm", region.name)
        deploy(region.api, HOST, self.authority)

    def stop(self) -> None:
        """End all of it."""
        if self.dns is not None:
            self.dns.stop()
        for name in ("prod", "dr"):
            self.run("sandbox", "down", "--name", name)

    def write_environments(self, **failover: Any) -> None:
        """A copy of the shipped environments whose prod and dr are these; keys of `failover` replace the usual ones."""
        if not self.environments.exists():
            shutil.copytree(CHECKOUT / "environments", self.environments)
        self.ca.write_text(self.authority.certificate, encoding="utf-8")
        usual: dict[str, Any] = {
            "dns": self.usual_dns(),
            "probes": [{"url": f"https://{HOST}/health", "header": "x-region: {environment}", "ca": str(self.ca)}],
            "holdDown": "0s",
        }
        for name, region in self.regions.items():
            environment = {
                "name": name,
                "protected": True,
                "ingressAddress": region.address,
                "istio": {"hub": "docker.io/istio", "pullSecret": None},
                "cluster": {"sandbox": name},
                "applicationNamespaces": [],
            }
            if name == "dr":
                environment |= {"standbyOf": "prod", "failover": usual | self.settings | failover}
            (self.environments / name / "environment.yaml").write_text(yaml.safe_dump(environment), encoding="utf-8")

    def usual_dns(self) -> dict[str, Any]:
        """The key `failover.dns` of dr's environment. Raises RuntimeError before the start."""
        if self.dns is None:
            raise RuntimeError("the name server is not started")
        port = self.dns.port
        update = {"server": "127.0.0.1", "port": port, "keyName": KEY_NAME, "keyFile": str(self.dns.key_file)}
        return {
            "record": HOST,
            "zone": ZONE,
            "servers": [f"127.0.0.1:{port}"],
            "maxTtl": f"{2 * self.ttl}s",
            "rfc2136": update,
        }

    def environ(self) -> dict[str, str]:
        """What the commands see: nothing of the person's own kubeconfig, mirror or defaults."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith(("SOHISTIO_", "KUBE"))}
        return mine | {
            "XDG_STATE_HOME": str(self.state_home),
            "SOHISTIO_CONFIG": os.devnull,
            "SOHISTIO_ENVIRONMENTS": str(self.environments),
            "SOHISTIO_IP_PREFIX": "10.20",
            "SOHISTIO_SUBSCRIPTION": "11111111-2222-4333-8444-555555555555",
        }

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run sohistio to its end; no terminal."""
        done = self.process(arguments, self.environ(), LONGEST)
        if check and done.returncode:
            raise RuntimeError(f"sohistio {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def process(
        self, arguments: Sequence[str], env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """One command, however it is started."""
        return cold(arguments, cwd=CHECKOUT, env=env, timeout=timeout)


def until(done: Any, seconds: float = _READY_SECONDS) -> None:
    """Wait until it holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.2)

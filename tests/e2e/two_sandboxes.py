"""Two sandboxes side by side, prod and its standby dr, each with Istio; and the environments that name them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.custom_resources import custom_resources
from sohistio.system.parallel import side_by_side
from workloads import apply, namespace


@dataclass(frozen=True)
class NamedSandbox(Sandbox):
    """A sandbox of another name than `local`; its environment has the same name."""

    name: str = "local"

    @property
    def context(self) -> str:
        return f"sohistio-{self.name}"

    def has(self, *objects: dict[str, Any]) -> None:
        """Objects as their team's pipeline puts them there."""
        for obj in objects:
            self.api.apply(self.api.path_of(obj), obj, "pipeline", force=True)


@dataclass(frozen=True)
class Pair:
    """Both of them, with a folder of environments."""

    prod: NamedSandbox
    dr: NamedSandbox
    environments: Path

    def sync(self, *flags: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
        if kubeconfig is None:
            return self.dr.run(*self.command(*flags))
        return self.dr.run(*self.command(*flags), KUBECONFIG=str(kubeconfig))

    def command(self, *flags: str) -> tuple[str, ...]:
        return ("sync", "--from", "prod", "--to", "dr", "--environments", str(self.environments), *flags)

    def declare(self, name: str, **changes: Any) -> None:
        """Write an environment's file anew, with these keys laid over what it has by default."""
        declared: dict[str, Any] = {
            "name": name,
            "protected": True,
            "istio": {"hub": "docker.io/istio", "pullSecret": None},
            "cluster": {"sandbox": name},
            "applicationNamespaces": ["shop", "payments"],
        }
        declared |= {"standbyOf": "prod"} if name == "dr" else {"ingressAddress": "127.147.0.10"}
        (self.environments / name / "environment.yaml").write_text(yaml.safe_dump(declared | changes))

    def emptied(self) -> Pair:
        """Without custom resources, and with the default environments."""
        for name in ("prod", "dr"):
            self.declare(name)
        for api in (self.prod.api, self.dr.api):
            for item in custom_resources(api):
                api.delete(api.path_of(item))
        return self


@contextmanager
def two_sandboxes(folder: Path) -> Iterator[Pair]:
    """Started side by side, and gone afterwards."""
    home = folder / "state"
    prod, dr = (
        NamedSandbox(home, home / "sohistio" / "sandbox" / name / "kubeconfig", name) for name in ("prod", "dr")
    )
    environments = shutil.copytree(CHECKOUT / "environments", folder / "environments")
    pair = Pair(prod, dr, environments)
    try:
        ups = side_by_side(lambda box: box.run("sandbox", "up", "--name", box.name), (prod, dr))
        for box, up in zip((prod, dr), ups, strict=True):
            assert up.returncode == 0, up.stdout + up.stderr
            pair.declare(box.name)
        where = ("--environments", str(environments), "--yes")
        runs = [
            subprocess.Popen(
                box.command("install", "--env", box.name, *where, "--confirm", box.name),
                env=box.environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for box in (prod, dr)
        ]
        said = [run.communicate()[0] for run in runs]
        assert [run.returncode for run in runs] == [0, 0], "\n".join(said)
        for box in (prod, dr):
            for place in ("shop", "payments"):
                apply(box.api, namespace(place, injected=False))
        yield pair
    finally:
        for box in (prod, dr):
            box.run("sandbox", "down", "--name", box.name)

"""Two registries and an environment between them: what `sohistio images mirror` copies, and how it is run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from image_content import ImageContent, image_content
from json_schemas import check
from own_environments import own_environments
from registries import RealRegistry, Trust, auth_file
from registry_proxy import TroubledWay
from sandboxes import CHECKOUT, Sandbox
from token_server import TokenServer
from warm import WARM

VERSION = "1.31.1"
NAMES = ("install-cni", "pilot", "proxyv2", "ztunnel")
_SPEC: dict[str, Any] = {"components": {"cni": {"enabled": True}, "ztunnel": {"enabled": True}}}
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Registries:
    """The source (Basic, behind a way with trouble) and the target (tokens)."""

    trust: Trust
    source: RealRegistry
    way: TroubledWay
    target: RealRegistry
    tokens: TokenServer


@contextmanager
def registries(folder: Path) -> Iterator[Registries]:
    """Both running."""
    trust = Trust(folder)
    for name in ("source", "target"):
        (folder / name).mkdir()
    with (
        TokenServer(trust) as tokens,
        RealRegistry(folder / "source", trust) as source,
        TroubledWay(source) as way,
        RealRegistry(folder / "target", trust, tokens=tokens.url) as target,
    ):
        yield Registries(trust, source, way, target, tokens)


@dataclass(frozen=True)
class Mirror:
    """An environment whose hub is a path of its own at the target, and whose images are at a path of the source."""

    box: Sandbox
    both: Registries
    folder: Path
    path: str
    flags: tuple[str, ...]
    contents: dict[str, ImageContent]

    @property
    def lock(self) -> Path:
        return Path(self.flags[-1], "images.lock")

    @property
    def hub_path(self) -> str:
        """As JFrog has it: a repository, then Istio's own path."""
        return f"{self.path}-docker-local/istio"

    def variables(self) -> dict[str, str]:
        logins = auth_file(self.folder / "logins.json", self.both.way.host, self.both.target.host)
        return {
            "SSL_CERT_FILE": str(self.both.trust.bundle),
            "REGISTRY_AUTH_FILE": str(logins),
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
            "DOCKER_CONFIG": str(self.folder / "none"),
        }

    def command(self, *more: str) -> list[str]:
        return self.box.command("images", "mirror", *self.flags, *more)

    def environ(self, **variables: str) -> dict[str, str]:
        return self.box.environ(**(self.variables() | variables))

    def run(self, *more: str, **variables: str) -> Done:
        """`images mirror` of this environment."""
        return self.any("images", "mirror", *self.flags, *more, **variables)

    def any(self, *arguments: str, **variables: str) -> Done:
        """Any command, with the logins and the authority of both registries."""
        return WARM.run(arguments, cwd=CHECKOUT, env=self.environ(**variables), timeout=180)

    def document(self, *more: str, code: int = 0, **variables: str) -> dict[str, Any]:
        done = self.run(*more, "--output", "json", **variables)
        assert done.returncode == code, done.stdout + done.stderr
        return check(done.stdout, "ImageMirror")

    def states(self, document: dict[str, Any]) -> dict[str, str]:
        return {image["target"].rpartition("/")[2].partition(":")[0]: image["state"] for image in document["images"]}

    def is_there(self, name: str) -> bool:
        return self.both.target.has_all_of(f"{self.hub_path}/{name}", VERSION, self.contents[name])

    def push(self, name: str, content: ImageContent | None = None) -> None:
        """Put an image up at the source; a new one where none is given."""
        self.contents[name] = content or image_content()
        self.both.source.push(f"{self.path}/{name}", VERSION, self.contents[name])


def a_mirror(
    box: Sandbox, both: Registries, folder: Path, name: str, *, more: int = 0, **contents: ImageContent
) -> Mirror:
    """All images of a mesh with CNI and ambient are at the source, nothing is at the target or pinned.

    `more` images are of init containers of istiod's.
    """
    both.way.begin()
    both.way.headers.clear()
    hub = f"{both.target.host}/{name}-docker-local/istio"
    flags = own_environments(
        folder, istio={"hub": hub, "pinDigests": True}, images={"source": f"{both.way.host}/{name}"}
    )
    extra = [f"extra-{number}" for number in range(more)]
    spec = _with_containers({name: f"{hub}/{name}:{VERSION}" for name in extra}) if extra else _SPEC
    overlay = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    Path(flags[-1], "local", "istiooperator.yaml").write_text(yaml.safe_dump(overlay))
    made = Mirror(box, both, folder, name, flags, {})
    for image in (*NAMES, *extra):
        made.push(image, contents.get(image.replace("-", "_")))
    return made


def _with_containers(images: dict[str, str]) -> dict[str, Any]:
    containers = [{"name": name, "image": image} for name, image in images.items()]
    patch = {"path": "spec.template.spec.initContainers", "value": containers}
    overlay = {"kind": "Deployment", "name": "istiod", "patches": [patch]}
    return {"components": _SPEC["components"] | {"pilot": {"k8s": {"overlays": [overlay]}}}}


def pins(lock: Path) -> dict[str, str]:
    """Name of an image → its pin."""
    lines = [line.split() for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    return {image.rpartition("/")[2].partition(":")[0]: digest for digest, image in lines}

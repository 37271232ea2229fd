"""Whether nodes could pull the images: a real registry, and the pull Secrets of a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bind import RECORD, ZONE, Bind
from image_content import PLATFORMS, ImageContent, image_content
from json_schemas import check
from own_environments import own_environments
from registries import PASSWORD, USER, RealRegistry, Trust, free_port
from sandboxes import Sandbox
from sohistio.sandbox.modules import architecture
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

VERSION = "1.31.1"
NAMES = ("pilot", "proxyv2")
SOURCE = {"variables": {"username": "JFROG_USERNAME", "password": "JFROG_PASSWORD"}}
CACHES = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Hub:
    """The registry of the environment's images, and the sandbox that has the cluster."""

    box: Sandbox
    registry: RealRegistry
    contents: Mapping[str, ImageContent]

    @property
    def place(self) -> str:
        return f"{self.registry.host}/istio"

    def environment(self, folder: Path, images: dict[str, Any] | None = None, **istio: Any) -> tuple[str, ...]:
        own = {"hub": self.place, "pullSecret": "jfrogauth", "pullSecretSource": SOURCE}
        more = {"images": images} if images else {}
        return own_environments(folder, istio=own | istio, applicationNamespaces=["shop"], **more)

    def run(self, *command: str, password: str = PASSWORD, **variables: str) -> Done:
        given = {"JFROG_USERNAME": USER, "JFROG_PASSWORD": password, "SSL_CERT_FILE": str(self.registry.trust.bundle)}
        done = self.box.run(*command, **(given | variables))  # type: ignore[arg-type]
        assert password not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def check(self, flags: tuple[str, ...], *more: str, code: int = 0, **variables: str) -> dict[str, list[str]]:
        """What each check says, as `result: message → hint`."""
        before = self.box.writes()
        done = self.run("images", "check", *flags, *more, "--output", "json", **variables)
        assert done.returncode == code, done.stdout + done.stderr
        assert self.box.writes() == before
        found: dict[str, list[str]] = {}
        for one in check(done.stdout, "Preflight")["checks"]:
            word = one["severity"] if one["result"] == "failed" else one["result"]
            found.setdefault(one["name"], []).append(f"{word}: {one['message']} → {one['hint']}")
        return found


@pytest.fixture(scope="module")
def hub(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("registry")
    trust = Trust(folder)
    contents = {name: image_content() for name in NAMES}
    sandbox.reset()
    with RealRegistry(folder, trust) as registry:
        for name, content in contents.items():
            registry.push(f"istio/{name}", VERSION, content)
        apply(sandbox.api, namespace("shop"))
        yield Hub(sandbox, registry, contents)


def secret(place: str, host: str, password: str) -> dict[str, Any]:
    """Somebody else's."""
    config = json.dumps({"auths": {host: {"username": USER, "password": password}}})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "jfrogauth", "namespace": place},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": b64encode(config.encode()).decode()},
    }


def test_before_the_first_install_with_the_login_that_will_be_written(hub: Hub, tmp_path: Path) -> None:
    flags = hub.environment(tmp_path)
    found = hub.check(flags)
    assert found["images"] == [f"passed: pilot:1.31.1, proxyv2:1.31.1 can be pulled from {hub.place} → "]
    assert found["image-platforms"] == [f"passed: the images are for {', '.join(PLATFORMS)} → "]
    assert found["image-signatures"] == ["skipped: the environment has no images.cosignKey → "]
    assert set(found) == {"pull-secret", "image-hubs", "images", "image-platforms", "image-signatures"}

    (said, *others) = hub.check(flags, code=3, password="wrong-word")["images"]
    refusal = f"{hub.registry.host} refuses the login of Secret jfrogauth in istio-system, shop for proxyv2"
    assert any(refusal in line for line in (said, *others)), (said, others)
    before = hub.box.writes()
    done = hub.run("install", *flags, "--yes", password="wrong-word")
    assert (done.returncode, hub.box.writes()) == (3, before)
    assert "refuses the login of Secret jfrogauth" in " ".join(done.stderr.split())


def test_each_secret_of_the_cluster_is_used_for_its_own_pods(hub: Hub, tmp_path: Path) -> None:
    flags = hub.environment(tmp_path)
    done = hub.run("install", *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in hub.check(flags)["images"][0]
    apply(hub.box.api, namespace("theirs"))
    hub.box.api.create("/api/v1/namespaces/theirs/secrets", secret("theirs", hub.registry.host, "their-own"))
    try:
        (said,) = hub.check(flags, code=3)["images"]
        assert f"{hub.registry.host} refuses the login of Secret jfrogauth in theirs for proxyv2" in said
    finally:
        hub.box.api.delete("/api/v1/namespaces/theirs")


def test_a_standbys_readiness_has_what_its_pods_are_made_of(hub: Hub, tmp_path: Path) -> None:
    """No istioctl says it, but the cluster: the gateways' Deployments and the injector."""
    path = "/api/v1/namespaces/istio-system/secrets/jfrogauth"
    right = hub.box.api.get(path)
    assert right is not None
    (tmp_path / "bind").mkdir()
    with Bind(tmp_path / "bind") as bind:
        bind.change("127.147.0.10")
        dns = {"record": RECORD.name, "zone": ZONE, "servers": [str(bind.server)], "manual": {"instructions": "call"}}
        istio = {"hub": hub.place, "pullSecret": "jfrogauth", "pullSecretSource": SOURCE}
        standby = {"standbyOf": "qa", "failover": {"dns": dns, "probes": []}}
        flags = own_environments(tmp_path, istio=istio, applicationNamespaces=["shop"], **standby)

        def readiness() -> tuple[str, str]:
            done = hub.run("check", *flags, "--output", "json")
            (found,) = [one for one in json.loads(done.stdout)["checks"] if one["name"] == "failover-images"]
            return found["result"], found["message"]

        assert readiness() == ("passed", f"proxyv2:1.31.1 can be pulled from {hub.place}")
        hub.box.api.merge_patch(path, {"data": secret("", hub.registry.host, "their-own")["data"]})
        try:
            result, said = readiness()
        finally:
            hub.box.api.merge_patch(path, {"data": right["data"]})
    assert result == "failed"
    assert f"{hub.registry.host} refuses the login of Secret jfrogauth in istio-system for proxyv2" in said


def test_images_that_are_missing_others_or_for_other_nodes(hub: Hub, tmp_path: Path) -> None:
    flags = hub.environment(tmp_path)
    missing = hub.check(flags, "--version", "1.30.5", code=3)["images"]
    assert [line.partition(" → ")[0] for line in missing] == [
        f"error: {hub.place}/{name}:1.30.5 is not there" for name in NAMES
    ]
    assert all("`sohistio images mirror --env local --version 1.30.5`" in line for line in missing)

    lock = Path(flags[-1], "images.lock")
    pins = {"pilot": hub.contents["pilot"].digest, "proxyv2": f"sha256:{'0' * 64}"}
    lock.write_text("".join(f"{digest}  docker.io/istio/{name}:{VERSION}\n" for name, digest in pins.items()))
    (other,) = hub.check(flags, code=3)["images"]
    shown = hub.contents["proxyv2"].digest[:19]
    assert f"{hub.place}/proxyv2:1.31.1 is {shown} there, sha256:000000000000 in images.lock" in other

    foreign = "arm64" if architecture() == "amd64" else "amd64"
    hub.registry.push("narrow/pilot", VERSION, hub.contents["pilot"])
    hub.registry.push("narrow/proxyv2", VERSION, image_content((f"linux/{foreign}",)))
    narrow = f"{hub.registry.host}/narrow"
    found = hub.check(hub.environment(tmp_path, hub=narrow), code=3)["image-platforms"]
    nodes = len(hub.box.api.items("/api/v1/nodes"))
    assert len(found) == 1
    assert f"{narrow}/proxyv2:1.31.1 has no linux/{architecture()}, and {nodes} nodes are of it" in found[0]


def test_pinned_images_are_asked_for_by_digest(hub: Hub, tmp_path: Path) -> None:
    flags = hub.environment(tmp_path, pinDigests=True)
    lock = "".join(f"{hub.contents[name].digest}  docker.io/istio/{name}:{VERSION}\n" for name in NAMES)
    Path(flags[-1], "images.lock").write_text(lock)
    with hub.registry.counted() as requests:
        assert "passed" in hub.check(flags)["images"][0]
    asked = {request.path.rpartition("/")[2] for request in requests}
    assert asked == {content.digest for content in hub.contents.values()}
    assert not any(request.is_blob_read for request in requests)


def test_the_list_has_platforms_where_the_hub_answers(hub: Hub, tmp_path: Path) -> None:
    """With the login of this user, not the pull Secret's."""
    flags = hub.environment(tmp_path)

    def platforms(**variables: str) -> list[list[str] | None]:
        done = hub.run("images", "list", *flags, "--output", "json", **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return [image["platforms"] for image in check(done.stdout, "ImageList")["images"]]

    own = {"SOHISTIO_REGISTRY_USERNAME": USER, "SOHISTIO_REGISTRY_PASSWORD": PASSWORD}
    assert platforms(**own) == [list(PLATFORMS)] * len(NAMES)
    assert platforms(**own, SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt") == [None] * len(NAMES)
    nobody = hub.run("images", "list", *flags, HOME=str(tmp_path), XDG_CACHE_HOME=CACHES)
    assert nobody.returncode == 0
    assert "platforms are not known" in nobody.stderr
    assert "not known" in nobody.stdout


def test_a_registry_that_does_not_answer_stops_nothing(hub: Hub, tmp_path: Path) -> None:
    silent = f"127.0.0.1:{free_port()}"
    done = hub.check(hub.environment(tmp_path, hub=f"{silent}/istio"))["images"]
    assert [line.startswith(f"warning: {silent} could not be asked from here") for line in done] == [True]


def test_the_sandbox_pulls_nothing_from_elsewhere(hub: Hub) -> None:
    done = hub.box.run("images", "check", "--env", "local", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {one["name"]: one["message"] for one in check(done.stdout, "Preflight")["checks"]}
    assert found["images"] == "not looked at: the sandbox pulls no images"


def test_a_public_hub_that_closes_in_the_environments_own_files(hub: Hub, tmp_path: Path) -> None:
    flags = hub.environment(tmp_path, {"source": "registry.istio.io/release"})
    overlay = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  values:\n"
    file = Path(flags[-1], "local", "istiooperator.yaml")
    file.write_text(f"{overlay}    pilot: {{image: 'gcr.io/istio-release/pilot:{VERSION}'}}\n")
    found = hub.check(flags)["image-hubs"]
    why = "closes around December 2026"
    assert [line.partition(" → ")[0] for line in found if line.startswith("warning")] == [
        f"warning: images.source of local is registry.istio.io/release, and registry.istio.io {why}",
        f"warning: values.pilot.image of local is gcr.io/istio-release/pilot:{VERSION}, and gcr.io/istio-release {why}",
    ]


COSIGN = """\
#!/bin/sh
# Plays cosign, which is not to be had here: it notes how it was asked, and knows one image that is not signed.
{ echo "$@"; ls -l "$DOCKER_CONFIG/config.json"; } >> "$HOME/asked"
case "$*" in *proxyv2*) echo "Error: no matching signatures" >&2; exit 1;; esac
"""


def test_signatures(hub: Hub, tmp_path: Path) -> None:
    flags = hub.environment(tmp_path, {"cosignKey": "cosign.pub"})
    assert hub.check(flags)["image-signatures"] == ["skipped: cosign is not in PATH → "]
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "cosign").write_text(COSIGN)
    (programs / "cosign").chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    variables = {"PATH": path, "HOME": str(tmp_path), "XDG_CACHE_HOME": CACHES}
    found = hub.check(flags, code=3, **variables)["image-signatures"]
    assert [line.partition(" → ")[0] for line in found] == [
        f"passed: {hub.place}/pilot:1.31.1 is signed with cosign.pub",
        f"error: {hub.place}/proxyv2:1.31.1: Error: no matching signatures",
    ]
    asked = (tmp_path / "asked").read_text().splitlines()
    pinned = [f"{hub.place}/{name}@{hub.contents[name].digest}" for name in NAMES]
    assert asked[::2] == [f"verify --private-infrastructure --key cosign.pub {image}" for image in pinned]
    assert all(line.startswith("-rw-------") for line in asked[1::2])
    assert not list((hub.box.state_home / "sohistio").rglob("config.json")), "the login's file is gone"

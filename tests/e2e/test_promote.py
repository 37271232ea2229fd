"""`sohistio promote`: a real cluster and registry give the evidence, and a file of the next environment is changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from image_content import image_content
from json_schemas import check
from own_environments import own_environments
from registries import PASSWORD, USER, RealRegistry, Trust
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef

pytestmark = pytest.mark.e2e

VERSION = "1.31.1"
NAMES = ("pilot", "proxyv2")
NEXT = """\
name: next
promotesFrom: local # the sandbox tries it first
istio:
  version: 1.30.5 # CHG-7
  hub: {hub}
  pullSecret: null
ingressAddress: 127.147.0.20
cluster:
  sandbox: local # never asked
"""


@dataclass
class World:
    """The environment `local` with a mesh, and `next` whose file is to follow it."""

    box: Sandbox
    registry: RealRegistry
    root: Path
    skipped: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.root / "next/environment.yaml"

    def run(self, *more: str, to: str = "next", **variables: str) -> subprocess.CompletedProcess[str]:
        """Writes nothing to the cluster, whatever it says."""
        before = self.box.writes()
        given = {
            "SOHISTIO_REGISTRY_USERNAME": USER,
            "SOHISTIO_REGISTRY_PASSWORD": PASSWORD,
            "SSL_CERT_FILE": str(self.registry.trust.bundle),
            "DOCKER_CONFIG": str(self.root / "none"),
        }
        done = self.box.run("promote", "--to", to, "--environments", str(self.root), *more, **(given | variables))  # type: ignore[arg-type]
        assert self.box.writes() == before
        assert PASSWORD not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def document(self, *more: str, code: int = 0) -> dict[str, Any]:
        done = self.run(*more, "--output", "json")
        assert done.returncode == code, done.stdout + done.stderr
        return check(done.stdout, "Promotion")

    def against(self, *more: str) -> dict[str, list[str]]:
        """The checks that do not hold, with what they say; the diff is there all the same, and nothing is written."""
        before = self.file.read_bytes()
        found = self.document(*more, "--write", code=3)
        assert found["result"] == "failed"
        assert f"+  version: {VERSION} # CHG-7" in found["diff"]
        assert (found["written"], self.file.read_bytes()) == (False, before)
        self.skipped = [item["name"] for item in found["checks"] if item["result"] == "skipped"]
        said: dict[str, list[str]] = {}
        for item in found["checks"]:
            if item["result"] == "failed":
                said.setdefault(item["name"], []).append(item["message"])
        return said


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    folder = tmp_path_factory.mktemp("registry")
    with RealRegistry(folder, Trust(folder)) as running:
        for name in NAMES:
            running.push(f"istio/{name}", VERSION, image_content())
        yield running


@pytest.fixture(scope="module")
def mesh(sandbox: Sandbox) -> Sandbox:
    sandbox.with_mesh()
    return sandbox


@pytest.fixture
def world(mesh: Sandbox, registry: RealRegistry, tmp_path: Path) -> World:
    root = Path(own_environments(tmp_path)[-1])
    made = World(mesh, registry, root)
    made.file.parent.mkdir()
    made.file.write_text(NEXT.format(hub=f"{registry.host}/istio"))
    return made


def test_what_has_run_is_proposed_then_written_and_then_there_is_nothing_left(world: World) -> None:
    before = world.file.read_text()
    done = world.run("--from", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "local → next: next gets what local has"
    assert {line for line in lines if line.startswith(("+ ", "- "))} == {
        "-  version: 1.30.5 # CHG-7",
        f"+  version: {VERSION} # CHG-7",
    }
    held = [line.split()[1] for line in lines if line.startswith("√")]
    assert held == ["version", "installed", "last-run", "soak", "no-drift", "verified", "images"]
    assert f"pilot:{VERSION}, proxyv2:{VERSION} are in {world.registry.host}/istio" in done.stdout
    assert "each environment has its own: applicationNamespaces, gateways, ingressAddress, istio.hub" in done.stdout
    assert "left to you" not in done.stdout
    assert lines[-1].startswith("Nothing speaks against it. Nothing was written: --write writes ")
    assert world.file.read_text() == before

    found = world.document("--write")
    assert (found["result"], found["written"], found["next"]) == ("passed", True, "sohistio plan --env next")
    assert found["promoted"] == [{"key": "istio.version", "before": "1.30.5", "after": VERSION}]
    assert world.file.read_text() == before.replace("1.30.5", VERSION)
    assert world.document()["result"] == "nothingToPromote"


def test_an_image_that_is_not_mirrored_or_not_pinned(world: World) -> None:
    world.file.write_text(NEXT.format(hub=f"{world.registry.host}/elsewhere\n  pinDigests: true"))
    assert world.against() == {
        "images": [
            *(f"{world.registry.host}/elsewhere/{name}:{VERSION} is not there" for name in NAMES),
            f"not in images.lock: pilot:{VERSION}, proxyv2:{VERSION}",
        ]
    }
    world.file.write_text(NEXT.format(hub=f"{world.registry.host}/istio"))
    denied = world.run(SOHISTIO_REGISTRY_PASSWORD="wrong-word")
    assert denied.returncode == 3
    assert "1 check speaks against it: images. Nothing was written." in denied.stdout


def test_drift_and_what_verify_finds(world: World) -> None:
    budget = path_of(ObjectRef("PodDisruptionBudget", ISTIO_NAMESPACE, "istiod"))
    found = world.box.api.get(budget)
    assert found is not None
    try:
        world.box.api.delete(budget)
        against = world.against()
        assert "an install would do something: reinstall" in against["no-drift"][0]
        assert "disruption-budget" in against["verified"][0]
    finally:
        metadata = {key: found["metadata"][key] for key in ("name", "namespace", "labels")}
        world.box.api.create(budget.rpartition("/")[0], found | {"metadata": metadata})


def test_too_soon_and_a_run_that_failed(world: World) -> None:
    record = path_of(ObjectRef("ConfigMap", ISTIO_NAMESPACE, "sohistio-record"))
    kept = (world.box.api.get(record) or {})["data"]["record.json"]
    assert "less than 72h" in world.against("--soak", "3d")["soak"][0]
    document = json.loads(kept)
    document["runs"].append(document["runs"][-1] | {"id": "bad", "outcome": "failed", "lastStep": "verify/mesh"})
    try:
        world.box.api.merge_patch(record, {"data": {"record.json": json.dumps(document)}})
        against = world.against("--soak", "3d")
        assert "failed at step verify/mesh" in against["last-run"][0]
        assert "does not say since when" in against["soak"][0]
        document["runs"] = []
        world.box.api.merge_patch(record, {"data": {"record.json": json.dumps(document)}})
        against = world.against()
        assert "does not say who installed" in against["last-run"][0]
        assert set(against) == {"last-run", "soak"}
    finally:
        world.box.api.merge_patch(record, {"data": {"record.json": kept}})


def test_a_source_that_cannot_be_reached(world: World) -> None:
    local = world.root / "local/environment.yaml"
    kept = local.read_text()
    local.write_text(kept.replace("cluster:\n  sandbox: local", "cluster:\n  sandbox: gone"))
    assert set(world.against()) == {"source-cluster"}
    assert world.skipped == ["installed", "last-run", "soak", "no-drift", "verified"]

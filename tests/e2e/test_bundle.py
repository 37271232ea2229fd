"""A bundle made where the internet is, and used where no registry of it can be reached."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from json_schemas import check
from mirrors import NAMES, Done, Mirror, pins
from registry_proxy import Trouble, until
from sandboxes import CHECKOUT
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.e2e


def bundled(mirror: Mirror, out: Path, *more: str) -> Done:
    # The sandbox's mirror has istioctl for this machine only.
    return mirror.any("bundle", *mirror.flags, "--out", str(out), "--platform", "linux-amd64", *more)


def test_a_bundle_fills_the_hub_without_the_source(mirror: Mirror, tmp_path: Path) -> None:
    out = tmp_path / "qa.tar"
    (Path(mirror.flags[-1]) / "local" / "tsig.key").write_text("a secret")
    made = bundled(mirror, out, "-o", "json")
    assert made.returncode == 0, made.stderr
    document = check(made.stdout, "BundleMade")
    assert {item["source"].rpartition("/")[2].partition(":")[0] for item in document["images"]} == set(NAMES)
    assert not mirror.lock.exists(), "a bundle does not write the pins of this folder"
    with tarfile.open(out) as tar:
        paths = tar.getnames()
    assert paths[0] == "bundle.json"
    assert {"environments/images.lock", "images/index.json", "images/oci-layout"} <= set(paths)
    assert not any(path.endswith(".key") for path in paths)
    assert sorted(item.name for item in tmp_path.iterdir() if item.name.startswith(".qa")) == []

    # Nobody answers at the source from here on.
    with mirror.both.source.counted() as asked:
        done = mirror.any("images", "mirror", *mirror.flags[:2], "--bundle", str(out), "-o", "json")
    assert done.returncode == 0, done.stderr
    assert mirror.states(check(done.stdout, "ImageMirror")) == dict.fromkeys(NAMES, "copied")
    assert all(map(mirror.is_there, NAMES))
    assert asked == []
    again = mirror.any("images", "mirror", *mirror.flags[:2], "--bundle", str(out))
    assert "nothing was written" in again.stdout


def nodes_pull(mirror: Mirror) -> set[str]:
    """The sandbox pulls nothing: a client of the registry fetches all that the cluster's pods name. Which images."""
    found = set()
    for pod in mirror.box.api.items("/api/v1/pods"):
        for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]:
            host, _, rest = container["image"].partition("/")
            if host == mirror.both.target.host:
                name, _, digest = rest.partition("@")
                path = name.rpartition(":")[0]
                found.add(path.rpartition("/")[2])
                assert mirror.both.target.pulled_by_a_node(path, digest) > 0
    return found


def test_install_and_check_take_istioctl_from_it(mirror: Mirror, tmp_path: Path) -> None:
    out = tmp_path / "qa.tar"
    assert bundled(mirror, out).returncode == 0
    assert mirror.any("images", "mirror", "--env", "local", "--bundle", str(out)).returncode == 0
    nowhere = {"SOHISTIO_ISTIO_MIRROR": "https://127.0.0.1:1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    without = mirror.any("install", *mirror.flags, "--yes", **nowhere)
    assert without.returncode == 3
    done = mirror.any("install", "--env", "local", "--bundle", str(out), "--yes", **nowhere)
    assert done.returncode == 0, done.stdout + done.stderr
    istiod = mirror.box.api.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod")
    assert istiod is not None
    image = istiod["spec"]["template"]["spec"]["containers"][0]["image"]
    apply(mirror.box.api, namespace("bundled"))
    apply(mirror.box.api, deployment("bundled", "web"))
    await_running(mirror.box.api, "bundled", 1)
    assert nodes_pull(mirror) == set(NAMES)
    mirror.box.api.delete("/api/v1/namespaces/bundled")
    pilot = mirror.contents["pilot"].digest
    assert image == f"{mirror.both.target.host}/{mirror.hub_path}/pilot:1.31.1@{pilot}", (
        "the bundle's environments and pins"
    )
    assert "127.0.0.1:1" not in done.stderr
    checked = mirror.any("check", "--env", "local", "--bundle", str(out), "-o", "json", **nowhere)
    found = {item["name"]: item["result"] for item in json.loads(checked.stdout)["checks"]}
    assert found["istioctl"] == "passed"
    wrong = mirror.any("install", "--env", "local", "--bundle", str(out), "--version", "1.30.5", "--yes", **nowhere)
    assert wrong.returncode == 3
    assert "the bundle has no istioctl-1.30.5-linux-amd64.tar.gz" in wrong.stderr


def test_what_is_not_right_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    out = tmp_path / "qa.tar"
    assert bundled(mirror, tmp_path / "nowhere" / "qa.tar").returncode == 2
    for no_file in (tmp_path, Path("/dev/null")):
        refused = bundled(mirror, no_file)
        assert (refused.returncode, f"{no_file} is there, and is no file" in refused.stderr) == (2, True)
    assert Path("/dev/null").is_char_device()
    wrong = bundled(mirror, out, "--platform", "solaris-sparc")
    assert (wrong.returncode, "'solaris-sparc' is none" in wrong.stderr) == (2, True)
    missing = bundled(mirror, out, "--platform", "osx-arm64")
    assert (missing.returncode, "no istioctl 1.31.1 for osx-arm64" in missing.stderr) == (3, True)
    gone = bundled(mirror, out, "--version", "1.30.5")
    assert (gone.returncode, "does not have every image of Istio 1.30.5" in gone.stderr) == (3, True)
    assert not out.exists()
    out.write_bytes(b"no bundle")
    refused = mirror.any("images", "mirror", "--env", "local", "--bundle", str(out))
    assert (refused.returncode, "cannot be used" in refused.stderr) == (3, True)


def test_what_a_killed_one_left_goes_with_the_next(mirror: Mirror, tmp_path: Path) -> None:
    out = tmp_path / "qa.tar"
    mirror.both.way.begin(Trouble("GET .*/blobs/", times=1000, pause=60))
    mirror.both.way.seen.clear()
    command = mirror.box.command("bundle", *mirror.flags, "--out", str(out), "--platform", "linux-amd64")
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=mirror.environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    until(lambda: any("/blobs/" in request for request in mirror.both.way.seen), 60)
    process.kill()
    process.communicate(timeout=20)
    left = [item for item in tmp_path.iterdir() if item.name.startswith(".qa.tar-")]
    assert len(left) == 1
    mirror.both.way.begin()
    # As a disk that is full: no file may become larger than this, which istioctl's archive is.
    small = ("sh", "-c", 'ulimit -f 16384; exec "$@"', "sh", *command)
    full = subprocess.run(small, cwd=CHECKOUT, env=mirror.environ(), capture_output=True, text=True, check=False)
    assert full.returncode == 3, full.stdout + full.stderr
    assert f"no room for the bundle in {tmp_path}" in " ".join(full.stderr.split())
    assert "XDG_CACHE_HOME" not in full.stderr
    assert [item for item in tmp_path.iterdir() if item.name.startswith(".qa.tar") or item == out] == []
    assert bundled(mirror, out).returncode == 0
    assert [item for item in tmp_path.iterdir() if item.name.startswith(".qa.tar")] == []


def test_a_pin_wins_over_a_tag_that_moved(mirror: Mirror, tmp_path: Path) -> None:
    assert mirror.run().returncode == 0
    before = pins(mirror.lock)
    mirror.push("proxyv2")
    out = tmp_path / "qa.tar"
    document = check(bundled(mirror, out, "-o", "json").stdout, "BundleMade")
    digests = {item["source"].rpartition("/")[2].partition(":")[0]: item["digest"] for item in document["images"]}
    assert digests == before

"""Digests in place of tags alone: an install, an upgrade, and switching it on and off, on a real mesh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from own_environments import own_environments
from sandboxes import Sandbox
from workloads import apply, await_running, deployment, namespace, path_of, pods_of

pytestmark = pytest.mark.e2e

HUB = "docker.io/istio"
APPS = "/apis/apps/v1/namespaces/istio-system/deployments"
VERSIONS = ("1.30.5", "1.31.1")
DIGESTS = {
    f"{HUB}/{name}:{version}": f"sha256:{str(number) * 64}"
    for number, (name, version) in enumerate((n, v) for n in ("pilot", "proxyv2") for v in VERSIONS)
}
WEB = deployment("shop", "web")


def pinned(image: str) -> str:
    return f"{image}@{DIGESTS[image]}"


def environment(folder: Path, *, pins: bool, lock: dict[str, str] = DIGESTS) -> tuple[str, ...]:
    flags = own_environments(folder, istio={"pinDigests": pins}, applicationNamespaces=["shop"])
    Path(flags[-1], "images.lock").write_text("".join(f"{digest}  {image}\n" for image, digest in lock.items()))
    return flags


def image_of(box: Sandbox, name: str) -> str:
    found = box.api.get(f"{APPS}/{name}")
    assert found is not None
    (container,) = found["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def sidecars(box: Sandbox) -> set[str]:
    """The images that the injector gave to the pods of web, init container and proxy."""
    pods = [pod["spec"] for pod in pods_of(box.api, "shop", "web")]
    return {item["image"] for spec in pods for item in (*spec["initContainers"], *spec["containers"][1:])}


def names(box: Sandbox) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods_of(box.api, "shop", "web")}


def install(box: Sandbox, flags: tuple[str, ...], version: str = VERSIONS[1]) -> str:
    done = box.run("install", *flags, "--version", version, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def unchanged(box: Sandbox, flags: tuple[str, ...], version: str = VERSIONS[1]) -> None:
    before = box.writes()
    assert "nothing was written" in install(box, flags, version)
    assert box.writes() == before


def plan(box: Sandbox, flags: tuple[str, ...]) -> dict[str, Any]:
    done = box.run("plan", *flags, "--output", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_image_without_a_pin_is_refused(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    pilot = f"{HUB}/pilot:1.31.1"
    flags = environment(tmp_path, pins=True, lock={pilot: DIGESTS[pilot]})
    for command in (("install", "--yes"), ("plan",), ("render",)):
        done = empty_sandbox.run(command[0], *flags, *command[1:])
        assert done.returncode == 3, done.stdout + done.stderr
        assert f"images.lock has no digest for {HUB}/proxyv2:1.31.1" in done.stderr
        assert "`sohistio images mirror --env local --version 1.31.1`" in done.stderr
    assert empty_sandbox.writes() == []
    assert empty_sandbox.run("images", "list", *flags).returncode == 0


def test_a_mesh_with_pins_is_installed_and_upgraded(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    """One chain, each part the beginning of the next."""
    box = empty_sandbox
    on, off = environment(tmp_path, pins=True), environment(tmp_path, pins=False)
    apply(box.api, namespace("shop"))

    install(box, on, "1.30.5")
    assert image_of(box, "istiod") == pinned(f"{HUB}/pilot:1.30.5")
    assert {image_of(box, f"istio-{kind}gateway") for kind in ("ingress", "egress")} == {
        pinned(f"{HUB}/proxyv2:1.30.5")
    }
    unchanged(box, on, "1.30.5")
    apply(box.api, WEB)
    await_running(box.api, "shop", 2)
    assert sidecars(box) == {pinned(f"{HUB}/proxyv2:1.30.5")}

    planned = plan(box, on)
    assert (planned["mode"], planned["installedVersion"]) == ("upgrade", "1.30.5")
    install(box, on)
    proxy = f"{HUB}/proxyv2:1.31.1"
    assert sidecars(box) == {pinned(proxy)}
    unchanged(box, on)
    assert box.run("verify", *on).returncode == 0
    checked = json.loads(box.run("check", *on, "--output", "json").stdout)["checks"]
    assert [check["message"] for check in checks_named(checked, "image-hubs")] == [f"Istio's images come from {HUB}"]

    of_before = names(box)
    planned = plan(box, off)
    assert (planned["mode"], planned["installedVersion"]) == ("reinstall", "1.31.1")
    assert "sidecars/restart" not in steps(planned), "what its tag says, a pinned pod has"
    install(box, off)
    assert (image_of(box, "istiod"), names(box)) == (f"{HUB}/pilot:1.31.1", of_before)
    unchanged(box, off)

    assert "sidecars/restart" not in steps(plan(box, on)), "the pods have the pin"
    box.api.delete(f"/api/v1/namespaces/shop/pods/{min(of_before)}")
    await_running(box.api, "shop", 2)
    assert sidecars(box) == {proxy, pinned(proxy)}
    assert "sidecars/restart" in steps(plan(box, on)), "what a tag led to is not known"
    shown = install(box, on)
    assert f"restart 1 workload without the sidecar proxyv2:1.31.1@{DIGESTS[proxy][:19]}" in shown
    assert sidecars(box) == {pinned(proxy)}
    found = box.api.get(path_of(WEB))
    assert found is not None
    assert found["spec"]["template"]["metadata"]["annotations"]["sohistio/restarted-for"] == pinned(proxy)
    unchanged(box, on)


def checks_named(checks: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [check for check in checks if check["name"] == name]


def steps(planned: dict[str, Any]) -> list[str]:
    return [step["id"] for phase in planned["phases"] for step in phase["steps"]]

"""A first install and an upgrade, beside `istioctl install` with the same waits (careful.sh).

Pods take ten seconds to become ready, as they do on AKS with their images on the nodes: on a sandbox where they
are ready at once there would be nothing to wait for. The hub is a registry that answers: a machine that reaches none
would measure how long its name is looked up.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench_table import Table
from bench_world import World
from image_content import image_content
from measured import Row, Run, in_turn, wall
from own_environments import own_environments
from registries import RealRegistry, Trust
from sandboxes import Sandbox
from test_adopt import previous_istioctl

pytestmark = pytest.mark.bench

ROUNDS = 2
OLD, NEW = "1.30.5", "1.31.1"
SLOW = {"path": "spec.template.metadata.labels.sandbox\\.sohistio/slow", "value": "10s"}


def slow_world(world: World, folder: Path, hub: RealRegistry) -> World:
    """An environment whose pods take a while, and whose images are at this hub."""

    def slow(name: str) -> dict[str, object]:
        return {"k8s": {"overlays": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "patches": [SLOW]}]}}

    lists = {
        f"{kind}Gateways": [{"name": name} | slow(name)]
        for kind, name in (("ingress", "istio-ingressgateway"), ("egress", "istio-egressgateway"))
    }
    for name in ("pilot", "proxyv2"):
        for version in (OLD, NEW):
            hub.push(f"istio/{name}", version, image_content())
    flags = own_environments(folder, istio={"hub": f"{hub.host}/istio"})
    spec = {"components": {"pilot": slow("istiod")} | lists}
    overlay = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    (Path(flags[-1]) / "local" / "istiooperator.yaml").write_text(json.dumps(overlay), encoding="utf-8")
    return replace(world, folder=folder, flags=flags)


def test_first_install_and_upgrade(world: World, table: Table, tmp_path: Path) -> None:
    """sohistio also checks before, backs up, and verifies."""
    (tmp_path / "hub").mkdir()
    with RealRegistry(tmp_path / "hub", Trust(tmp_path), anonymous=True) as hub:
        rows = first_install_and_upgrade(world.box, slow_world(world, tmp_path, hub), str(hub.trust.bundle))
    assert [row for row in map(table.add, rows) if not row.met] == []


def first_install_and_upgrade(box: Sandbox, slow: World, trusted: str) -> list[Row]:
    older = previous_istioctl(box).path

    def fresh() -> None:
        done = box.run("sandbox", "reset")
        assert done.returncode == 0, done.stderr

    def install() -> Run:
        fresh()
        return slow.sohistio("install", "--version", OLD, SSL_CERT_FILE=trusted)

    def stock_install() -> Run:
        fresh()
        return slow.careful(version=OLD, istioctl=older)

    def upgrade() -> Run:
        install()
        return slow.sohistio("install", "--yes", SSL_CERT_FILE=trusted)

    def stock_upgrade() -> Run:
        stock_install()
        return slow.careful("upgrade")

    rows = []
    for what, ours, theirs in (("first install", install, stock_install), ("upgrade", upgrade, stock_upgrade)):
        own, stock = map(wall, in_turn(ROUNDS, ours, theirs))
        name = f"{what}, pods ready after 10 s, beside `istioctl install` with the same waits"
        rows.append(Row(name, f"{own:.1f} s", f"{stock:.1f} s", own / stock, 1.1))
    box.run("install", "--env", "local", "--yes")
    return rows

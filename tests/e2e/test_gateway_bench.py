"""Upgrades and re-applies in a row under 200 requests a second: what sohistio loses, and what istioctl does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway_load import Counted, mixed_load
from own_environments import own_environments, with_pod_labels
from shop import Shop, open_shop, traffic_sandbox
from test_adopt import previous_istioctl

pytestmark = [pytest.mark.e2e, pytest.mark.bench]

GATEWAYS = {"ingressGateways": "istio-ingressgateway", "egressGateways": "istio-egressgateway"}
ROUNDS = 24
A_SECOND = 67  # of each of three kinds
OLD, NEW = ("--version", "1.30.5"), ("--version", "1.31.1")
# What `gateways` in environment.yaml adds to each gateway.
ADDED = ("strategy", "env", "overlays")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with traffic_sandbox(tmp_path_factory.mktemp("state"), "--load-balancer-lag", "8s", nodes=2) as box:
        yield open_shop(box, tmp_path_factory.mktemp("own"), gateways={"loadBalancerDelay": "10s"})


def rounds(shop: Shop, folder: Path, change: Callable[[int], None]) -> dict[str, Counted]:
    """As many changes as there are rounds, one right after the other: old pods may still end while the next begins."""
    with mixed_load(shop, folder, A_SECOND, upload_seconds=60) as counted:
        for number in range(ROUNDS):
            change(number)
    return counted


def by_sohistio(shop: Shop, folder: Path) -> Callable[[int], None]:
    """In turn: an upgrade, a re-apply with new pods, back to the version before, and a re-apply again."""
    flags = own_environments(
        folder, ingressAddress=shop.address, applicationNamespaces=[], gateways={"loadBalancerDelay": "10s"}
    )

    def change(number: int) -> None:
        with_pod_labels(flags, GATEWAYS, round=f"r{number // 2}")
        version = NEW if number % 4 < 2 else OLD
        back = ("--mode", "reinstall", "--yes") if number % 4 == 2 else ()
        done = shop.sandbox.run("install", *flags, *version, *back)
        assert done.returncode == 0, done.stdout + done.stderr

    return change


def by_istioctl(shop: Shop, folder: Path, *istioctls: Path) -> Callable[[int], None]:
    """As its documentation has it, with the same gateways, addresses, replicas and budgets, and the same versions in
    turn (the older one is the second).
    """
    flags = own_environments(folder, ingressAddress=shop.address, applicationNamespaces=[])
    operators = [yaml.safe_load(shop.sandbox.run("render", *flags, *version).stdout) for version in (NEW, OLD)]
    for operator in operators:
        for kind in GATEWAYS:
            for gateway in operator["spec"]["components"][kind]:
                for key in ADDED:
                    gateway["k8s"].pop(key, None)

    def change(number: int) -> None:
        turn = number // 2 % 2
        operator, istioctl = operators[turn], istioctls[turn]
        for kind, name in GATEWAYS.items():
            annotations: dict[str, Any] = {"round": f"r{number}"}
            of_kind = {item["name"]: item for item in operator["spec"]["components"][kind]}
            of_kind[name]["k8s"]["podAnnotations"] = annotations
        file = folder / "operator.json"
        file.write_text(json.dumps(operator))
        where = ["--kubeconfig", str(shop.sandbox.kubeconfig), "--context", shop.sandbox.context]
        done = subprocess.run(
            [str(istioctl), "install", "-y", "-f", str(file), *where], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return change


def table(columns: dict[str, dict[str, Counted]]) -> str:
    """Markdown: failed of sent, of each kind."""
    kinds = list(next(iter(columns.values())))
    lines = [f"| requests | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for kind in kinds:
        cells = (f"{found[kind].failed} of {found[kind].sent:,} failed" for found in columns.values())
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_changes_in_a_row(shop: Shop, istioctl: Path, tmp_path: Path) -> None:
    ours = rounds(shop, tmp_path, by_sohistio(shop, tmp_path))
    older = previous_istioctl(shop.sandbox).path
    stock = rounds(shop, tmp_path, by_istioctl(shop, tmp_path, istioctl, older))
    print(table({"istioctl install": stock, "sohistio install": ours}))
    for found in (ours, stock):
        print({kind: dict(counted.errors) for kind, counted in found.items() if counted.errors})
    assert {kind: found.failed for kind, found in ours.items()} == dict.fromkeys(ours, 0)
    assert sum(found.sent for found in ours.values()) >= 100_000

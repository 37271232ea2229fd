"""Finding what is stale in a big cluster, beside the API server's own time for the lists; and how it grows."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bench_table import Growth, Table
from bench_world import World
from measured import Row, Run, in_turn, memory, timed, wall
from sandboxes import CHECKOUT
from sohistio.adapters.kubernetes.api import KubeError, Object
from sohistio.sandbox.nodes import node
from sohistio.system.parallel import side_by_side
from workloads import apply, deployment, namespace

pytestmark = pytest.mark.bench

HERE = Path(__file__).parent
ROUNDS = 3
PODS, PODS_A_NODE, NAMESPACES = 5, 100, 20
SIZES = (20, 200, 2000)  # Deployments of five pods
PROXY = {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.30.5", "args": ["proxy", "sidecar"]}


def grow(world: World, have: int, want: int) -> None:
    """Deployments whose pods have the sidecar of an earlier mesh, spread over namespaces that are injected."""
    api = world.box.api
    for number in range(3, 3 + want * PODS // PODS_A_NODE + 1):
        if api.get(f"/api/v1/nodes/{node(number)['metadata']['name']}") is None:
            api.create("/api/v1/nodes", node(number))
    if not have:
        for number in range(NAMESPACES):
            apply(api, namespace(f"team-{number}", injected=False))

    def make(number: int) -> None:
        item = deployment(f"team-{number % NAMESPACES}", f"w{number:04}", replicas=PODS)
        template = item["spec"]["template"]
        template["metadata"]["annotations"] = {"sidecar.istio.io/status": '{"containers":["istio-proxy"]}'}
        template["spec"]["containers"].append(PROXY)
        apply(api, item)

    side_by_side(make, range(have, want))
    for _ in range(1200):
        found: list[Object] = []
        with suppress(KubeError):  # a busy server may not answer in time
            found = api.items("/api/v1/pods", fields="status.phase=Running", metadata_only=True)
        if sum(item["metadata"]["namespace"].startswith("team-") for item in found) >= want * PODS:
            return
        time.sleep(1)
    raise AssertionError("the workloads never came up")


def test_finding_what_is_stale(world: World, table: Table) -> None:
    growth, have, rows = Growth("pods", "seconds"), 0, []
    for words in (("sandbox", "reset"), ("install", "--env", "local")):  # what others have left counts as well
        assert world.box.run(*words).returncode == 0
    where = [str(world.box.kubeconfig), world.box.context]

    def program(name: str) -> Run:
        return timed([sys.executable, str(HERE / name), *where], world.box.environ(), CHECKOUT)

    for want in SIZES:
        grow(world, have, want)
        have = want
        ours, theirs, nothing = in_turn(
            ROUNDS,
            lambda: program("only_look.py"),
            lambda: program("only_lists.py"),
            lambda: timed(
                [sys.executable, "-c", "import sohistio.adapters.kubernetes.api"], world.box.environ(), CHECKOUT
            ),
        )
        look, lists = wall(ours) - wall(nothing), wall(theirs) - wall(nothing)
        growth.add(want * PODS, {"a look at all workloads": look, "the API server's lists alone": lists})
        told = f"{look:.2f} s, {memory(ours):.0f} MiB"
        rows.append(Row(f"what is stale among {want * PODS:,} pods", told, f"{lists:.2f} s", look / lists, 2.0))
        rows.append(
            Row(f"its memory among {want * PODS:,} pods", f"{memory(ours):.0f} MiB", "150 MiB", memory(ours) / 150, 1.0)
        )
    table.growth.append(growth)
    assert [row for row in map(table.add, rows) if not row.met] == []

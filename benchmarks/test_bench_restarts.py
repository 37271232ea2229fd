"""Restarting a thousand stale workloads with the API server 30 ms away, beside `kubectl rollout restart` in a loop.

Their pods take ten seconds to become ready, as they do on AKS with their images on the nodes.
"""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import pytest

from bench_table import Table
from bench_world import World
from delay import delayed
from measured import Row
from own_environments import own_environments
from restart_audit import Restart, lines_of, read_log
from sandboxes import CHECKOUT, USER
from sohistio.sandbox.nodes import node
from sohistio.system.parallel import side_by_side
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.bench

WORKLOADS, BY_HAND, AT_ONCE, NODES, AWAY = 1000, 40, 100, 60, 0.03
ALL, HAND = "bench-all", "bench-by-hand"
SLOW = {"sandbox.sohistio/slow": "10s"}


def populate(world: World) -> None:
    api = world.box.api
    for number in range(3, 3 + NODES):
        if api.get(f"/api/v1/nodes/{node(number)['metadata']['name']}") is None:
            api.create("/api/v1/nodes", node(number))
    for place, count in ((ALL, WORKLOADS), (HAND, BY_HAND)):
        apply(api, namespace(place, injected=False))
        names = [f"w{number:04}" for number in range(count)]
        side_by_side(partial(apply, api), [deployment(place, name, replicas=1, labels=SLOW) for name in names])
    await_running(api, HAND, BY_HAND)
    for _ in range(20):
        try:
            await_running(api, ALL, WORKLOADS)
            break
        except AssertionError:
            continue


def issued(restarts: tuple[Restart, ...]) -> float:
    """Seconds a restart, from the first that was asked for to the last."""
    return (restarts[-1].asked - restarts[0].asked).total_seconds() / (len(restarts) - 1)


def test_a_thousand_restarts(world: World, table: Table, tmp_path: Path) -> None:
    box = world.box
    populate(world)
    audit = box.folder / "audit.log"
    keys = {"parallel": AT_ONCE, "maxFailures": 1, "timeout": "5m", "proxiesPerSecond": 1000}
    flags = own_environments(tmp_path, restarts=keys, timeouts={"component": "5m", "total": "1h"})
    label = {"metadata": {"labels": {"istio-injection": "enabled"}}}
    box.api.merge_patch(f"/api/v1/namespaces/{ALL}", label)
    with delayed(box.kubeconfig, tmp_path, AWAY) as way:
        before = lines_of(audit)
        for number in range(BY_HAND):
            command = ["kubectl", "--kubeconfig", str(way), "--context", box.context, "-n", HAND]
            subprocess.run([*command, "rollout", "restart", f"deployment/w{number:04}"], check=True, timeout=60)
        by_hand = read_log(audit, USER, after=before)
        before = lines_of(audit)
        where = ["--kubeconfig", str(way), "--context", box.context]
        done = subprocess.run(
            box.command("restart", *flags, *where),
            env=box.environ(SOHISTIO_ISTIO_MIRROR=world.mirror),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
            timeout=3600,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    log = read_log(audit, USER, after=before)
    assert {one.workload for one in log.restarts} == {(ALL, f"w{number:04}") for number in range(WORKLOADS)}
    # While the window has room, nothing but the requests themselves holds the next restart up.
    free = log.restarts[:AT_ONCE]
    took = (max(one.over for one in log.restarts) - log.restarts[0].asked).total_seconds()
    each = sum((one.over - one.asked).total_seconds() for one in log.restarts) / AT_ONCE
    rows = [
        Row(
            "issuing restarts, 30 ms away, beside kubectl looped",
            f"{issued(free) * 1000:.0f} ms each",
            f"{issued(by_hand.restarts) * 1000:.0f} ms each",
            issued(by_hand.restarts) / issued(free),
            8,
            at_least=True,
        ),
        Row(
            f"restarting {WORKLOADS:,} workloads, {AT_ONCE} at once, pods ready after 10 s, beside their own time",
            f"{took:.1f} s",
            f"{each:.1f} s",
            took / each,
            1.15,
        ),
    ]
    assert [row for row in map(table.add, rows) if not row.met] == []

"""A run that finds nothing to do, beside `istioctl install` run again: with the API server near by, and 30 ms away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench_table import Table
from bench_world import World
from delay import delayed
from measured import Row, cpu, in_turn, memory, wall
from sohistio.system.paths import cache_dir

pytestmark = pytest.mark.bench

ROUNDS = 7


@pytest.mark.parametrize("delay", [0.0, 0.03], ids=["0-ms", "30-ms"])
def test_in_sync(world: World, table: Table, delay: float) -> None:
    with delayed(world.box.kubeconfig, world.folder, delay) as way:
        ours, stock, script = in_turn(
            ROUNDS,
            lambda: world.sohistio("install", kubeconfig=way),
            lambda: world.istioctl_install(way),
            lambda: world.script(way),
        )
    at = f"{delay * 1000:.0f} ms away"
    told = f"{wall(ours):.2f} s ({cpu(ours):.2f} s CPU, {memory(ours):.0f} MiB)"
    beside = f"{wall(stock):.2f} s ({cpu(stock):.2f} s CPU, {memory(stock):.0f} MiB)"
    rows = [
        Row(f"in sync, {at}, beside `istioctl install` again", told, beside, wall(ours) / wall(stock), 0.6),
        Row(f"in sync, {at}, beside the script", told, f"{wall(script):.2f} s", wall(ours) / wall(script), 1.0),
    ]
    assert [row for row in map(table.add, rows) if not row.met] == []


def test_in_sync_on_a_fresh_agent(world: World, table: Table, tmp_path: Path) -> None:
    """Nothing is kept from an earlier run but istioctl itself."""
    caches = [tmp_path / f"cache-{number}" for number in range(ROUNDS + 1)]
    for cache in caches:
        shutil.copytree(cache_dir() / "istioctl", cache / "sohistio" / "istioctl", symlinks=True)
    left = iter(caches)
    ours, stock = in_turn(
        ROUNDS,
        lambda: world.sohistio("install", XDG_CACHE_HOME=str(next(left))),
        world.istioctl_install,
    )
    row = Row(
        "in sync on a fresh agent, beside `istioctl install` again",
        f"{wall(ours):.2f} s",
        f"{wall(stock):.2f} s",
        wall(ours) / wall(stock),
        1.0,
    )
    assert table.add(row).met

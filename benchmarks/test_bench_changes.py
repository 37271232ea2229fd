"""A first install and an upgrade, beside `istioctl install` with the same waits."""

from __future__ import annotations

import pytest

from bench_table import Table
from bench_world import World
from measured import Row, Run, in_turn, wall
from test_adopt import previous_istioctl

pytestmark = pytest.mark.bench

ROUNDS = 3
OLD = ("--version", "1.30.5")


def test_first_install_and_upgrade(world: World, table: Table) -> None:
    """sohistio also backs up, holds the gateways in turn and verifies."""
    box = world.box
    older = previous_istioctl(box).path

    def fresh() -> None:
        done = box.run("sandbox", "reset")
        assert done.returncode == 0, done.stderr

    def install() -> Run:
        fresh()
        return world.sohistio("install", *OLD)

    def stock_install() -> Run:
        fresh()
        return world.istioctl_install(istioctl=older)

    installs = in_turn(ROUNDS, install, stock_install)

    def upgrade() -> Run:
        install()
        return world.sohistio("install", "--yes")

    def stock_upgrade() -> Run:
        stock_install()
        return world.istioctl_install()

    upgrades = in_turn(ROUNDS, upgrade, stock_upgrade)
    rows = [
        Row(what, f"{wall(ours):.1f} s", f"{wall(stock):.1f} s", wall(ours) / wall(stock), 1.1)
        for what, (ours, stock) in (("first install", installs), ("upgrade", upgrades))
    ]
    box.run("install", "--env", "local", "--yes")
    assert [row for row in map(table.add, rows) if not row.met] == []

"""A look at five environments, one of whose clusters never answers, beside the slowest look at one of them."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import pytest
import yaml

from bench_table import Table
from bench_world import World
from delay import delayed
from measured import SOHISTIO, Row, Run, in_turn, timed, wall
from sandboxes import CHECKOUT
from side_by_side import environment, kubeconfig

pytestmark = pytest.mark.bench

ROUNDS, AWAY = 2, 0.03
RECORD = "/api/v1/namespaces/istio-system/configmaps/sohistio-record"
LIVE, DEAD = ("dev", "int", "qa", "prod"), "gone"


def test_five_environments(world: World, table: Table, tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "base").symlink_to(CHECKOUT / "environments" / "base")
    # What is recorded of a cluster belongs to one environment; here it is that of four.
    world.box.api.delete(RECORD)
    for name in (*LIVE, DEAD):
        environment(folder, name, cluster={"context": name})
    with delayed(world.box.kubeconfig, tmp_path, AWAY) as way, socket.create_server(("127.0.0.1", 0)) as silent:
        server = yaml.safe_load(way.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
        servers = dict.fromkeys(LIVE, server) | {DEAD: f"https://127.0.0.1:{silent.getsockname()[1]}"}
        own = str(kubeconfig(tmp_path, world.box, **servers))
        env = world.box.environ(KUBECONFIG=own, SOHISTIO_ISTIO_MIRROR=world.mirror)

        def status(*flags: str, code: int = 0) -> Run:
            command = [*SOHISTIO, "status", "--environments", str(folder), *flags]
            return timed(command, env, CHECKOUT, code=code)

        single = [partial(status, "--env", name) for name in LIVE]
        gone = partial(status, "--env", DEAD, code=1)
        found = in_turn(ROUNDS, partial(status, "--all", code=1), gone, *single)
    assert world.box.run("install", "--env", "local", "--yes").returncode == 0
    everything, slowest = wall(found[0]), max(map(wall, found[1:]))
    what = "`status --all`, five environments 30 ms away, one that never answers, beside the slowest one"
    row = table.add(Row(what, f"{everything:.1f} s", f"{slowest:.1f} s", everything / slowest, 1.3))
    assert row.met

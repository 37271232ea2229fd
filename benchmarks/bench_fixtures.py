"""What the benchmarks share: one world, and one table that is written into docs/performance.md at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench_plot import PLOT, plot
from bench_table import Table, write
from bench_world import World, bench_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A mesh in sync."""
    with bench_world(tmp_path_factory.mktemp("bench")) as found:
        yield found


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    found = Table()
    yield found
    if found.rows:
        write(found.rows)
    for growth in found.growth:
        PLOT.write_text(plot(growth), encoding="utf-8")

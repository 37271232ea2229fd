"""How soon sohistio says something: beside a Python that does nothing, and a Typer program with one command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench_table import Table
from measured import INSTALLED, Row, Run, in_turn, timed, wall
from sandboxes import CHECKOUT

pytestmark = pytest.mark.bench

ROUNDS = 15
TYPER = """
import typer
app = typer.Typer()
@app.command()
def hello(name: str = "you") -> None:
    print("hello", name)
@app.command()
def bye() -> None:
    print("bye")
app()
"""


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_startup(table: Table, tmp_path: Path, flag: str) -> None:
    program = tmp_path / "hello.py"
    program.write_text(TYPER)

    def run(*words: str) -> Run:
        return timed([str(INSTALLED), *words], dict(os.environ), CHECKOUT)

    ours, bare, typer = in_turn(
        ROUNDS,
        lambda: run("-m", "sohistio", flag),
        lambda: run("-c", "pass"),
        lambda: run(str(program), "--help"),
    )
    told = f"{wall(ours) * 1000:.0f} ms"
    rows = [
        Row(
            f"`sohistio {flag}`, beside a bare Python", told, f"{wall(bare) * 1000:.0f} ms", wall(ours) / wall(bare), 8
        ),
        Row(
            f"`sohistio {flag}`, beside a bare Typer program",
            told,
            f"{wall(typer) * 1000:.0f} ms",
            wall(ours) / wall(typer),
            1.5,
        ),
    ]
    assert [row for row in map(table.add, rows) if not row.met] == []

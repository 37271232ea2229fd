"""A name server of BIND for the tests of a file; each test finds the zone's record as production has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bind import PROD, Bind


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with Bind(tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture
def bind(running: Bind) -> Bind:
    running.change(PROD)
    return running


@pytest.fixture
def away(tmp_path: Path) -> Bind:
    """A name server that does not run: nothing listens on its port."""
    return Bind(tmp_path)

"""An API server on loopback, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_server import ApiServer
from sohistio.adapters.kubernetes.api import KubeApi


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def api(server: ApiServer, tmp_path: Path) -> KubeApi:
    return server.api(tmp_path)

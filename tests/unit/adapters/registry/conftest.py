"""Two real registries for the tests of a file, one with Basic and one with tokens; this process trusts them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registries import RealRegistry, Trust
from registry_proxy import TroubledWay
from token_server import TokenServer


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return Trust(tmp_path_factory.mktemp("trust"))


@pytest.fixture(autouse=True)
def _trusted(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trust.bundle))


@pytest.fixture(scope="module")
def basic(trust: Trust, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path_factory.mktemp("basic"), trust) as registry:
        yield registry


@pytest.fixture(scope="module")
def tokens(trust: Trust) -> Iterator[TokenServer]:
    with TokenServer(trust) as server:
        yield server


@pytest.fixture(scope="module")
def by_token(trust: Trust, tokens: TokenServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path_factory.mktemp("token"), trust, tokens=tokens.url) as registry:
        yield registry


@pytest.fixture
def way(basic: RealRegistry) -> Iterator[TroubledWay]:
    """To the registry with Basic."""
    with TroubledWay(basic) as troubled:
        yield troubled

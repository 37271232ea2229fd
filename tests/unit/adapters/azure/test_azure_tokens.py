"""Tokens that are fresh whenever they are asked for, also while who gives them is slow or away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.azure.tokens import ClusterTokens, Token
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.errors import RefusedError
from sohistio.model.kube_target import KubeTarget


class Giver:
    """Gives the tokens 1, 2, … that live for some seconds; counts the credentials made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.given = 0
        self.credentials = 0
        self.away = False
        self.open = threading.Event()
        self.open.set()
        self.tokens = ClusterTokens(self._give, self._credential)

    def _credential(self) -> Any:
        self.credentials += 1
        return self.credentials

    def _give(self, _: Any) -> Token:
        self.open.wait(10)
        if self.away:
            raise RefusedError("Azure cannot be reached", todo="Check the network.")
        self.given += 1
        return Token(str(self.given), time.time() + self.seconds)


def until(giver: Giver, given: int) -> None:
    deadline = time.monotonic() + 5
    while giver.given < given:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_good_token_is_kept() -> None:
    giver = Giver(3600)
    assert {giver.tokens.token() for _ in range(50)} == {"1"}
    assert giver.given == 1


def test_one_that_has_ended_is_replaced() -> None:
    giver = Giver(0.05)
    assert giver.tokens.token() == "1"
    time.sleep(0.1)
    assert giver.tokens.token() == "2"
    assert giver.credentials == 1


def test_the_next_one_is_asked_for_beside_and_holds_nobody_up() -> None:
    giver = Giver(3.0)
    assert giver.tokens.token() == "1"
    giver.open.clear()
    time.sleep(2.1)  # two thirds of its life
    begun = time.monotonic()
    assert {giver.tokens.token() for _ in range(20)} == {"1"}
    assert time.monotonic() - begun < 0.2
    giver.open.set()
    until(giver, 2)
    time.sleep(0.05)
    assert giver.tokens.token() == "2"


def test_a_login_that_is_away_for_a_while_is_no_matter() -> None:
    giver = Giver(1.5)
    assert giver.tokens.token() == "1"
    giver.away = True
    time.sleep(1.05)
    assert giver.tokens.token() == "1", "it is still good"
    time.sleep(0.6)
    with pytest.raises(RefusedError, match="cannot be reached"):
        giver.tokens.token()
    giver.away = False
    assert giver.tokens.token() == "2"


def test_many_threads_ask_once() -> None:
    giver = Giver(3600)
    threads = [threading.Thread(target=giver.tokens.token) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert giver.given == 1


def test_a_rejected_token_is_replaced_once_with_a_new_login() -> None:
    giver = Giver(3600)
    assert giver.tokens.token() == "1"
    giver.tokens.renew("1")
    giver.tokens.renew("1")
    assert (giver.tokens.token(), giver.given, giver.credentials) == ("2", 2, 2)


def test_a_token_shows_itself_nowhere() -> None:
    assert "s3cr3t" not in repr(Token("s3cr3t", 0.0))


# --- with the API server

POD = "/api/v1/namespaces/shop/pods/web"
REJECTED = Reply({"message": "Unauthorized"}, 401)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


def api(server: ApiServer, folder: Path, giver: Giver) -> KubeApi:
    server.api(folder)  # writes the kubeconfig
    return KubeApi(KubeTarget(folder / "kubeconfig", "test"), giver.tokens)


def bearers(server: ApiServer) -> list[str]:
    return [asked.headers["authorization"] for asked in server.asked]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_rejected_on_its_way_is_sent_again_with_a_new_token(
    server: ApiServer, tmp_path: Path, method: str
) -> None:
    server.answers(method, POD, REJECTED, Reply({"kind": "Pod"}))
    assert api(server, tmp_path, Giver(3600)).request(method, POD) == {"kind": "Pod"}
    assert bearers(server) == ["Bearer 1", "Bearer 2"], "never the kubeconfig's own"


def test_a_new_token_that_is_rejected_too_is_an_error(server: ApiServer, tmp_path: Path) -> None:
    server.answers("GET", POD, REJECTED)
    with pytest.raises(KubeError, match="rejects the credentials") as caught:
        api(server, tmp_path, Giver(3600)).get(POD)
    assert caught.value.status == 401
    assert len(server.asked) == 2


def test_without_a_token_nothing_is_sent(server: ApiServer, tmp_path: Path) -> None:
    giver = Giver(3600)
    giver.away = True
    with pytest.raises(KubeError, match=r"no token for the API server .*Azure cannot be reached") as caught:
        api(server, tmp_path, giver).get(POD)
    assert caught.value.todo == "Check the network."
    assert not server.asked


def test_a_kubeconfig_of_ones_own_is_not_tried_twice(server: ApiServer, tmp_path: Path) -> None:
    server.answers("GET", POD, REJECTED)
    with pytest.raises(KubeError, match="rejects"):
        server.api(tmp_path).get(POD)
    assert bearers(server) == ["Bearer t0ken"]

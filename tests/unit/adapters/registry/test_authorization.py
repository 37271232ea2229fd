"""Which login a registry gets: what it asks for decides, wherever it asks; and what a token is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from image_content import image_content
from registries import PASSWORD, USER, RealRegistry
from registry_proxy import Trouble, TroubledWay
from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import DeniedError, NotLoggedInError, RegistryError
from sohistio.adapters.registry.logins import Login
from sohistio.adapters.releases.downloads import Patience
from sohistio.model.image import Image
from token_server import TokenServer

PUSHER = Login(USER, PASSWORD, "a test")
QUICK = Patience(3, 0.01, 1.0, 5, 5, 20)


def client(host: str, login: Login | None = PUSHER) -> Registry:
    return Registry(host, login, lambda _: None, QUICK)


def image_of(host: str, path: str = "istio/pilot") -> Image:
    return Image.parse(f"{host}/{path}:1.31.1")


def front_page() -> Trouble:
    """It asks for no login."""
    return Trouble("GET /v2/$", times=99, status=200)


@pytest.fixture
def token_way(by_token: RealRegistry, tokens: TokenServer) -> Iterator[TroubledWay]:
    """To the registry with tokens, from a token server that has been asked for nothing yet."""
    tokens.asked.clear()
    with TroubledWay(by_token) as troubled:
        yield troubled
    tokens.body = None


def test_a_registry_that_asks_for_a_token_only_for_an_image(token_way: TroubledWay, tokens: TokenServer) -> None:
    """As those do that let anybody read something."""
    token_way.registry.push("istio/pilot", "1.31.1", pushed := image_content())
    token_way.begin(front_page())
    image = image_of(token_way.host)
    with client(token_way.host) as registry:
        assert registry.digest(image) == pushed.digest
        assert registry.manifest(image.pinned(pushed.digest)) is not None
        registry.check_push(image)
    assert set(tokens.asked) == {"repository:istio/pilot:pull", "repository:istio/pilot:pull,push"}


def test_a_registry_that_asks_for_basic_only_for_an_image(way: TroubledWay) -> None:
    way.registry.push("istio/pilot", "1.31.1", pushed := image_content())
    way.begin(front_page())
    with client(way.host) as registry:
        assert registry.digest(image_of(way.host)) == pushed.digest
    with client(way.host, None) as registry, pytest.raises(NotLoggedInError, match="there is none for it"):
        registry.digest(image_of(way.host))
    wrong = Login(USER, "Wr0ng-hunter2", "a file")
    with client(way.host, wrong) as registry, pytest.raises(NotLoggedInError, match="rejects the login of a file"):
        registry.digest(image_of(way.host))


def test_an_image_that_asks_for_another_login_than_the_registry(token_way: TroubledWay) -> None:
    token_way.registry.push("istio/pilot", "1.31.1", pushed := image_content())
    token_way.begin(Trouble("GET /v2/$", times=99, status=401, headers={"WWW-Authenticate": 'Basic realm="all"'}))
    with client(token_way.host) as registry:
        assert registry.digest(image_of(token_way.host)) == pushed.digest


@pytest.mark.parametrize(
    "headers", [pytest.param({}, id="nothing"), pytest.param({"WWW-Authenticate": "Negotiate"}, id="negotiate")]
)
def test_a_login_that_was_not_tried_is_not_blamed(way: TroubledWay, headers: dict[str, str]) -> None:
    way.begin(front_page(), Trouble("", times=99, status=401, headers=headers))
    with client(way.host) as registry:
        with pytest.raises(DeniedError, match=r"a login for .*/istio/pilot of a kind that sohistio does not") as caught:
            registry.digest(image_of(way.host))
        with pytest.raises(DeniedError, match=r"a login for .*/istio/pilot of a kind that sohistio does not"):
            registry.check_push(image_of(way.host))
    assert caught.value.details == (f"WWW-Authenticate: {headers.get('WWW-Authenticate', 'nothing')}",)


@pytest.mark.parametrize("where", ["GET /v2/$", "HEAD"])
@pytest.mark.parametrize(
    "realm",
    ["http://tokens.example.com/token", "http://127.0.0.1:1/token", "", "https://[::1/token", "https://a:b/", "no URL"],
)
def test_no_login_goes_to_a_realm_that_is_not_https(way: TroubledWay, where: str, realm: str) -> None:
    asked_for = {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}
    way.begin(Trouble(where, times=9, status=401, headers=asked_for), front_page())
    with client(way.host) as registry, pytest.raises(RegistryError, match="sends logins to an address that is not"):
        registry.digest(image_of(way.host))


@pytest.mark.parametrize("where", ["GET /v2/$", "HEAD"])
def test_a_host_that_a_registry_leads_to_gets_no_login(way: TroubledWay, tokens: TokenServer, where: str) -> None:
    tokens.asked.clear()
    with TroubledWay(way.registry) as other:
        realm = {"WWW-Authenticate": f'Bearer realm="{tokens.url}",service="a registry"'}
        other.begin(Trouble("", times=99, status=401, headers=realm))
        place = {"Location": f"https://{other.host}/v2/"}
        way.begin(
            Trouble(where, times=99, status=307, headers=place), front_page(), Trouble("HEAD", times=99, status=404)
        )
        with client(way.host) as registry:
            if where == "HEAD":
                with pytest.raises(DeniedError, match=f"{other.host} wants a login"):
                    registry.digest(image_of(way.host))
            else:
                assert registry.digest(image_of(way.host)) is None
        assert set(other.authorizations) == {None}
    assert tokens.asked == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"[" * 300_000, "no JSON object", id="deep"),
        pytest.param(b"<html>", "no JSON object", id="page"),
        pytest.param(b'["s3cret"]', "no JSON object", id="list"),
        pytest.param(b"{}", "without a token", id="none"),
        pytest.param(b'{"token": ""}', "without a token", id="empty"),
        pytest.param(b'{"token": 5}', "without a token", id="number"),
        pytest.param('{"token": "s3cret-ä€"}'.encode(), "without a token", id="not-ascii"),
        pytest.param(b'{"token": "s3cret\\r\\nX-Evil: 1"}', "without a token", id="two-lines"),
        pytest.param(b'{"token": "s3cret", "expires_in": "never"}', "expires_in that is no number", id="never"),
        pytest.param(b'{"token": "s3cret", "expires_in": 1' + b"0" * 400 + b"}", "is no number", id="for-ever"),
    ],
)
def test_what_is_no_token(token_way: TroubledWay, tokens: TokenServer, body: bytes, why: str) -> None:
    tokens.body = body
    with client(token_way.host) as registry, pytest.raises(RegistryError, match="gave no token") as caught:
        registry.digest(image_of(token_way.host))
    assert why in caught.value.details[0]
    assert "s3cret" not in str(caught.value.document())
    assert len(tokens.asked) == 1

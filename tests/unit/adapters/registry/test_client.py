"""The registry's API against real registries: logins of both kinds, patience, and nothing taken on trust."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from image_content import image_content
from registries import PASSWORD, USER, RealRegistry, Trust
from registry_proxy import Trouble, TroubledWay
from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import DeniedError, NotLoggedInError, RegistryError
from sohistio.adapters.registry.logins import Login
from sohistio.adapters.registry.manifests import read_content
from sohistio.adapters.releases.downloads import Patience
from sohistio.model.image import Image
from token_server import READER, TokenServer

QUICK = Patience(3, 0.01, 1.0, 5, 5, 20)
PUSHER = Login(USER, PASSWORD, "a test")
WRONG = Login(USER, "Wr0ng-hunter2", "a file")


def client(host: str, login: Login | None = PUSHER, said: list[str] | None = None) -> Registry:
    return Registry(host, login, (said if said is not None else []).append, QUICK)


def image_of(host: str, path: str = "istio/pilot") -> Image:
    return Image.parse(f"{host}/{path}:1.31.1")


@pytest.mark.parametrize("kind", ["basic", "by_token"])
def test_what_is_there_and_what_is_not(kind: str, request: pytest.FixtureRequest) -> None:
    real: RealRegistry = request.getfixturevalue(kind)
    pushed = image_content()
    real.push("istio/pilot", "1.31.1", pushed)
    image = image_of(real.host)
    with real.counted() as seen, client(real.host) as registry:
        assert registry.digest(image) == pushed.digest
        assert registry.digest(image_of(real.host, "istio/none")) is None
        content = read_content(registry, image.pinned(pushed.digest))
        assert content.platforms == ("linux/amd64", "linux/arm64")
        assert content.manifests == tuple(pushed.manifests)
        assert (dict(content.blobs), content.bytes, content.pulls) == (
            {digest: len(blob) for digest, blob in pushed.blobs.items()},
            pushed.bytes,
            3,
        )
        assert registry.has_blob(image, next(iter(pushed.blobs)))
        assert not registry.has_blob(image, "sha256:" + "0" * 64)
        registry.check_push(image)
        child = next(iter(pushed.manifests))
        assert read_content(registry, image.pinned(child)).pulls == 1
    assert [request.method for request in seen if request.path.endswith("/pilot/manifests/1.31.1")] == ["HEAD"]


@pytest.mark.parametrize("kind", ["basic", "by_token"])
@pytest.mark.parametrize(
    ("login", "why"), [(None, "wants a login, and there is none"), (WRONG, "rejects the login of a file")]
)
def test_no_login_and_a_wrong_one(kind: str, login: Login | None, why: str, request: pytest.FixtureRequest) -> None:
    real: RealRegistry = request.getfixturevalue(kind)
    with client(real.host, login) as registry, pytest.raises(NotLoggedInError, match=why) as caught:
        registry.digest(image_of(real.host))
    assert "hunter2" not in str(caught.value.document())


def test_a_reader_lacks_permission_to_push(by_token: RealRegistry) -> None:
    by_token.push("istio/pilot", "1.31.1", pushed := image_content())
    with client(by_token.host, Login(*READER, "a test")) as registry:
        assert registry.digest(image_of(by_token.host)) == pushed.digest
        with pytest.raises(DeniedError, match=r"lacks permission to push to .*/istio/pilot"):
            registry.check_push(image_of(by_token.host))


def test_a_token_for_each_repository_is_asked_for_once(by_token: RealRegistry, tokens: TokenServer) -> None:
    by_token.push("istio/pilot", "1.31.1", pushed := image_content())
    tokens.asked.clear()
    with client(by_token.host) as registry:
        for _ in range(3):
            assert registry.digest(image_of(by_token.host)) == pushed.digest
            registry.digest(image_of(by_token.host, "istio/none"))
    assert sorted(tokens.asked) == ["repository:istio/none:pull", "repository:istio/pilot:pull"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(way: TroubledWay, status: int) -> None:
    way.registry.push("istio/pilot", "1.31.1", pushed := image_content())
    way.begin(Trouble("HEAD", times=2, status=status))
    said: list[str] = []
    with client(way.host, said=said) as registry:
        assert registry.digest(image_of(way.host)) == pushed.digest
    assert [f"it answered {status}; trying again in" in line for line in said] == [True, True]


def test_retry_after_is_kept_within_bounds(way: TroubledWay) -> None:
    way.begin(Trouble("HEAD", status=429, headers={"Retry-After": "3600"}))
    started = time.monotonic()
    with client(way.host) as registry:
        registry.digest(image_of(way.host))
    assert 1.0 <= time.monotonic() - started < 5


def test_a_server_that_stays_in_trouble_and_one_that_is_not_there(way: TroubledWay) -> None:
    way.begin(Trouble("HEAD", times=99, status=503))
    with client(way.host) as registry, pytest.raises(RegistryError, match="in 3 attempts") as caught:
        registry.digest(image_of(way.host))
    assert "it answered 503" in caught.value.details[0]
    with client("127.0.0.1:9") as registry, pytest.raises(RegistryError, match="in 3 attempts") as caught:
        registry.digest(image_of("127.0.0.1:9"))
    assert "ConnectError" in caught.value.details[0]


def test_who_gives_up_waits_no_longer(way: TroubledWay) -> None:
    way.begin(Trouble("HEAD", times=99, status=503, headers={"Retry-After": "30"}))
    patient = Patience(3, 0.01, 30.0, 5, 5, 20)
    with Registry(way.host, PUSHER, lambda _: None, patient) as registry:
        threading.Timer(0.2, registry.give_up).start()
        started = time.monotonic()
        with pytest.raises(RegistryError, match="was not asked again"):
            registry.digest(image_of(way.host))
    assert time.monotonic() - started < 5


def test_a_manifest_is_held_against_its_digest(way: TroubledWay) -> None:
    way.registry.push("istio/pilot", "1.31.1", pushed := image_content())
    image = image_of(way.host).pinned(pushed.digest)
    way.begin(Trouble("GET .*/manifests/", corrupted=True))
    with client(way.host) as registry, pytest.raises(RegistryError, match="serves another manifest"):
        read_content(registry, image)


def test_pulls_left_are_what_was_said_last(way: TroubledWay) -> None:
    with client(way.host) as registry:
        registry.digest(image_of(way.host))
        assert registry.pulls_left is None
        way.headers["ratelimit-remaining"] = "76;w=21600"
        registry.digest(image_of(way.host))
        assert registry.pulls_left == 76


def test_only_a_trusted_certificate_is_accepted(
    basic: RealRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(Trust(tmp_path).authority.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with client(basic.host) as registry, pytest.raises(RegistryError, match=r"certificate of .* is not trusted"):
        registry.digest(image_of(basic.host))


def test_a_redirect_elsewhere_goes_without_the_login(way: TroubledWay) -> None:
    """And one to plain http is not followed."""
    way.begin(Trouble("HEAD", status=307, headers={"Location": "http://store.example.com/x?sig=s3cret"}))
    with client(way.host) as registry, pytest.raises(RegistryError, match="not https: http://store") as caught:
        registry.digest(image_of(way.host))
    assert "s3cret" not in str(caught.value.document())
    with TroubledWay(way.registry) as store:
        way.begin(Trouble("HEAD", status=307, headers={"Location": f"https://{store.host}/v2/elsewhere"}))
        store.begin(Trouble("HEAD", status=404))
        with client(way.host) as registry:
            assert registry.digest(image_of(way.host)) is None
        assert store.authorizations == [None]


def test_a_blob_that_lies_elsewhere_is_there(way: TroubledWay) -> None:
    way.begin(Trouble("HEAD .*/blobs/", status=307, headers={"Location": "https://store.example.com/signed-for-get"}))
    with client(way.host) as registry:
        assert registry.has_blob(image_of(way.host), "sha256:" + "0" * 64)

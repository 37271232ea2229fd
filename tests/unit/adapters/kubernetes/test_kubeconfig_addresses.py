"""Addresses of a kubeconfig that cannot be used: said without the login that somebody wrote into them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from one_context import target
from sohistio.adapters.kubernetes.kubeconfig import client_for
from sohistio.errors import ExitCode, UsageError
from sohistio.model.kube_target import KubeTarget

SECRET = "s3cret"


def test_a_login_in_the_servers_address(tmp_path: Path) -> None:
    """It would be shown with every look, and written into plans, messages and support bundles."""
    with pytest.raises(UsageError) as caught:
        client_for(target(tmp_path, f"https://admin:{SECRET}@127.0.0.1:6443"))
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.what == "the server of context 'x' has a login in its address"
    assert SECRET not in str(caught.value.document())


def test_a_server_whose_certificate_is_not_to_be_verified(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="anybody could be the API server"):
        client_for(target(tmp_path, "https://127.0.0.1:6443", user={}, **{"insecure-skip-tls-verify": True}))


def test_a_server_that_is_not_named(tmp_path: Path) -> None:
    """The library would ask whoever listens on this machine."""
    with pytest.raises(UsageError, match=r"the cluster of context 'x' in the kubeconfig .* has no server"):
        client_for(target(tmp_path, None))


NO_ADDRESSES = [
    "https://[::1",
    "https://10.0.0.1:6443]",
    "https://10.0.0.1:99999",
    "https://10.0.0.1:abc",
    "https://",
    "ftp://10.0.0.1",
    "HTTPS://10.0.0.1:6443",
    "https://a..b",
    f"https://{'a' * 300}",
]


@pytest.mark.parametrize("server", NO_ADDRESSES)
def test_a_server_that_is_no_address(tmp_path: Path, server: str) -> None:
    with pytest.raises(UsageError, match=r"the server of cluster 'c' in the kubeconfig .* is no address") as caught:
        client_for(target(tmp_path, server))
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, ".."])
def test_a_name_that_no_certificate_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"tls-server-name of cluster 'c' in the kubeconfig .* is no name"):
        client_for(target(tmp_path, "https://10.0.0.1:6443", user={}, **{"tls-server-name": name}))


@pytest.mark.parametrize(
    "server", ["https://[::1]:6443", "https://api.example.com/prefix", "10.0.0.1:6443", "localhost"]
)
def test_a_server_that_can_be_asked(tmp_path: Path, server: str) -> None:
    assert client_for(target(tmp_path, server, user={}, **{"tls-server-name": "kubernetes.default.svc"}))


@pytest.mark.parametrize(
    ("server", "fine"), [("http://127.0.0.1:8001", True), ("http://10.0.0.1:6443", False), ("10.0.0.1:6443", True)]
)
def test_a_server_that_is_asked_without_tls(tmp_path: Path, server: str, *, fine: bool) -> None:
    """On loopback that is `kubectl proxy`; without a scheme TLS is meant, as kubectl has it."""
    if fine:
        assert client_for(target(tmp_path, server))
        return
    with pytest.raises(UsageError, match="the server of context 'x' is asked without TLS"):
        client_for(target(tmp_path, server))


PROXIES = [
    f"http://u:{SECRET}@127.0.0.1:99999",
    f"foo://u:{SECRET}@127.0.0.1:1",
    f"u:{SECRET}@127.0.0.1:1",
    f"http://u:{SECRET}@[",
    f"http://u:{SECRET}/x@127.0.0.1:1",
    f"http://u:{SECRET}#x@127.0.0.1:1",
]


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_of_the_kubeconfig(tmp_path: Path, proxy: str) -> None:
    with pytest.raises(UsageError) as caught:
        client_for(target(tmp_path, "https://127.0.0.1:6443", user={}, **{"proxy-url": proxy}))
    assert caught.value.what == "the proxy to the API server cannot be used"
    assert "proxy-url of context 'x'" in caught.value.details[0]
    assert SECRET not in str(caught.value.document())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, proxy: str) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, proxy)
    with pytest.raises(UsageError) as caught:
        client_for(target(tmp_path, "https://127.0.0.1:6443"))
    assert SECRET not in str(caught.value.document())


def test_a_login_for_a_proxy_is_fine(tmp_path: Path) -> None:
    assert client_for(
        target(tmp_path, "https://127.0.0.1:6443", user={}, **{"proxy-url": "http://u:p%2F@127.0.0.1:3128"})
    )


@pytest.mark.parametrize("value", [5, 1.5, True, ["a"], {"a": "b"}, 0, False, []], ids=repr)
@pytest.mark.parametrize(
    "key", ["server", "tls-server-name", "proxy-url", "certificate-authority", "certificate-authority-data"]
)
def test_a_key_of_the_cluster_that_is_not_text(tmp_path: Path, key: str, value: object) -> None:
    cluster: dict[str, Any] = {"server": "https://127.0.0.1:6443", key: value}
    asked = target(tmp_path, **cluster)
    for with_user in (True, False):
        with pytest.raises(UsageError) as caught:
            client_for(asked, with_user=with_user)
        assert caught.value.what == f"{key} of cluster 'c' in the kubeconfig {tmp_path / 'kubeconfig'} is not text"


@pytest.mark.parametrize(
    "key", ["token", "tokenFile", "client-certificate", "client-key-data", "client-key", "username", "password"]
)
def test_a_key_of_the_user_that_is_not_text(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        client_for(target(tmp_path, "https://127.0.0.1:6443", user={"username": "a", "password": "b", key: 471147}))
    assert caught.value.what == f"{key} of user 'u' in the kubeconfig {tmp_path / 'kubeconfig'} is not text"
    assert "471147" not in str(caught.value.document())


def test_a_login_by_an_auth_provider_is_refused_where_it_would_be_used(tmp_path: Path) -> None:
    oidc = {"name": "oidc", "config": {"client-secret": "s3cret", "id-token": "x", "idp-issuer-url": "https://a"}}
    asked = target(tmp_path, "https://127.0.0.1:6443", user={"auth-provider": oidc})
    with pytest.raises(UsageError) as caught:
        client_for(asked)
    where = tmp_path / "kubeconfig"
    assert (
        caught.value.what == f"user 'u' in the kubeconfig {where} logs in by an auth-provider, and sohistio uses none"
    )
    assert "kubelogin" in caught.value.todo
    assert "s3cret" not in str(caught.value.document())
    assert client_for(asked, with_user=False)


@pytest.mark.parametrize("value", [None, {}, [], "oidc", 5], ids=repr)
def test_an_auth_provider_of_any_shape_is_one(tmp_path: Path, value: object) -> None:
    """Left to the library, an empty one beside a token counted as none, and null as a key that is missing."""
    with pytest.raises(UsageError, match="logs in by an auth-provider"):
        client_for(target(tmp_path, "https://127.0.0.1:6443", user={"auth-provider": value, "token": "t"}))


def test_of_the_current_context(tmp_path: Path) -> None:
    path = target(tmp_path, "https://127.0.0.1:6443", user={}, **{"tls-server-name": 5}).kubeconfig
    assert path
    path.write_text(json.dumps(json.loads(path.read_text()) | {"current-context": "x"}))
    with pytest.raises(UsageError, match="tls-server-name of cluster 'c'"):
        client_for(KubeTarget(path, None))

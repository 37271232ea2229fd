"""A document posted to a webhook on loopback: taken, refused, late, untrusted; its URL is never in what comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sohistio.adapters.webhook.client import TRIES, post, unusable
from sohistio.system.certificates import Authority
from webhook_server import PATH, WebhookServer, serving


@pytest.fixture
def webhook() -> Iterator[WebhookServer]:
    with WebhookServer() as server:
        yield server


def test_it_is_posted_once(webhook: WebhookServer) -> None:
    assert post(webhook.url, {"text": "grün"}) == ""
    assert (webhook.posted, webhook.paths) == ([{"text": "grün"}], [PATH])


@pytest.mark.parametrize(
    ("statuses", "why", "tries"),
    [
        ([503], "", TRIES),
        ([429], "", TRIES),
        ([503, 200], "", TRIES),
        ([500, 502, 200], "it answered 502", TRIES),
        ([400], "it answered 400", 1),
        ([404], "it answered 404", 1),
        ([302], "it leads to another address (302), and is not followed there", 1),
    ],
    ids=str,
)
def test_what_it_answers(webhook: WebhookServer, statuses: list[int], why: str, tries: int) -> None:
    webhook.statuses = statuses
    if statuses == [302]:
        webhook.headers = {"Location": webhook.url}
    assert post(webhook.url, {}) == why
    assert len(webhook.posted) == tries


def test_one_that_is_silent_is_not_waited_for(webhook: WebhookServer) -> None:
    webhook.silent = 30.0
    begun = time.monotonic()
    assert post(webhook.url, {}, seconds=0.5) == "no answer within 0.5 s"
    assert time.monotonic() - begun < webhook.silent


def test_retry_after_does_not_hold_it_up(webhook: WebhookServer) -> None:
    webhook.statuses, webhook.headers = [429], {"Retry-After": "86400"}
    assert post(webhook.url, {}, seconds=60) == "it answered 429"
    assert len(webhook.posted) == 1


def test_nobody_is_there() -> None:
    with WebhookServer() as server:
        url = server.url
    assert post(url, {}) == "no connection (ConnectError)"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "its value is not a URL: expected https://…"),
        ("https://", "its value is not a URL: expected https://…"),
        ("https://a b/c", "its value is not a URL: expected https://…"),
        ("https://a/\nb", "its value is not a URL: expected https://…"),
        ("https://ünicode.example.com/", "its value is not a URL: expected https://…"),
        ("https://a:port/", "its value is not a URL: expected https://…"),
        ("https://[::1/", "its value is not a URL: expected https://…"),
        ("example.com/hook", "its value is not a URL: expected https://…"),
        ("http://hooks.example.com/x", "its URL is not https://…: it would be sent without encryption"),
        ("ftp://hooks.example.com/x", "its URL is not https://…: it would be sent without encryption"),
        ("file://localhost/etc/passwd", "its URL is not https://…: it would be sent without encryption"),
        ("http://localhost:8080/x", ""),
        ("http://127.0.0.1/x", ""),
        ("https://hooks.example.com/x?sig=y", ""),
    ],
)
def test_where_nothing_is_sent(url: str, why: str) -> None:
    assert unusable(url) == why
    if why:
        assert post(url, {}) == why


def test_only_a_trusted_server_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority("the test's")
    with WebhookServer(serving(authority, tmp_path)) as server:
        why = post(server.url, {"a": 1})
        assert why.startswith("its certificate is not trusted: ")
        assert "s3cret" not in why
        assert server.posted == []
        bundle = tmp_path / "ca.pem"
        bundle.write_text(authority.certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert post(server.url, {"a": 1}) == ""
        assert server.posted == [{"a": 1}]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert post(server.url, {}) == f"SSL_CERT_FILE names something that is not there: {tmp_path / 'none.pem'}"


def test_a_proxy_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy")
    assert post("https://hooks.example.com/x", {}) == "The proxy settings of the environment cannot be used"

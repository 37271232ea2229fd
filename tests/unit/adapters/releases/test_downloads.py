"""Servers in trouble are asked again, within bounds; nothing leads away from verified TLS."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from obtaining import QUICK, VERSION, files, obtain, refusal, said
from release_mirror import Answer, ReleaseMirror, script
from sohistio.adapters.releases.downloads import Downloads, Patience
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.errors import RefusedError


@pytest.fixture
def mirror() -> Iterator[ReleaseMirror]:
    with ReleaseMirror() as running:
        yield running


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(tmp_path: Path, mirror: ReleaseMirror, status: int) -> None:
    archive = mirror.publish("1.31.1")
    mirror.scripted[archive] = [Answer(status=status), Answer(status=status)]
    assert obtain(tmp_path, mirror.url).version == VERSION
    assert mirror.asked.count(archive) == 3


def test_a_server_that_stays_in_trouble(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[archive].status = 503
    message = refusal(tmp_path, mirror.url)
    assert "in 3 attempts" in message
    assert "answered 503" in message


@pytest.mark.parametrize("status", [401, 403, 407, 410])
def test_a_server_that_says_no_is_not_asked_again(tmp_path: Path, mirror: ReleaseMirror, status: int) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[archive].status = status
    assert f"the server answered {status}" in refusal(tmp_path, mirror.url)
    assert mirror.asked.count(archive) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured_within_bounds(tmp_path: Path, mirror: ReleaseMirror, form: str) -> None:
    archive = mirror.publish("1.31.1")
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    wait = {"seconds": "3600", "date": later}[form]
    mirror.scripted[archive] = [Answer(status=429, headers={"Retry-After": wait})]
    started = time.monotonic()
    obtain(tmp_path, mirror.url)
    assert QUICK.longest_wait <= time.monotonic() - started < 5


def test_a_download_that_breaks_off_starts_afresh(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    mirror.scripted[archive] = [Answer(mirror.files[archive].body, cut=20)]
    assert obtain(tmp_path, mirror.url).path.read_bytes() == script("1.31.1")


def test_a_download_that_always_breaks_off(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.files[mirror.publish("1.31.1")].cut = 20
    assert "in 3 attempts" in refusal(tmp_path, mirror.url)


def test_a_server_that_falls_silent(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.files[mirror.publish("1.31.1")].pause = 30
    source = IstioctlSource(tmp_path, Mirror.parse(mirror.url), patience=Patience(2, 0.01, 0.1, 5, 0.2, 20))
    with pytest.raises(RefusedError, match="in 2 attempts") as caught:
        obtain_istioctl(VERSION, source, lambda _: None)
    assert "Timeout" in said(caught.value)
    assert files(tmp_path) == []


def test_nobody_listens(tmp_path: Path) -> None:
    with ReleaseMirror() as gone:
        url = gone.url
    message = refusal(tmp_path, url)
    assert "ConnectError" in message
    assert "SOHISTIO_ISTIO_MIRROR" in message


def test_more_than_an_archive_can_be(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.files[mirror.publish("1.31.1")].headers = {"Content-Length": str(2**40)}
    assert "larger than 200.0 MiB" in refusal(tmp_path, mirror.url)


def test_a_text_may_not_be_long(mirror: ReleaseMirror) -> None:
    mirror.files["/long"] = Answer(b"x" * 5000)
    url = f"http://127.0.0.1:{mirror.port}/long"
    with Downloads(Mirror.parse(mirror.url), print, QUICK) as downloads, pytest.raises(RefusedError, match="larger"):
        downloads.text(url)


def test_attempts_are_told(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.scripted[mirror.publish("1.31.1")] = [Answer(status=503)]
    told: list[str] = []
    obtain_istioctl(VERSION, IstioctlSource(tmp_path, Mirror.parse(mirror.url), patience=QUICK), told.append)
    assert told[0].startswith(f"fetching {mirror.url}/1.31.1/")
    assert any("answered 503; trying again" in line for line in told)


# --- where a download may lead


def test_redirects_are_followed_without_the_credentials(tmp_path: Path, mirror: ReleaseMirror) -> None:
    with ReleaseMirror() as store:
        archive = store.publish("1.31.1")
        for path in (archive, f"{archive}.sha256"):
            location = f"http://127.0.0.1:{store.port}{path}"
            mirror.files[path] = Answer(status=302, headers={"Location": location})
        obtain(tmp_path, mirror.url.replace("http://", "http://build:s3cret@"))
        assert mirror.authorizations == ["Basic YnVpbGQ6czNjcmV0"] * 2
        assert store.authorizations == [None, None]


def test_a_redirect_to_plain_http_is_refused(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[archive] = Answer(status=302, headers={"Location": "http://store.example.com/a?sig=s3cret"})
    message = refusal(tmp_path, mirror.url)
    assert "not https: http://store.example.com/a" in message
    assert "s3cret" not in message


def test_a_redirect_in_a_circle(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[archive] = Answer(status=302, headers={"Location": archive})
    assert "redirects too often" in refusal(tmp_path, mirror.url)


def test_loopback_does_not_go_through_a_proxy(
    tmp_path: Path, mirror: ReleaseMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    mirror.publish("1.31.1")
    assert obtain(tmp_path, mirror.url).version == VERSION


def test_proxy_settings_that_make_no_sense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:s3cret@proxy.example.com")
    message = refusal(tmp_path, "https://artifacts.example.com")
    assert "HTTPS_PROXY" in message
    assert "s3cret" not in message


def test_only_a_trusted_certificate_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = _certificate(tmp_path)
    with ReleaseMirror(context) as mirror:
        mirror.publish("1.31.1")
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        message = refusal(tmp_path / "cache", mirror.url)
        assert "is not trusted" in message
        assert "SSL_CERT_FILE" in message
        assert mirror.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        assert "names something that is not there" in refusal(tmp_path / "cache", mirror.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert obtain(tmp_path / "cache", mirror.url).version == VERSION


def _certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public

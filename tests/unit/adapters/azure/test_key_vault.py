"""Key Vault's wire protocol over TLS on loopback, spoken by the real client library."""

from __future__ import annotations

import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sohistio.adapters.azure.key_vault import vault_secret
from sohistio.errors import RefusedError

WORD = "s3cr3t-of-the-vault"


class Login:
    """A credential whose token is known, which is rejected, or which cannot be used at all."""

    def __init__(self, *, rejected: bool = False, broken: Exception | None = None) -> None:
        self.rejected = rejected
        self.broken = broken

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        if self.broken is not None:
            raise self.broken
        if self.rejected:
            raise ClientAuthenticationError("AADSTS7000215: Invalid client secret provided.\nTrace ID: 1")
        return AccessToken("t0ken", int(time.time()) + 3600)


NO_FILE = Login(broken=FileNotFoundError(2, "No such file or directory", "/nowhere/token"))


class Vault(ThreadingHTTPServer):
    """Asks for a token first, as Key Vault does, then gives what `answers` has for a secret's name."""

    answers: dict[str, tuple[int, dict[str, Any]]]
    resource = "0.0.1"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Vault)
        status, body = self.server.answers.get(self.path.split("/")[2], (404, _error("SecretNotFound", "no secret")))
        if self.headers["Authorization"] != "Bearer t0ken":
            status, body = 401, _error("Unauthorized", "AKV10000: Request is missing a Bearer token.")
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 401:
            # The client wants the vault's host to end with the resource's: `.0.0.1` stands for `.vault.azure.net`.
            port = self.server.server_port
            challenge = (
                f'Bearer authorization="https://login.example.com/t", resource="https://{self.server.resource}:{port}"'
            )
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def _error(code: str, message: str, inner: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message} | ({"innererror": {"code": inner}} if inner else {})}


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    certificate = tmp_path / "server.pem"
    certificate.write_bytes(_certificate())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Vault(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.answers = {
        "jfrog": (200, {"value": WORD, "id": f"{server.url}/secrets/jfrog/1"}),
        "empty": (200, {"value": "", "id": f"{server.url}/secrets/empty/1"}),
        "closed": (
            403,
            _error("Forbidden", "The user does not have secrets get permission.\nMore of it", "ForbiddenByRbac"),
        ),
        "walled": (403, _error("Forbidden", "Client address is not authorized.", "ForbiddenByFirewall")),
        "private": (403, _error("Forbidden", "Public network access is disabled.", "ForbiddenByConnection")),
    }
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's vault")])
    now = datetime.now(UTC)
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    signed = builder.add_extension(place, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM) + private


def test_the_newest_value_is_read(vault: Vault) -> None:
    assert vault_secret(vault.url, "jfrog", Login()) == WORD


@pytest.mark.parametrize(
    ("name", "login", "what", "detail", "todo"),
    [
        ("missing", Login(), "has no secret missing", "no secret", "Correct the secret's name"),
        ("closed", Login(), "the secret closed of", "does not have secrets get permission", "Key Vault Secrets User"),
        ("walled", Login(), "the secret walled of", "Client address is not authorized", "Its firewall"),
        ("private", Login(), "the secret private of", "Public network access is disabled", "private endpoint"),
        ("empty", Login(), "the secret empty of", "", "Set its value."),
        ("jfrog", Login(rejected=True), "the secret jfrog of", "Invalid client secret", "Log in to Azure."),
        ("jfrog", NO_FILE, "the secret jfrog of", "/nowhere/token", "AZURE_FEDERATED_TOKEN_FILE"),
        ("jfrog", Login(broken=AzureError("odd")), "the secret jfrog of", "odd", "Check the vault's name"),
    ],
)
def test_what_cannot_be_read_says_why(vault: Vault, name: str, login: Login, what: str, detail: str, todo: str) -> None:
    with pytest.raises(RefusedError) as caught:
        vault_secret(vault.url, name, login)
    assert what in caught.value.what
    assert detail in "".join(caught.value.details)
    assert todo in caught.value.todo
    assert WORD not in str(caught.value)


def test_a_vault_that_asks_for_a_token_of_another_host(vault: Vault) -> None:
    vault.resource = "vault.example.com"
    with pytest.raises(RefusedError) as caught:
        vault_secret(vault.url, "jfrog", Login())
    assert "does not match the requested domain" in caught.value.details[0]
    assert "Correct the vault's URL" in caught.value.todo


def test_no_secret_of_the_login_is_repeated(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cr3t~")
    with pytest.raises(RefusedError) as caught:
        vault_secret(vault.url, "jfrog", Login(broken=ClientAuthenticationError("sent s3cr3t~")))
    assert caught.value.details == ("sent <AZURE_CLIENT_SECRET>",)


def test_a_vault_that_cannot_be_reached_is_given_up_soon() -> None:
    begun = time.monotonic()
    with pytest.raises(RefusedError) as caught:
        vault_secret("https://127.0.0.1:1", "jfrog", Login())
    assert "Check the vault's name and the network" in caught.value.todo
    assert time.monotonic() - begun < 30

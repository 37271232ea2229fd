"""A token server for registries (distribution's token authentication) on loopback, over TLS."""

from __future__ import annotations

import base64
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from loopback import LoopbackServer
from registries import LOGIN, Trust

READER = ("reader", "R0-hunter2")  # may pull only
SERVICE, ISSUER = "a registry", "a test"


def token_for(trust: Trust, path: str, actions: tuple[str, ...]) -> str:
    """A signed token (JWT, ES256) for one repository."""
    key = serialization.load_pem_private_key(trust.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(trust.certificate.read_bytes())
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "a user", "aud": SERVICE, "nbf": now - 10, "iat": now, "exp": now + 300, "jti": "1"}
    access = [{"type": "repository", "name": path, "actions": list(actions)}] if actions else []
    parts = [_part({"typ": "JWT", "alg": "ES256", "x5c": chain}), _part(claims | {"access": access})]
    r, s = utils.decode_dss_signature(key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256())))
    return ".".join([*parts, _text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))])


class TokenServer(LoopbackServer):
    """Answers with a token for who logs in as LOGIN or READER; a context manager. `asked` are the scopes.

    Where there is a `body`, that is what it answers, to anybody.
    """

    def __init__(self, trust: Trust) -> None:
        self.asked: list[str] = []
        self.body: bytes | None = None
        server = _server(self, trust)
        server.socket = trust.server_context().wrap_socket(server.socket, server_side=True)
        super().__init__(server)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}/token"


def _server(tokens: TokenServer, trust: Trust) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            scope = query.get("scope", [""])[0]
            tokens.asked.append(scope)
            if tokens.body is not None:
                self._answer(200, tokens.body)
                return
            given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            login = tuple(given.split(":", 1))
            if login not in (LOGIN, READER):
                self._answer(401, b"{}")
                return
            _, path, wanted = scope.split(":") if scope else ("", "", "")
            allowed = {"pull"} if login == READER else {"pull", "push"}
            granted = tuple(action for action in wanted.split(",") if action in allowed)
            self._answer(200, json.dumps({"token": token_for(trust, path, granted), "expires_in": 300}).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: Any) -> None:
            pass  # a client that went away is the point of some tests

    return Server(("127.0.0.1", 0), Handler)


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")

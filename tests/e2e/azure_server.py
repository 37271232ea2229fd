"""Azure on loopback, over TLS, in the protocols of the wire: Entra ID's token endpoint with OpenID discovery, the id
tokens of Azure Pipelines, and the resource manager's managed clusters. It checks what it is given as Azure would.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import jwt

from azure_keys import Signer, write_certificates
from loopback import LoopbackServer

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
CLIENT = "bbbbbbbb-0000-4000-8000-000000000002"
CONNECTION = "cccccccc-0000-4000-8000-000000000003"
OBJECT = "dddddddd-0000-4000-8000-000000000004"
SECRET = "s3cr3t~of.the-client"
PIPELINE_TOKEN = "pipeline-access-token-0815"
AKS_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
FEDERATED = "api://AzureADTokenExchange"


class Answer(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    bearer: str
    body: str = ""
    if_match: str = ""


def arm_error(status: int, code: str, message: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"code": code, "message": message}}, named)


Route = tuple[str, str, str, "Callable[[Azure, Request], Answer]"]
"""Its kind, the method, what the path holds, and who answers."""

# Of qa, in the tests' subscription and network.
INGRESS_ADDRESS = "10.20.20.188"


@dataclass
class Azure(LoopbackServer):
    """One cloud with one tenant and one cluster. `instead` answers a kind of request (see `_ROUTES`) some times."""

    folder: Path
    properties: dict[str, Any] = field(default_factory=dict)
    kubeconfig: str = ""
    seconds: float = 3600.0
    free_addresses: set[str] = field(default_factory=lambda: {INGRESS_ADDRESS})
    instead: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    routes: list[Route] = field(default_factory=lambda: list(_ROUTES))

    def __post_init__(self) -> None:
        self.authority_file, certificate = write_certificates(self.folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{server.server_port}"
        self.signer = Signer(f"{self.url}/{TENANT}/v2.0")
        super().__init__(server)

    def tokens(self, audience: str = AKS_APPLICATION) -> int:
        """How many tokens were given for an audience."""
        read: Callable[[str], dict[str, Any]] = lambda token: jwt.decode(token, options={"verify_signature": False})  # noqa: E731
        return sum(read(token)["aud"] == audience for token in self.signer.signed)

    def access_token(self, audience: str) -> str:
        audience = audience.removesuffix("/.default")
        return self.signer.token(audience, self.seconds, oid=OBJECT, tid=TENANT, appid=CLIENT, sub=OBJECT)

    def federated_token(self, subject: str) -> str:
        return self.signer.token(FEDERATED, 600, sub=subject)

    def secrets(self) -> list[str]:
        """Everything that may be written nowhere."""
        return [*self.signer.signed, SECRET, PIPELINE_TOKEN]

    def answer(self, request: Request) -> Answer:
        for kind, method, matches, route in self.routes:
            if method == request.method and matches in request.path:
                self.asked.append((kind, request.path))
                if planned := self.instead.get(kind):
                    return planned.pop(0)
                return route(self, request)
        return Answer(404, {"error": "no such page"})


def _discovery(azure: Azure, _: Request) -> Answer:
    tenant = f"{azure.url}/{TENANT}"
    return Answer(
        200,
        {
            "issuer": f"{tenant}/v2.0",
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{tenant}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{tenant}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        },
    )


def _keys(azure: Azure, _: Request) -> Answer:
    return Answer(200, azure.signer.key_set())


def _rejected(code: int, text: str, error: str = "invalid_client") -> Answer:
    return Answer(401, {"error": error, "error_description": f"AADSTS{code}: {text}", "error_codes": [code]})


def _token(azure: Azure, request: Request) -> Answer:
    form = request.form
    if not request.path.startswith(f"/{TENANT}/") or form.get("grant_type") != "client_credentials":
        return Answer(400, {"error": "invalid_request", "error_description": "AADSTS90002: no such tenant or grant"})
    if form.get("client_id") != CLIENT:
        return _rejected(700016, f"Application with identifier '{form.get('client_id')}' was not found.")
    if "client_assertion" in form:
        try:
            azure.signer.read(form["client_assertion"], FEDERATED)
        except jwt.PyJWTError as error:
            return _rejected(700213, f"No matching federated identity record found: {error}")
    elif form.get("client_secret") != SECRET:
        return _rejected(7000215, f"Invalid client secret provided for a secret added to app '{CLIENT}'.")
    token = azure.access_token(form["scope"].split()[0])
    return Answer(200, {"token_type": "Bearer", "expires_in": int(azure.seconds), "access_token": token})


def _id_token(azure: Azure, request: Request) -> Answer:
    if request.bearer != PIPELINE_TOKEN or request.query.get("serviceConnectionId") != CONNECTION:
        return Answer(401, {"message": "TF400813: The user is not authorized to access this resource."})
    return Answer(200, {"oidcToken": azure.federated_token(f"sc://org/project/{CONNECTION}")})


def _cli_token(azure: Azure, request: Request) -> Answer:
    """What our stand-in for `az` asks for: a person's token."""
    token = azure.access_token(request.query["resource"])
    expires = int(time.time() + azure.seconds)
    return Answer(200, {"accessToken": token, "expires_on": expires, "tokenType": "Bearer", "tenant": TENANT})


def managed(route: Callable[[Azure, Request], Answer]) -> Callable[[Azure, Request], Answer]:
    def checked(azure: Azure, request: Request) -> Answer:
        try:
            azure.signer.read(request.bearer, azure.url)
        except jwt.PyJWTError as error:
            return arm_error(401, "InvalidAuthenticationToken", f"The access token is invalid: {error}")
        return route(azure, request)

    return checked


@managed
def _cluster(azure: Azure, request: Request) -> Answer:
    if not request.path.endswith(
        "/resourceGroups/rg-aks-qa/providers/Microsoft.ContainerService/managedClusters/aks-qa"
    ):
        message = f"The Resource '{request.path.partition('/providers/')[2]}' was not found."
        return arm_error(404, "ResourceNotFound", message)
    return Answer(200, {"id": request.path, "name": "aks-qa", "location": "eastus", "properties": azure.properties})


@managed
def _credentials(azure: Azure, request: Request) -> Answer:
    assert request.query["format"] == "exec"
    value = base64.b64encode(azure.kubeconfig.encode()).decode()
    return Answer(200, {"kubeconfigs": [{"name": "clusterUser", "value": value}]})


@managed
def _address(azure: Azure, request: Request) -> Answer:
    free = request.query["ipAddress"] in azure.free_addresses
    return Answer(200, {"available": free, "availableIPAddresses": []})


_ROUTES: tuple[Route, ...] = (
    ("discovery", "GET", "/v2.0/.well-known/openid-configuration", _discovery),
    ("keys", "GET", "/discovery/v2.0/keys", _keys),
    ("token", "POST", "/oauth2/v2.0/token", _token),
    ("oidc", "POST", "/_apis/distributedtask/", _id_token),
    ("az", "GET", "/az", _cli_token),
    ("credentials", "POST", "/listClusterUserCredential", _credentials),
    ("address", "GET", "/CheckIPAddressAvailability", _address),
    ("cluster", "GET", "/managedClusters/", _cluster),
)


def _handler(azure: Azure) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            query, form = ({k: v[0] for k, v in parse_qs(text).items()} for text in (parts.query, body))
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            match = self.headers.get("If-Match", "")
            answer = azure.answer(Request(self.command, parts.path, query, form, bearer, body, match))
            data = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(data)), "Connection": "close"}
            for name, value in (headers | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: Any) -> None:
            pass

    return Handler

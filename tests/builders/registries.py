"""Real container registries (Debian's docker-registry) on loopback, with TLS and a login, and their access logs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from image_content import INDEX, MANIFEST, ImageContent
from sohistio.system.certificates import Authority

USER, PASSWORD = "pusher", "T0p-secret-hunter2"
LOGIN = (USER, PASSWORD)
# bcrypt of PASSWORD.
_HTPASSWD = f"{USER}:$2b$05$UgZuzVBEgNffZlSAy9FElOBBjg1Uj86PnStDOWVIz3AChgwttHpNG\n"
_REQUEST = re.compile(r'"(?P<method>[A-Z]+) (?P<path>/v2/\S*) HTTP/[0-9.]+" (?P<status>[0-9]{3})')
NAMES = ("127.0.0.1", "hub.example.test", "mirror.example.test")


@dataclass(frozen=True)
class Request:
    """A line of the access log."""

    method: str
    path: str
    status: int

    @property
    def is_blob_read(self) -> bool:
        return self.method == "GET" and "/blobs/" in self.path

    @property
    def is_blob_write(self) -> bool:
        return self.method in ("POST", "PUT", "PATCH") and "/blobs/" in self.path


class Trust:
    """An authority of the test's own, and a server's certificate by it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority("a test's authority")
        issued = self.authority.issue(NAMES)
        self.bundle, self.certificate, self.key = (folder / name for name in ("ca.pem", "server.pem", "server.key"))
        self.bundle.write_text(self.authority.certificate)
        self.certificate.write_text(issued.certificate)
        self.key.touch(0o600)
        self.key.write_text(issued.key)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.bundle))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class RealRegistry:
    """A running registry; a context manager. `tokens` is the address of a token server, else its login is Basic."""

    folder: Path
    trust: Trust
    tokens: str = ""
    anonymous: bool = False
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Self:
        configuration = self.folder / "config.yml"
        configuration.write_text(json.dumps(self._configuration()))
        self._log = self.folder / "registry.log"
        with self._log.open("wb") as log:
            program = shutil.which("docker-registry") or "/usr/bin/docker-registry"
            self._process = subprocess.Popen((program, "serve", str(configuration)), stdout=log, stderr=log)
        end = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < end:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        self.__exit__()
        raise AssertionError(self._log.read_text())

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _configuration(self) -> dict[str, Any]:
        auth: dict[str, Any] = {}
        if self.tokens:
            token = {"realm": self.tokens, "service": "a registry", "issuer": "a test"}
            auth = {"auth": {"token": token | {"rootcertbundle": str(self.trust.bundle)}}}
        elif not self.anonymous:
            htpasswd = self.folder / "htpasswd"
            htpasswd.write_text(_HTPASSWD)
            auth = {"auth": {"htpasswd": {"realm": "a registry", "path": str(htpasswd)}}}
        tls = {"certificate": str(self.trust.certificate), "key": str(self.trust.key)}
        return {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "storage")}, "delete": {"enabled": True}},
            "http": {
                "addr": f"127.0.0.1:{self.port}",
                "relativeurls": True,
                "tls": tls,
                # Signs where an upload is; by itself it would be another one after each start.
                "secret": "a test",
            },
            **auth,
        }

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def requests(self) -> list[Request]:
        """What it has answered, but for what it sent away to log in first."""
        found = [_REQUEST.search(line) for line in self._log.read_text().splitlines()]
        answered = (Request(one["method"], one["path"], int(one["status"])) for one in found if one)
        return [request for request in answered if request.status != 401]

    @contextmanager
    def counted(self) -> Iterator[list[Request]]:
        """The requests of the block, once it has ended."""
        before, during = len(self.requests()), list[Request]()
        yield during
        time.sleep(0.05)  # a line is written after its answer
        during += self.requests()[before:]

    def push(self, path: str, tag: str, content: ImageContent) -> None:
        """Put an image up; its tag moves to it where there is one already."""
        with self._client(path) as client:
            for digest, blob in content.blobs.items():
                place = client.post(f"/v2/{path}/blobs/uploads/").headers["Location"]
                joined = httpx.URL(place).copy_merge_params({"digest": digest})
                assert client.put(joined, content=blob).status_code == 201
            for digest, manifest in content.manifests.items():
                self._put_manifest(client, f"/v2/{path}/manifests/{digest}", manifest, MANIFEST)
            self._put_manifest(client, f"/v2/{path}/manifests/{tag}", content.index, INDEX)

    def _put_manifest(self, client: httpx.Client, place: str, body: bytes, media_type: str) -> None:
        done = client.put(place, content=body, headers={"Content-Type": media_type})
        assert done.status_code == 201, done.text

    def digest(self, path: str, reference: str) -> str | None:
        """What a tag or a digest leads to, of an index or a manifest; None where there is none."""
        with self._client(path) as client:
            accept = {"Accept": f"{INDEX}, {MANIFEST}"}
            answer = client.head(f"/v2/{path}/manifests/{reference}", headers=accept)
            return answer.headers["Docker-Content-Digest"] if answer.status_code == 200 else None

    def has_all_of(self, path: str, tag: str, content: ImageContent) -> bool:
        """Whether the tag has this image with every platform, each by its digest, and every blob."""
        with self._client(path) as client:
            return (
                self.digest(path, tag) == content.digest
                and all(self.digest(path, digest) == digest for digest in content.manifests)
                and all(client.head(f"/v2/{path}/blobs/{digest}").status_code == 200 for digest in content.blobs)
            )

    def pulled_by_a_node(self, path: str, reference: str) -> int:
        """Fetch an image as the kubelet of an amd64 node does, every byte checked against its digest: how many."""
        with self._client(path) as client:
            index = self._fetched(client, path, "manifests", reference)
            wanted = next(
                item["digest"]
                for item in json.loads(index)["manifests"]
                if (item["platform"]["os"], item["platform"]["architecture"]) == ("linux", "amd64")
            )
            manifest = self._fetched(client, path, "manifests", wanted)
            parts = [json.loads(manifest)["config"], *json.loads(manifest)["layers"]]
            return sum(len(self._fetched(client, path, "blobs", part["digest"])) for part in parts)

    def _fetched(self, client: httpx.Client, path: str, kind: str, reference: str) -> bytes:
        headers = {"Accept": f"{INDEX}, {MANIFEST}"} if kind == "manifests" else {}
        answer = client.get(f"/v2/{path}/{kind}/{reference}", headers=headers, follow_redirects=True)
        assert answer.status_code == 200, f"{path} {reference}: {answer.status_code}"
        if reference.startswith("sha256:"):
            assert hashlib.sha256(answer.content).hexdigest() == reference.removeprefix("sha256:")
        return answer.content

    def _client(self, path: str) -> httpx.Client:
        client = httpx.Client(base_url=f"https://{self.host}", verify=self.trust.client_context(), trust_env=False)
        if self.tokens:
            from token_server import token_for

            client.headers["Authorization"] = f"Bearer {token_for(self.trust, path, ('pull', 'push'))}"
        elif not self.anonymous:
            client.auth = LOGIN
        return client


def auth_file(path: Path, *hosts: str, login: tuple[str, str] = LOGIN) -> Path:
    """A file of logins as `docker login` writes it."""
    entry = {"auth": base64.b64encode(":".join(login).encode()).decode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_text(json.dumps({"auths": dict.fromkeys(hosts, entry)}))
    return path

"""A container registry's API (OCI distribution): manifests and blobs asked for over verified TLS, patiently."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sohistio.adapters.registry.authorization import Authorization
from sohistio.adapters.registry.connection import Connection
from sohistio.adapters.registry.errors import DeniedError, RegistryError, UnusableError
from sohistio.adapters.registry.logins import Login
from sohistio.adapters.releases.downloads import Patience
from sohistio.model.image import DOCKER_HUB, Image, is_digest

if TYPE_CHECKING:
    import httpx

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# Docker Hub's API is not at the name that its images have.
_API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}
_LEFT = "ratelimit-remaining"


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest or index as the registry has it; `digest` is worked out from its bytes."""

    digest: str
    media_type: str
    body: bytes


class Registry:
    """One registry with one login; a context manager, and safe to use from several threads.

    Methods raise RegistryError: NotLoggedInError and DeniedError among them.
    """

    def __init__(
        self,
        host: str,
        login: Login | None,
        say: Callable[[str], None],
        patience: Patience | None = None,
        authority: str = "",
    ) -> None:
        """`host` is as in an image's name; what is waited for is said through `say`; `authority` (PEM) is whom to trust
        instead of the usual ones.
        """
        self.host = host
        self.login = login
        self._base = f"https://{_API_HOSTS.get(host, host)}"
        self._connection = Connection(host, say, patience or Patience(), authority)
        self._authorization = Authorization(host, self._base, login, self._connection.get)
        self._pulls_left: int | None = None
        self._counting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    @property
    def pulls_left(self) -> int | None:
        """How many manifests may still be fetched, as the registry said last; None where it does not say (most)."""
        return self._pulls_left

    @property
    def _who(self) -> str:
        return f"the login of {self.login.origin}" if self.login else "a client without a login"

    def give_up(self) -> None:
        """End every wait between attempts, in all threads: their requests fail."""
        self._connection.give_up()

    def digest(self, image: Image) -> str | None:
        """The digest that an image's tag has, or its digest again; None where there is none. Not counted as a pull."""
        response = self._ask("HEAD", image, "manifests", image.digest or image.tag)
        if response.status_code == 404:
            return None
        digest: str = response.headers.get("Docker-Content-Digest", "")
        if is_digest(digest):
            return digest
        found = self.manifest(image)  # registries may leave the header out
        return found.digest if found else None

    def manifest(self, image: Image) -> RawManifest | None:
        """A manifest by digest, or by tag where it has none; None where there is none. Docker Hub counts it.

        Raises RegistryError where it is not what its digest says.
        """
        response = self._ask("GET", image, "manifests", image.digest or image.tag)
        if response.status_code == 404:
            return None
        digest = f"sha256:{hashlib.sha256(response.content).hexdigest()}"
        if image.digest and digest != image.digest:
            raise RegistryError(
                f"{self.host} serves another manifest for {image}",
                details=(f"what came has the digest {digest}",),
                todo="Something between this machine and the registry changes what it sends: a proxy, a cache.",
            )
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        if media_type not in MANIFEST_TYPES:
            raise UnusableError(
                f"{self.host} answered {media_type or 'no type'} when asked for the manifest of {image.by_tag}",
                todo="Is it a registry of images? A login page or a proxy may answer in its place.",
            )
        return RawManifest(digest, media_type, response.content)

    def has_blob(self, image: Image, digest: str) -> bool:
        """Whether the image's repository has this blob. A registry that says where to fetch it has it.

        It is not gone after: such an address may be signed for a GET alone.
        """
        return self._ask("HEAD", image, "blobs", digest).status_code != 404

    def blob_fault(self, image: Image, digest: str, size: int) -> str:
        """Why a node could not take a blob of `size` bytes, empty where it could. Where the registry only says where to
        fetch it, its size is not known.
        """
        response = self._ask("HEAD", image, "blobs", digest)
        if response.status_code == 404:
            return "is missing"
        said = response.headers.get("Content-Length", "")
        other = response.status_code == 200 and said.isdecimal() and int(said) != size
        return f"has {said} bytes, its manifest says {size}" if other else ""

    def save_blob(self, image: Image, digest: str, target: Path, size: int) -> None:
        """Write a blob of `size` bytes to a file.

        Raises RegistryError where it is not what its digest says, larger, or not there; OSError.
        """
        scope = f"repository:{image.path}:pull"
        url = f"{self._base}/v2/{image.path}/blobs/{digest}"
        response = self._sent(scope, lambda headers: self._connection.save(url, target, headers=headers, most=size))
        if response.status_code != 200:
            raise RegistryError(
                f"{self.host} answered {response.status_code} when asked for a blob of {image}",
                details=(digest,),
                todo="Is the image whole there? Run it again, or push it again.",
            )
        with target.open("rb") as content:
            found = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        if found != digest:
            target.unlink()
            raise RegistryError(
                f"{self.host} serves another blob for {image}",
                details=(f"expected {digest}", f"what came is {found}"),
                todo="Something between this machine and the registry changes what it sends: a proxy, a cache.",
            )

    def check_push(self, image: Image) -> None:
        """Begin an upload to the image's repository and end it again. Raises DeniedError where that is forbidden."""
        scope = f"repository:{image.path}:pull,push"
        response = self._send("POST", f"{self._base}/v2/{image.path}/blobs/uploads/", scope)
        if response.status_code in (401, 403):
            raise self._not_asked_for_a_login(image, response) or DeniedError(
                f"{self._who} lacks permission to push to {image.repository}",
                todo="Ask for the right to push there, or log in as somebody who has it.",
            )
        if response.status_code == 202 and (location := response.headers.get("Location")):
            self._send("DELETE", str(response.url.join(location)), scope)

    def _ask(self, method: str, image: Image, kind: str, reference: str) -> httpx.Response:
        """Answers 200, 404 and a blob's redirection; the rest are errors."""
        scope = f"repository:{image.path}:pull"
        headers = {"Accept": ", ".join(MANIFEST_TYPES)} if kind == "manifests" else {}
        url = f"{self._base}/v2/{image.path}/{kind}/{reference}"
        response = self._send(method, url, scope, headers, follow_redirects=kind == "manifests")
        status = response.status_code
        self._count(response.headers)
        if status in (200, 404) or (response.has_redirect_location and kind == "blobs"):
            return response
        if status in (401, 403):
            raise self._denied(image, response)
        raise RegistryError(
            f"{self.host} answered {status} when asked for {image}", todo="Check that it is a registry of images."
        )

    def _denied(self, image: Image, response: httpx.Response) -> RegistryError:
        if response.status_code == 401 and response.request.headers.get("Authorization", "").startswith("Basic "):
            return self._authorization.not_logged_in()
        return self._not_asked_for_a_login(image, response) or DeniedError(
            f"{self._who} lacks permission for {image.repository}, or there is no such repository",
            todo=f"Check the name, and ask for the right to pull it from {self.host}.",
        )

    def _not_asked_for_a_login(self, image: Image, response: httpx.Response) -> DeniedError | None:
        """Where it answers 401 and no login was sent: it did not ask for one in a way that is known."""
        if response.status_code != 401 or "Authorization" in response.request.headers:
            return None
        host = response.url.netloc.decode()
        return DeniedError(
            f"{host} wants a login for {image.repository} of a kind that sohistio does not know",
            details=(f"WWW-Authenticate: {response.headers.get('WWW-Authenticate', 'nothing')[:200]}",),
            todo="Basic and Bearer are known. Is it a registry of container images?",
        )

    def _send(
        self,
        method: str,
        url: str,
        scope: str,
        headers: Mapping[str, str] | None = None,
        *,
        follow_redirects: bool = True,
    ) -> httpx.Response:
        def send(given: dict[str, str]) -> httpx.Response:
            both = {**(headers or {}), **given}
            return self._connection.request(method, url, headers=both, follow_redirects=follow_redirects)

        return self._sent(scope, send)

    def _sent(self, scope: str, send: Callable[[dict[str, str]], httpx.Response]) -> httpx.Response:
        """Once more where the registry asks for a login only now, or does not take the token that it was given."""
        for last in (False, True):
            authorization = self._authorization.header(scope)
            response = send({"Authorization": authorization} if authorization else {})
            if response.status_code != 401 or last or not self._authorization.may_help(scope, authorization, response):
                break
        return response

    def _count(self, headers: httpx.Headers) -> None:
        left = headers.get(_LEFT, "").partition(";")[0].strip()
        if left.isdecimal():
            with self._counting:
                self._pulls_left = int(left)

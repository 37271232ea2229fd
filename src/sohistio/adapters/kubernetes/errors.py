"""What the Kubernetes API answers that is no success, in our words."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sohistio.errors import FailedError
from sohistio.system.masked import bug_text

Object = dict[str, Any]
_SHOWN = 100
_LONGEST_CAUSE = 400
# What comes of a field that is not there, or is of another type.
_NOT_UNDERSTOOD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
_PROXY = "Check the proxy: the context's proxy-url, or else HTTPS_PROXY; NO_PROXY names what is reached without it."
_OF_ANOTHER_AUTHORITY = (
    "Compare certificate-authority-data in the kubeconfig with the cluster's: fetch the kubeconfig again."
)
_RIGHTS = "Ask for a role that has this right: rbac/reader.yaml reads; docs/rbac.md says which command takes which."
_NOBODY = (
    "Nobody logged in: the context's user in the kubeconfig has no token, client certificate or login command, or an "
    "empty one; Kubernetes takes no user name with a password. Fetch the kubeconfig again."
)
# By OpenSSL's words (crypto/x509/x509_txt.c, ssl/ssl_stat.c).
_UNTRUSTED = {
    "mismatch": "Check the server in the kubeconfig; or give the cluster a tls-server-name that its certificate has.",
    "certificate has expired": "Compare this machine's clock (`date -u`); if it is right, the cluster's certificate is "
    "too old.",
    "not yet valid": "Compare this machine's clock: `date -u`.",
    "ALERT": "The server, or a proxy on the way, refuses the user's client-certificate: fetch the kubeconfig again.",
}


class KubeError(FailedError):
    """A request that the API server refused or that did not reach it. `status` is 0 where there was no answer.

    It is `passing` where the same request may well succeed in a while: no connection, too many requests, a server in
    trouble. A certificate that is not trusted, rejected credentials and a missing right do not pass.
    """

    def __init__(
        self, what: str, status: int, *, details: tuple[str, ...] = (), todo: str = "", passing: bool = False
    ) -> None:
        super().__init__(what, details=details, todo=todo)
        self.status = status
        self.passing = passing or status == 429 or status >= 500


def cause_of(error: Exception) -> str:
    """What urllib3 says, without its wrapping."""
    inner = getattr(error, "reason", None) or error
    arguments: tuple[object, ...] = getattr(inner, "args", ())
    if (original := getattr(inner, "original_error", None)) is not None:  # of a proxy
        return f"{arguments[0]}: {original}"
    # The connection that timed out comes before the words.
    return arguments[-1] if arguments and isinstance(arguments[-1], str) else str(inner)


def unreachable(server: str, cause: str) -> KubeError:
    by_proxy = "Unable to connect to proxy" in cause
    return KubeError(
        f"the API server {server} cannot be reached",
        0,
        details=(cause if len(cause) <= _LONGEST_CAUSE else f"{cause[:_LONGEST_CAUSE]}…",),
        todo=_PROXY if by_proxy else "Check the network (VPN, private cluster) and that the cluster is running.",
        passing=True,
    )


def untrusted(server: str, cause: str) -> KubeError:
    return KubeError(
        f"no trusted TLS connection to the API server {server}",
        0,
        details=(cause.removeprefix("SSLError\n"),),
        todo=next((todo for words, todo in _UNTRUSTED.items() if words in cause), _OF_ANOTHER_AUTHORITY),
    )


def document_of(server: str, data: bytes) -> Object:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    raise no_kubernetes(server, data[:_SHOWN].decode("utf-8", "replace"))


def page_of(server: str, page: Object) -> tuple[list[Object], str]:
    """The objects of a list's page, and the token of the next one."""
    items, metadata = page.get("items") or [], page.get("metadata") or {}
    token = metadata.get("continue") or "" if isinstance(metadata, dict) else None
    if not isinstance(token, str) or not isinstance(items, list) or not all(map(_is_object, items)):
        raise no_kubernetes(server, json.dumps(page)[:_SHOWN])
    return items, token


def _is_object(item: object) -> bool:
    """Whether it has what everybody relies on: a name, and labels and annotations that are maps."""
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("name"), str)
        and isinstance(metadata.get("namespace", ""), str)
        and isinstance(metadata.get("labels"), dict | None)
        and isinstance(metadata.get("annotations"), dict | None)
    )


@contextmanager
def understood(server: str) -> Iterator[None]:
    """Around what takes answers apart. Raises KubeError where they lack what those of Kubernetes have."""
    try:
        yield
    except _NOT_UNDERSTOOD as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise KubeError(
            f"what the API server {server} answered is not as Kubernetes has it",
            0,
            details=(f"{bug_text(error)[:_LONGEST_CAUSE]} ({Path(where.filename).name}:{where.lineno})",),
            todo="See whether a proxy on the way changes answers. If none does, this is a bug: report it, please.",
        ) from error


def no_kubernetes(server: str, begins: str) -> KubeError:
    return KubeError(
        f"what answers at {server} is no Kubernetes API server",
        0,
        details=(f"it begins with: {begins!r}",),
        todo="Check the server in the kubeconfig, and whether a proxy or a login page answers in its place.",
    )


def is_of_a_webhook(data: bytes) -> bool:
    """Whether an answer says that an admission webhook failed: that takes its time, and is not the server's trouble."""
    return b"failed calling webhook" in data


def refused(method: str, path: str, status: int, data: bytes) -> KubeError:
    try:
        message = str(json.loads(data).get("message", ""))
    except (ValueError, AttributeError, RecursionError):
        message = data[:200].decode("utf-8", "replace")
    if status == 401:
        return KubeError(
            "the API server rejects the credentials (401 Unauthorized)",
            status,
            details=(message,),
            todo="The token or client certificate is missing, wrong or has expired: log in again.",
        )
    if status == 403:
        todo = _NOBODY if 'User "system:anonymous"' in message else _RIGHTS
        return KubeError("the API server forbids a request", status, details=(message,), todo=todo)
    if status == 400 and "HTTP request to an HTTPS server" in message:
        todo = "Correct the server in the kubeconfig: https:// in place of http://."
        return KubeError("the API server speaks TLS, and is asked without it", status, todo=todo)
    if 300 <= status < 400:
        todo = "It leads elsewhere: check the server in the kubeconfig, and whether a login page answers for it."
        return KubeError(f"{method} {path} answered {status}", status, todo=todo)
    return KubeError(f"{method} {path} answered {status}", status, details=(message,) if message else ())

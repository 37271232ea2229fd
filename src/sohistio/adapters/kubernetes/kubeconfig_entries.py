"""What the cluster and the user of a kubeconfig's context may say.

Some keys have to be text: `tls-server-name: 5` is a number in YAML, and kubectl refuses it too. A login by
`auth-provider` is none: where it names no authority, the library would send its secrets to whoever answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.errors import UsageError

_TEXTS = {
    "cluster": (
        "server",
        "tls-server-name",
        "proxy-url",
        "certificate-authority",
        "certificate-authority-data",
    ),
    "user": (
        "token",
        "tokenFile",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "username",
        "password",
    ),
}


def check_texts(config: Mapping[str, Any], context: str | None, where: object) -> None:
    """Of the cluster and the user that the context names, in merged nodes. Raises UsageError, without the value.

    What is not there, or of a wrong shape as a whole, is the library's to say.
    """
    inner = _context(config, context)
    for kind, keys in _TEXTS.items():
        name = inner.get(kind)
        if not isinstance(name, str | None):
            raise UsageError(
                f"the {kind} of context {context!r} in the kubeconfig {where} is no name",
                todo=f"Write the name of one of its {kind}s there.",
            )
        entry = _entry(config, kind, name)
        for key in keys:
            if not isinstance(entry.get(key), str | None):
                raise UsageError(
                    f"{key} of {kind} {name!r} in the kubeconfig {where} is not text",
                    todo=f'Give it as text, in quotes where it looks like a number: {key}: "…".',
                )


def check_login(config: Mapping[str, Any], context: str | None, where: object) -> None:
    """Of the user that the context names, in merged nodes. Raises UsageError."""
    name = _context(config, context).get("user")
    if "auth-provider" in _entry(config, "user", name):
        raise UsageError(
            f"user {name!r} in the kubeconfig {where} logs in by an auth-provider, and sohistio uses none",
            todo="Let a command log in (`exec`): `kubelogin convert-kubeconfig` writes it for an AKS cluster.",
        )


def _context(config: Mapping[str, Any], context: str | None) -> Mapping[str, Any]:
    return _entry(config, "context", config.get("current-context") if context is None else context)


def _entry(config: Mapping[str, Any], kind: str, name: object) -> Mapping[str, Any]:
    for item in config.get(f"{kind}s") or ():
        if item.value.get("name") == name:
            found = item.value.get(kind)
            return found if isinstance(found, Mapping) else {}
    return {}

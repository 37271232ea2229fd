"""Keys of a kubeconfig that have to be text: `tls-server-name: 5` is a number in YAML, and kubectl refuses it too."""

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
    wanted = config.get("current-context") if context is None else context
    inner = _entry(config, "context", wanted)
    for kind, keys in _TEXTS.items():
        name = inner.get(kind)
        entry = _entry(config, kind, name)
        for key in keys:
            if not isinstance(entry.get(key), str | None):
                raise UsageError(
                    f"{key} of {kind} {name!r} in the kubeconfig {where} is not text",
                    todo=f'Give it as text, in quotes where it looks like a number: {key}: "…".',
                )


def _entry(config: Mapping[str, Any], kind: str, name: object) -> Mapping[str, Any]:
    for item in config.get(f"{kind}s") or ():
        if item.value.get("name") == name:
            found = item.value.get(kind)
            return found if isinstance(found, Mapping) else {}
    return {}

"""Kubeconfigs whose user is our own login command (`sohistio aks-token`): without a secret in them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from sohistio.model.managed_cluster import ClusterAccess

COMMAND = "aks-token"
_API_VERSION = "client.authentication.k8s.io/v1"


def entry_name(context: str, server: str) -> str:
    """The name of our cluster and our user in a kubeconfig; others name theirs as the context.

    Of the server too: a context that was renamed keeps its entries, which another cluster of the name must not share.
    """
    return f"sohistio-{context}-{hashlib.sha256(server.encode()).hexdigest()[:8]}"


def login_user(arguments: Sequence[str]) -> dict[str, Any]:
    """A user for kubectl and istioctl; `arguments` are the flags of `sohistio aks-token`."""
    return {
        "exec": {
            "apiVersion": _API_VERSION,
            # By its interpreter, so that it works from wherever it was installed; -P: not from the working directory.
            "command": sys.executable,
            "args": ["-P", "-m", "sohistio", COMMAND, *arguments],
            "interactiveMode": "Never",
            "provideClusterInfo": False,
        }
    }


def is_ours(user: object) -> bool:
    """Whether a kubeconfig's user is our login command."""
    spec = user.get("exec") if isinstance(user, Mapping) else None
    return isinstance(spec, Mapping) and COMMAND in (spec.get("args") or ())


def entries(context: str, access: ClusterAccess, arguments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The three entries of a context, by the lists of a kubeconfig that they belong to."""
    name = entry_name(context, access.server)
    cluster = {"server": access.server, "certificate-authority-data": access.authority_data}
    return {
        "clusters": {"name": name, "cluster": cluster},
        "users": {"name": name, "user": login_user(arguments)},
        "contexts": {"name": context, "context": {"cluster": name, "user": name}},
    }


def kubeconfig(context: str, access: ClusterAccess, arguments: Sequence[str]) -> dict[str, Any]:
    """A kubeconfig with this context only."""
    lists = {kind: [entry] for kind, entry in entries(context, access, arguments).items()}
    return {"apiVersion": "v1", "kind": "Config", **lists, "current-context": context}


def exec_credential(token: str, expires: str) -> dict[str, Any]:
    """What a login command answers; `expires` after RFC 3339."""
    status = {"token": token, "expirationTimestamp": expires}
    return {"apiVersion": _API_VERSION, "kind": "ExecCredential", "status": status}

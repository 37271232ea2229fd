"""Adapter: which contexts of the person's own kubeconfigs are of an AKS cluster, by their names. Nothing is written.

A name proves nothing about the server: it is for the person to compare.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.adapters.kubernetes.logins import is_ours
from sohistio.adapters.kubernetes.user_kubeconfig import named_entry, read_kubeconfig, user_kubeconfig
from sohistio.errors import UsageError
from sohistio.system.paths import expanded

# As `az aks get-credentials` names its users (azure-cli, acs/custom.py): clusterUser_GROUP_CLUSTER, and clusterAdmin_….
_USERS = ("clusterUser_{group}_{name}", "clusterAdmin_{group}_{name}")


@dataclass(frozen=True, slots=True)
class KnownContext:
    """A context in a file, and the API server that it leads to.

    `asks_entra` where its login is sohistio's own, which needs Entra for a token.
    """

    file: Path
    context: str
    server: str
    asks_entra: bool


def contexts_of(group: str, name: str, variables: Mapping[str, str]) -> tuple[KnownContext, ...]:
    """Those of the AKS cluster `name` in the resource group, from KUBECONFIG's files, else from ~/.kube/config.

    Known by az's name of their user, or by being named as the cluster is. A file that cannot be read has none.
    """
    files = [expanded(path) for path in variables.get("KUBECONFIG", "").split(os.pathsep) if path]
    users = tuple(user.format(group=group, name=name) for user in _USERS)
    found = [item for file in files or [user_kubeconfig(variables)] for item in _in_file(file, name, users)]
    return tuple(sorted(found, key=lambda item: item.asks_entra))


def _in_file(file: Path, name: str, users: tuple[str, ...]) -> Iterator[KnownContext]:
    try:
        document = read_kubeconfig(file)
    except (OSError, UsageError):
        return
    for item in document.get("contexts") or ():
        context: Any = item.get("name")
        inner = named_entry(document, "contexts", context)
        server = named_entry(document, "clusters", inner.get("cluster")).get("server")
        if isinstance(server, str) and (context == name or inner.get("user") in users):
            own = is_ours(named_entry(document, "users", inner.get("user")))
            yield KnownContext(file, str(context), server, own)

"""Adapter: the kubeconfig of one run (0600, in a folder of its own), for istioctl and for us.

Nobody else writes it: both talk to the same cluster all through the run, whatever happens to the person's file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sohistio.adapters.kubernetes.kubeconfig import paths_of
from sohistio.adapters.kubernetes.kubeconfig_entries import FILES
from sohistio.adapters.kubernetes.logins import kubeconfig
from sohistio.adapters.kubernetes.run_folder import folders_of_runs, not_written, run_folder
from sohistio.errors import UsageError
from sohistio.model.kube_target import KubeTarget
from sohistio.model.managed_cluster import ClusterAccess
from sohistio.system.plain_yaml import loaded


def private_kubeconfig(context: str, access: ClusterAccess, arguments: list[str]) -> KubeTarget:
    """Write one with our own login; it is gone at the end of this process, or with the next run's if this is killed.

    Raises RefusedError where it cannot be written.
    """
    return KubeTarget(_written(kubeconfig(context, access, arguments)), context)


def private_copy(target: KubeTarget) -> KubeTarget:
    """Write a copy of the one context that is meant, with its cluster and user. Raises RefusedError as above.

    A kubeconfig that cannot be used is returned as it came: whoever makes a client of it tells what is wrong.
    """
    try:
        files = paths_of(target.kubeconfig)
        document = _only(target.context, [(path, loaded(path.read_text(encoding="utf-8"))) for path in files])
    except (UsageError, OSError, ValueError, TypeError, KeyError, AttributeError):
        return target
    return KubeTarget(_written(document), target.context, copy_of=", ".join(map(str, files)))


def discard(target: KubeTarget) -> None:
    """Remove the file of a target that nothing uses any more; one that this process has not written is left alone."""
    file = target.kubeconfig
    if file is not None and file.parent.parent == folders_of_runs() and file.parent == run_folder():
        file.unlink(missing_ok=True)


def _only(context: str | None, documents: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    """The context alone. Of several files the first that has a name wins. Raises KeyError where a part is missing."""
    entry = _found("contexts", context, documents)
    user = entry["context"].get("user")
    known = {item["name"] for _, document in documents for item in document.get("users") or ()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [_found("clusters", entry["context"]["cluster"], documents)],
        "users": [_found("users", user, documents)] if user in known else [],  # a cluster may be asked by nobody
        "contexts": [entry],
        "current-context": context,
    }


def _found(kind: str, name: object, documents: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    inner = kind.removesuffix("s")
    for path, document in documents:
        for item in document.get(kind) or ():
            if item["name"] == name:
                folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 — of a link its own folder counts
                return {"name": name, inner: _absolute(inner, item[inner], folder)}
    raise KeyError(name)


def _absolute(kind: str, entry: Mapping[str, Any] | None, folder: Path) -> dict[str, Any]:
    """A file is relative to the one that it stands in, as kubectl has it."""
    made = dict(entry or {})
    for key in FILES[kind]:
        if made.get(key):
            made[key] = str(folder / made[key])
    login = made.get("exec")
    if isinstance(login, Mapping) and os.sep in login["command"]:  # else it is looked for on PATH
        made["exec"] = {**login, "command": str(folder / login["command"])}
    return made


def _written(document: Mapping[str, Any]) -> Path:
    import yaml

    try:
        # Two environments may name clusters alike: each gets a file.
        folder = run_folder()
        path = folder / f"{len(list(folder.iterdir()))}-{os.urandom(4).hex()}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yaml.safe_dump(dict(document), file, sort_keys=False)
    except OSError as error:
        raise not_written(error) from error
    return path

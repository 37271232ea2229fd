"""Adapter: the user's own kubeconfig, into which `sohistio login` merges a context as kubectl would."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sohistio.adapters.kubernetes.logins import entries, entry_name, is_ours
from sohistio.errors import RefusedError, UsageError
from sohistio.model.managed_cluster import ClusterAccess
from sohistio.system.paths import expanded
from sohistio.system.plain_yaml import loaded

_LOCK_SECONDS = 5.0
_LISTS = ("clusters", "users", "contexts")


def user_kubeconfig(variables: Mapping[str, str]) -> Path:
    """The file that kubectl writes to: KUBECONFIG's first, else ~/.kube/config."""
    named = next((name for name in variables.get("KUBECONFIG", "").split(os.pathsep) if name), None)
    return expanded(named or "~/.kube/config")


def merge_context(path: Path, context: str, access: ClusterAccess, arguments: list[str], *, overwrite: bool) -> bool:
    """Put a context into a kubeconfig, keeping all else; False where it was there just so already.

    The current context stays what it is. Raises RefusedError for somebody else's context of the name, UsageError.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(target):
            before = _read(target, path)
            if not overwrite:
                _check_ours(before, path, context, access)
            after = _merged(before, context, access, arguments)
            if after == before:
                target.chmod(0o600)
                return False
            _write(target, after)
    except OSError as error:
        raise UsageError(f"{path} cannot be written", details=(str(error),), todo="See KUBECONFIG.") from error
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """kubectl's own lock: a file beside it that only one can create."""
    lock = path.with_name(f"{path.name}.lock")
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise RefusedError(
                    f"{path} is locked: {lock} exists",
                    todo="Another kubectl or sohistio is writing. If none is, one was killed: remove that file.",
                ) from None
            time.sleep(0.1)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


_LOOK = "Look at it, or give another one with KUBECONFIG."


def read_kubeconfig(path: Path) -> dict[str, Any]:
    """The file as it is; an empty one where there is none. Raises OSError, and UsageError where it is no kubeconfig."""
    return _read(path, path)


def _read(target: Path, shown: Path) -> dict[str, Any]:
    try:
        document = loaded(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        document = None
    except ValueError as error:
        raise UsageError(f"{shown} is no kubeconfig", details=tuple(str(error).splitlines()[:3]), todo=_LOOK) from error
    if document is None:
        return {"apiVersion": "v1", "kind": "Config"}
    if not _is_kubeconfig(document):
        raise UsageError(f"{shown} is no kubeconfig", todo=_LOOK)
    return dict(document)


def _is_kubeconfig(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    lists = [document.get(kind) or [] for kind in _LISTS]
    return all(isinstance(items, list) and all(isinstance(item, dict) for item in items) for items in lists)


def named_entry(document: Mapping[str, Any], kind: str, name: object) -> dict[str, Any]:
    """What an entry of a list (`clusters`, `users`, `contexts`) holds; nothing where there is none of the name."""
    for item in document.get(kind) or ():
        inner = item.get(kind.removesuffix("s"))
        if item.get("name") == name and isinstance(inner, dict):
            return inner
    return {}


def _check_ours(document: Mapping[str, Any], path: Path, context: str, access: ClusterAccess) -> None:
    known = [item.get("name") for item in document.get("contexts") or ()]
    if context not in known:
        return
    there = named_entry(document, "contexts", context)
    server = named_entry(document, "clusters", there.get("cluster")).get("server")
    if server == access.server and is_ours(named_entry(document, "users", there.get("user"))):
        return
    who = "another server" if server != access.server else "another login"
    raise RefusedError(
        f"{path} has a context {context!r} already, with {who}",
        details=(f"there: {server}", f"the AKS cluster: {access.server}"),
        todo="Give --overwrite if it may go, or rename it: `kubectl config rename-context`. Nothing was changed.",
    )


def _merged(document: Mapping[str, Any], context: str, access: ClusterAccess, arguments: list[str]) -> dict[str, Any]:
    merged = dict(document)
    for kind, entry in entries(context, access, arguments).items():
        items = list(document.get(kind) or ())
        if kind == "contexts":
            # What the person set, such as a namespace, is kept.
            inner = named_entry(document, kind, context) if _points_at_ours(document, context, access.server) else {}
            fresh = {"name": context, "context": {**inner, **entry["context"]}}
        else:
            fresh = entry
        there = [item.get("name") == fresh["name"] for item in items]
        merged[kind] = [fresh if same else item for item, same in zip(items, there, strict=True)]
        merged[kind] += [] if any(there) else [fresh]
    return merged


def _points_at_ours(document: Mapping[str, Any], context: str, server: str) -> bool:
    return named_entry(document, "contexts", context).get("cluster") == entry_name(context, server)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    import yaml

    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yaml.safe_dump(dict(document), file, sort_keys=False, allow_unicode=True)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)

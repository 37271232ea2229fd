"""Where a sandbox keeps its files, and what other rooms need to reach it."""

from __future__ import annotations

import re
from pathlib import Path

from sohistio.errors import RefusedError, UsageError
from sohistio.system.paths import cache_dir, state_dir

DEFAULT_NAME = "local"
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?")


def sandbox_folder(name: str) -> Path:
    """The one folder that holds all files of a sandbox; raises UsageError for a name that cannot be one."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name!r} is not a name for a sandbox",
            todo="Use at most 32 lower-case letters, digits and '-', beginning and ending with a letter or digit.",
        )
    return state_dir() / "sandbox" / name


def parts_cache() -> Path:
    """Built parts, shared by all sandboxes of this user."""
    return cache_dir() / "sandbox"


def sandbox_context(name: str) -> str:
    """The context in the sandbox's kubeconfig."""
    return f"sohistio-{name}"


def sandbox_of_context(context: str) -> str | None:
    """The name of this machine's sandbox that a context belongs to, None for any other context."""
    name = context.removeprefix("sohistio-")
    is_one = name != context and _NAME.fullmatch(name) is not None
    return name if is_one and (sandbox_folder(name) / "kubeconfig").exists() else None


def sandbox_kubeconfig(name: str) -> Path:
    """The kubeconfig of a running sandbox; raises RefusedError where it is not running."""
    _require_running(name)
    return sandbox_folder(name) / "kubeconfig"


def sandbox_mirror_url(name: str) -> str | None:
    """Base URL of the running sandbox's release mirror; raises RefusedError where it is not running."""
    return _require_running(name)


def _require_running(name: str) -> str | None:
    from sohistio.sandbox.record import is_serving, read_record

    record = read_record(sandbox_folder(name))
    if record is None or not is_serving(record):
        option = "" if name == DEFAULT_NAME else f" --name {name}"
        raise RefusedError(f"the sandbox {name!r} is not running", todo=f"sohistio sandbox up{option}")
    return record.mirror_url

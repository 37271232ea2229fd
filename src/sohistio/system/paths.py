"""Where sohistio keeps files of its own, after the XDG base directory specification.

Each function raises UsageError where the folder would be in a home folder and this machine knows of none.
"""

from __future__ import annotations

import os
from pathlib import Path

from sohistio.errors import UsageError


def expanded(text: str) -> Path:
    """A path as a person writes it; `~` and `~name` stay as they are where this machine knows no such home."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 — Path's own raises RuntimeError there


def check_working_folder() -> None:
    """Raises UsageError where the folder that sohistio was started in is gone: paths are told from there, and tools
    are started there.
    """
    try:
        os.getcwd()  # noqa: PTH109 — Path's own makes an object of it
    except OSError as error:
        raise UsageError(
            f"the current folder cannot be used: {error.strerror}",
            todo="It was removed, or moved. Change to one that there is (`cd`), and run it again.",
        ) from error


def _home(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    try:
        base = Path(value) if value.startswith("/") else Path.home() / fallback
    except RuntimeError as error:  # no HOME, and no user of this number
        raise UsageError(
            "there is no home folder for the files of sohistio",
            todo=f"Set HOME, or {variable}, to a folder of yours that can be written.",
        ) from error
    return base / "sohistio"


def cache_dir() -> Path:
    """Files that can be made again: downloaded istioctl, built sandbox parts."""
    return _home("XDG_CACHE_HOME", ".cache")


def config_dir() -> Path:
    """Files that a person writes: their own defaults."""
    return _home("XDG_CONFIG_HOME", ".config")


def state_dir() -> Path:
    """Files of runs: logs, sandboxes."""
    return _home("XDG_STATE_HOME", ".local/state")

"""Where sohistio keeps files of its own, after the XDG base directory specification."""

from __future__ import annotations

import os
from pathlib import Path


def _home(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    base = Path(value) if value.startswith("/") else Path.home() / fallback
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

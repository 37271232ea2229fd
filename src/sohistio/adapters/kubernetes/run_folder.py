"""Where the kubeconfigs, certificates and keys of one run are: gone with it, or with the next one if it is killed."""

from __future__ import annotations

from pathlib import Path

from sohistio.errors import RefusedError
from sohistio.system.paths import state_dir
from sohistio.system.private_folder import private_folder


def folders_of_runs() -> Path:
    """Below it each process has its own."""
    return state_dir() / "kubeconfigs"


def run_folder() -> Path:
    """The folder (0700) of this process. Raises RefusedError."""
    try:
        return private_folder(folders_of_runs())
    except OSError as error:
        raise not_written(error) from error


def not_written(error: OSError) -> RefusedError:
    """What to say where nothing can be written there."""
    return RefusedError(
        "the kubeconfig for this run cannot be written",
        details=(str(error),),
        todo="See to that folder, or set XDG_STATE_HOME to another one.",
    )

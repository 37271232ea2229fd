"""Adapter: the kubeconfig of one run (0600, in a folder of its own), for istioctl and for us."""

from __future__ import annotations

import os

from sohistio.cluster.kubetarget import KubeTarget
from sohistio.cluster.logins import kubeconfig
from sohistio.errors import RefusedError
from sohistio.managedcluster import ClusterAccess
from sohistio.paths import state_dir
from sohistio.privatefolder import private_folder


def private_kubeconfig(context: str, access: ClusterAccess, arguments: list[str]) -> KubeTarget:
    """Write it; it is gone at the end of this process, or with the next run's if this one is killed.

    Raises RefusedError where it cannot be written.
    """
    import yaml

    try:
        # Two environments may name clusters alike: each gets a file.
        folder = private_folder(state_dir() / "kubeconfigs")
        path = folder / f"{len(list(folder.iterdir()))}-{os.urandom(4).hex()}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yaml.safe_dump(kubeconfig(context, access, arguments), file, sort_keys=False)
    except OSError as error:
        raise RefusedError(
            "the kubeconfig for this run cannot be written",
            details=(str(error),),
            todo="See to the folder named above, or set XDG_STATE_HOME to another one.",
        ) from error
    return KubeTarget(path, context)

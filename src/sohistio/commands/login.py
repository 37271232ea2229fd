"""login: the cluster for kubectl and istioctl."""

from __future__ import annotations

import os

from sohistio.adapters.kubernetes.user_kubeconfig import merge_context, user_kubeconfig
from sohistio.commands.common import say, session_of
from sohistio.errors import ExitCode, UsageError
from sohistio.planning.session import Where
from sohistio.system.streams import work_begins


def login(where: Where, *, overwrite: bool) -> int:
    """`sohistio login`: a context named as the cluster, in the user's kubeconfig."""
    session = session_of(where)
    if session.aks is None:
        raise UsageError(
            f"the environment {session.environment.name} names no AKS cluster",
            todo="Only clusters of `cluster.aks` are logged in to; the sandbox has `sohistio sandbox env`.",
        )
    aks, path = session.aks, user_kubeconfig(os.environ)
    access = aks.access
    aks.azure.tokens.token()  # better to miss it now than in kubectl
    arguments = aks.azure.login.arguments()
    work_begins()
    changed = merge_context(path, aks.place.name, access, arguments, overwrite=overwrite)
    say(f"{path}: context {aks.place.name} {'leads' if changed else 'led already'} to {access.server}")
    say(f"kubectl --context {aks.place.name} get nodes")
    return ExitCode.OK

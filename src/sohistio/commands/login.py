"""`sohistio login`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import AuthKind, Cluster, Target
from sohistio.model.auth import Auth


@examples(
    "sohistio login --env qa",
    "sohistio login --env qa --auth azure-cli --overwrite",
)
def login(
    target: Target,
    auth: AuthKind = Auth.AUTO,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a context of this name that leads somewhere else.")
    ] = False,
) -> None:
    """Add the environment's AKS cluster to your kubeconfig.

    kubectl and istioctl then log in by themselves.
    """
    import os

    from sohistio.adapters.kubernetes.user_kubeconfig import merge_context, user_kubeconfig
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import UsageError
    from sohistio.output.console import say
    from sohistio.system.streams import work_begins

    session = session_of(where_of(target, Cluster(auth=auth)))
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

"""login and aks-token: the cluster for kubectl and istioctl."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime

from sohistio.azure.azure import AzureLogin
from sohistio.azure.login import Login
from sohistio.cluster.logins import exec_credential
from sohistio.cluster.userconfig import merge_context, user_kubeconfig
from sohistio.commands.common import session_of
from sohistio.errors import ExitCode, UsageError
from sohistio.session import Where

# A token is called ended this long before it ends, or in the last third of a short life: kubectl and istioctl do not
# send a request again that was rejected with a token that ended on its way.
_EARLY_SECONDS = 60.0


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
    changed = merge_context(path, aks.place.name, access, arguments, overwrite=overwrite)
    print(f"{path}: context {aks.place.name} {'leads' if changed else 'led already'} to {access.server}")
    print(f"kubectl --context {aks.place.name} get nodes")
    return ExitCode.OK


def aks_token(asked: Login) -> None:
    """`sohistio aks-token`: a token on stdout, and nothing else."""
    azure = AzureLogin(asked)
    token = azure.cluster_token(azure.credential())
    left = max(0.0, token.expires - time.time())
    ends = datetime.fromtimestamp(token.expires - min(_EARLY_SECONDS, left / 3), UTC)
    print(json.dumps(exec_credential(token.value, f"{ends:%Y-%m-%dT%H:%M:%SZ}")))

"""aks-token: what kubectl and istioctl run for a token. It loads little: they wait for it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sohistio.adapters.azure.account import AzureLogin
from sohistio.adapters.azure.login import Login
from sohistio.adapters.kubernetes.logins import exec_credential
from sohistio.output.documents import print_json

# A token is called ended this long before it ends, or in the last third of a short life: kubectl and istioctl do not
# send a request again that was rejected with a token that ended on its way.
_EARLY_SECONDS = 60.0


def aks_token(asked: Login) -> None:
    """`sohistio aks-token`: a token on stdout, and nothing else."""
    azure = AzureLogin(asked)
    token = azure.cluster_token(azure.credential())
    left = max(0.0, token.expires - time.time())
    ends = datetime.fromtimestamp(token.expires - min(_EARLY_SECONDS, left / 3), UTC)
    print_json(exec_credential(token.value, f"{ends:%Y-%m-%dT%H:%M:%SZ}"))

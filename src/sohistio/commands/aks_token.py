"""`sohistio aks-token`: what kubectl and istioctl run for a token. It loads little: they wait for it."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import AuthKind
from sohistio.model.auth import Auth

# A token is called ended this long before it ends, or in the last third of a short life: kubectl and istioctl do not
# send a request again that was rejected with a token that ended on its way.
_EARLY_SECONDS = 60.0


@examples(
    "sohistio aks-token",
    "sohistio aks-token --auth workload-identity --tenant TENANT_ID",
)
def aks_token(
    auth: AuthKind = Auth.AUTO,
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Where the login has several.")] = None,
    subscription: Annotated[
        str | None, typer.Option("--subscription", metavar="ID", help="The cluster's, for the Azure CLI.")
    ] = None,
    authority: Annotated[
        str | None, typer.Option("--authority", metavar="HOST", help="Who gives tokens; default: the public cloud.")
    ] = None,
    resource_manager: Annotated[
        str, typer.Option("--resource-manager", metavar="URL", help="The resource manager that goes with --authority.")
    ] = "https://management.azure.com",
    no_instance_discovery: Annotated[
        bool, typer.Option("--no-instance-discovery", help="The authority is not known to the public one.")
    ] = False,
) -> None:
    """Print a token for AKS, as kubectl's ExecCredential.

    Kubeconfigs that `sohistio login` wrote run it.
    """
    import time
    from datetime import UTC, datetime

    from sohistio.adapters.azure.account import AzureLogin
    from sohistio.adapters.azure.login import Login
    from sohistio.adapters.kubernetes.logins import exec_credential
    from sohistio.model.managed_cluster import AzureCloud
    from sohistio.output.documents import print_json

    cloud = AzureCloud(authority, resource_manager, not no_instance_discovery) if authority else None
    azure = AzureLogin(Login(auth, tenant, subscription, cloud))
    token = azure.cluster_token(azure.credential())
    left = max(0.0, token.expires - time.time())
    ends = datetime.fromtimestamp(token.expires - min(_EARLY_SECONDS, left / 3), UTC)
    print_json(exec_credential(token.value, f"{ends:%Y-%m-%dT%H:%M:%SZ}"))

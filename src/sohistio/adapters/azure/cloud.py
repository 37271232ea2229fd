"""The endpoints of a cloud: who gives tokens, and where the resource manager is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from sohistio.errors import UsageError
from sohistio.model.managed_cluster import AzureCloud

AUTHORITY_VARIABLE = "AZURE_AUTHORITY_HOST"
_PUBLIC = "https://login.microsoftonline.com"
_PUBLIC_MANAGER = "https://management.azure.com"
# The clouds that Microsoft runs: who knows the authority knows the resource manager.
_MANAGERS = {
    "login.microsoftonline.us": "https://management.usgovcloudapi.net",
    "login.chinacloudapi.cn": "https://management.chinacloudapi.cn",
    "login.partner.microsoftonline.cn": "https://management.chinacloudapi.cn",
}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """URLs without a final slash; `scope` is what tokens for the resource manager are asked for."""

    authority: str
    resource_manager: str
    instance_discovery: bool = True

    @property
    def scope(self) -> str:
        return f"{self.resource_manager}/.default"


def endpoints(cloud: AzureCloud | None, variables: Mapping[str, str]) -> Endpoints:
    """The environment's cloud, else that of AZURE_AUTHORITY_HOST, else the public one. Raises UsageError."""
    if cloud is not None:
        authority = _url(cloud.authority, "cluster.aks.cloud.authority")
        manager = _url(cloud.resource_manager, "cluster.aks.cloud.resourceManager")
        return Endpoints(authority, manager, cloud.instance_discovery)
    authority = _url(variables.get(AUTHORITY_VARIABLE) or _PUBLIC, AUTHORITY_VARIABLE)
    return Endpoints(authority, _MANAGERS.get(urlsplit(authority).hostname or "", _PUBLIC_MANAGER))


def _url(text: str, source: str) -> str:
    url = text.strip() if "://" in text else f"https://{text.strip()}"
    if not url.startswith("https://") or not urlsplit(url).hostname:
        raise UsageError(f"{source} is {text!r}, which is no https URL", todo="Tokens are only ever sent over TLS.")
    return url.rstrip("/")

"""How an environment names its AKS cluster."""

from __future__ import annotations

from pydantic import Field

from sohistio.environments.values import Part, Text
from sohistio.model.managed_cluster import AksPlace, AzureCloud


class Cloud(Part):
    """A cloud that is not the public one: sovereign or the company's own."""

    authority: Text = Field(description="Host that gives tokens, such as login.microsoftonline.us")
    resource_manager: Text = Field(
        description="URL of the resource manager, such as https://management.usgovcloudapi.net"
    )
    instance_discovery: bool = Field(
        True, description="false where the authority is not known to Microsoft's public one"
    )

    def endpoints(self) -> AzureCloud:
        """The same as plain data."""
        return AzureCloud(self.authority, self.resource_manager, self.instance_discovery)


class Aks(Part):
    """The cluster's place in Azure."""

    subscription: Text = Field(description="Id of the subscription")
    resource_group: Text
    name: Text = Field(description="Name of the cluster, which login gives to the context as well")
    tenant: Text | None = Field(None, description="Id of the tenant, where the login has several")
    cloud: Cloud | None = Field(None, description="The public cloud where it is left out")

    def place(self) -> AksPlace:
        """The same as plain data."""
        cloud = self.cloud.endpoints() if self.cloud else None
        return AksPlace(self.subscription, self.resource_group, self.name, self.tenant, cloud)

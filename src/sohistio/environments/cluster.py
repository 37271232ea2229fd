"""Keys `cluster`: which cluster an environment is, and the size of its node pool."""

from __future__ import annotations

from pydantic import Field, model_validator

from sohistio.environments.aks import Aks
from sohistio.environments.values import Count, Name, Part, Text


class Nodes(Part):
    """The size of the cluster's node pool."""

    min: Count
    max: Count
    size: Text = Field(description="Azure's name of the virtual machine size")

    @model_validator(mode="after")
    def _min_not_above_max(self) -> Nodes:
        if self.min > self.max:
            raise ValueError(f"expected min at most max, got {self.min} and {self.max}")
        return self


class Cluster(Part):
    """Which cluster: one of AKS, a context of the kubeconfig, or a sandbox of this machine."""

    aks: Aks | None = Field(None, description="An AKS cluster; sohistio logs in to it by itself")
    context: Text | None = Field(None, description="Context of the kubeconfig, for a cluster that is not AKS")
    sandbox: Name | None = Field(None, description="Name of a sandbox, in place of a context")
    nodes: Nodes | None = Field(None, description="What the cluster's node pool is meant to have")

    @model_validator(mode="after")
    def _one_of_them(self) -> Cluster:
        if [self.aks, self.context, self.sandbox].count(None) != 2:
            raise ValueError("expected one of aks, context and sandbox")
        return self

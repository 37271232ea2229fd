"""Everything of Azure's packages that is imported late to ask for a cluster; to be imported by one thread alone."""

import azure.core.exceptions
import azure.core.pipeline.policies
import azure.core.rest
import azure.identity
import azure.mgmt.containerservice

__all__ = ["azure"]

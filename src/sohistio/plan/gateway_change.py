"""A change of a live gateway's Service that moves, exposes or cuts traffic: it needs a yes. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.model.state import ObjectRef
from sohistio.plan.changes import FieldChange

# Where a Service asks for its address: the annotation of cloud-provider-azure, and the deprecated field.
ADDRESS = "metadata.annotations.service.beta.kubernetes.io/azure-load-balancer-ipv4"
OLD_ADDRESS = "spec.loadBalancerIP"


@dataclass(frozen=True, slots=True)
class GatewayChange:
    """What the plan does to the Service of a gateway that is there: `words` are the predicate of a sentence, `fields`
    are the ones that do it.
    """

    service: ObjectRef
    words: str
    fields: tuple[FieldChange, ...]

    @property
    def moves_address(self) -> bool:
        """Whether the address that the Service asks for changes."""
        return any(field.path in (ADDRESS, OLD_ADDRESS) for field in self.fields)

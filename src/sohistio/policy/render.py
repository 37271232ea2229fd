"""All objects of a policy, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sohistio.model.policy import Policy
from sohistio.policy.access import authorization_policies, request_authentications
from sohistio.policy.defaults import default_objects
from sohistio.policy.egress import egress_objects
from sohistio.policy.ingress import ingress_objects
from sohistio.policy.mtls import peer_authentications
from sohistio.policy.objects import Object, labelled
from sohistio.policy.telemetry import telemetry_objects


@dataclass(frozen=True, slots=True)
class Rendered:
    """`ways_out` must be there before undeclared hosts are closed; `others` come last, what opens a host after what
    guards it.
    """

    ways_out: tuple[Object, ...] = ()
    others: tuple[Object, ...] = ()

    @property
    def objects(self) -> tuple[Object, ...]:
        """All of them, in order."""
        return self.ways_out + self.others

    def without(self, namespaces: Collection[str]) -> Rendered:
        """The same without the objects of these namespaces."""
        return Rendered(_outside(self.ways_out, namespaces), _outside(self.others, namespaces))


def rendered(policy: Policy, environment: str) -> Rendered:
    """What is applied for an environment."""
    others = [
        *telemetry_objects(policy),
        *default_objects(policy),
        *peer_authentications(policy),
        *request_authentications(policy),
        *authorization_policies(policy),
        *ingress_objects(policy),
    ]
    return Rendered(
        tuple(labelled(obj, environment) for obj in egress_objects(policy)),
        tuple(labelled(obj, environment) for obj in others),
    )


def _outside(objects: tuple[Object, ...], namespaces: Collection[str]) -> tuple[Object, ...]:
    return tuple(obj for obj in objects if obj["metadata"]["namespace"] not in namespaces)

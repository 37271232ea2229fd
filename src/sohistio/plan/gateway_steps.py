"""Steps on the gateways' own objects. Frozen data, as in steps.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sohistio.model.state import ObjectRef
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class ReleaseGateways:
    """Take istioctl's labels off the gateways' objects, so that an uninstall leaves them serving.

    A mark of sohistio takes their place, so that they are the mesh's for us, also where the run dies here. `gateways`
    are the Deployments; with `others_too` it takes them off any other gateway as well.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    gateways: tuple[ObjectRef, ...]
    others_too: bool = False


@dataclass(frozen=True, slots=True)
class RelabelGateways:
    """Put istioctl's labels back on what was released and not installed anew, and take sohistio's mark off everything.

    `gateways` are the Deployments.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    gateways: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class HandOverAddress:
    """Delete the Service `giver`, which has a static address, and wait until the Service `taker` has got it.

    Azure gives an address once: until `giver` is gone `taker` waits, and in between nobody answers at it.
    """

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    address: str
    giver: ObjectRef
    taker: ObjectRef


@dataclass(frozen=True, slots=True)
class AwaitAddresses:
    """Wait until each Service has its address: Azure moves it well after the apply. The verification says if not."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    addresses: tuple[tuple[ObjectRef, str], ...]


def objects_of(gateway: ObjectRef) -> tuple[ObjectRef, ...]:
    """A gateway's Deployment and all that the chart makes beside it, by the names that it gives."""
    alike = ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget")
    return (
        *(ObjectRef(kind, gateway.namespace, gateway.name) for kind in alike),
        ObjectRef("ServiceAccount", gateway.namespace, f"{gateway.name}-service-account"),
        *(ObjectRef(kind, gateway.namespace, f"{gateway.name}-sds") for kind in ("Role", "RoleBinding")),
    )

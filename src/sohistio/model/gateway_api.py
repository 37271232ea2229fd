"""The Kubernetes Gateway API in a cluster: its CRDs, and AKS application routing, which brings an istiod of its own.

Source: learn.microsoft.com, "Configure ingress with the Kubernetes Gateway API via the application routing add-on for
AKS" and "Install Managed Gateway API CRDs on AKS" (July 2026). Application routing has GatewayClass `approuting-istio`
and an istiod in aks-istio-system that is not revisioned; the mesh add-on's is (asm-1-28), and AKS lets only one of them
be on. Its istiod fails to start while CRDs of istio.io exist; the remedy that is documented deletes these CRDs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

AKS_NAMESPACE = "aks-istio-system"
ROUTING_CLASS = "approuting-istio"
GROUP = "gateway.networking.k8s.io"
AKS = "AKS"
# Of precheck: a CRD does not serve v1beta1, or v1. Tried with 1.31: `istioctl analyze` and istiod wait for ever for v1
# of such a kind, so that istiod never gets ready, although istioctl calls the second a matter of the future.
UNSERVED = frozenset({"IST0156", "IST0172"})
TOO_OLD = UNSERVED | {"IST0176"}
_ADD_ON_REVISION = "asm-"


def is_add_on_revision(revision: str) -> bool:
    """Whether an istiod in aks-istio-system is the mesh add-on's: application routing's has no revision."""
    return revision.startswith(_ADD_ON_REVISION)


@dataclass(frozen=True, slots=True)
class Definition:
    """A CRD of the Gateway API. `bundle` is its release (`v1.5.0`) and `channel` standard or experimental, empty where
    no annotation says so; `owner` is AKS for its managed installation, else the field manager that wrote it.
    """

    name: str
    bundle: str = ""
    channel: str = ""
    owner: str = ""

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor of the bundle; None where it is not readable."""
        return _release(self.bundle)


@dataclass(frozen=True, slots=True)
class ApplicationRouting:
    """What the cluster shows of AKS application routing with the Gateway API.

    `istiods` are its Deployments; `gateway_class` whether its GatewayClass is there, None where that may not be read;
    `labelled` whether `istioctl uninstall` would take its istiod for one of revision default.
    """

    istiods: tuple[str, ...] = ()
    gateway_class: bool | None = False
    labelled: bool = False

    @property
    def evidence(self) -> tuple[str, ...]:
        """What speaks for it, in words; empty where nothing does."""
        found = (f"GatewayClass {ROUTING_CLASS}",) if self.gateway_class else ()
        return (*self.istiods, *found)


@dataclass(frozen=True, slots=True)
class GatewayApi:
    """The Gateway API's CRDs, the number of Istio's own CRDs, and application routing."""

    definitions: tuple[Definition, ...] = ()
    istio_definitions: int = 0
    application_routing: ApplicationRouting = ApplicationRouting()


@dataclass(frozen=True, slots=True)
class Limit:
    """An Istio minor's istiod does not get ready with Gateway API CRDs of `release` or newer.

    `fixed_in` is the first patch of the minor without that fault, None where there is none.
    """

    release: tuple[int, int]
    fixed_in: int | None = None


# Istio minor (1, 29) → its limit.
Limits = Mapping[tuple[int, int], Limit]


def limit_of(limits: Limits, major: int, minor: int) -> Limit | None:
    """The minor's limit. One older than all in the table counts as the oldest: what was not fixed there never was."""
    oldest = min(limits, default=None)
    if oldest is not None and (major, minor) < oldest:
        return Limit(limits[oldest].release)
    return limits.get((major, minor))


def newest(definitions: Sequence[Definition]) -> Definition | None:
    """The CRD of the newest bundle; None where no bundle is readable."""
    known = [item for item in definitions if item.release is not None]
    return max(known, key=lambda item: item.release or (0, 0), default=None)


def listed(definitions: Sequence[Definition]) -> str:
    """Which CRDs there are and whose: `v1.2.1 (standard) of AKS's managed installation`, each once."""
    return ", ".join(dict.fromkeys(_told(item) for item in definitions))


def _told(item: Definition) -> str:
    channel = f" ({item.channel})" if item.channel else ""
    written = f" written by {item.owner}" if item.owner else ""
    whose = " of AKS's managed installation" if item.owner == AKS else written
    return f"{item.bundle or 'of an unknown release'}{channel}{whose}"


def _release(bundle: str) -> tuple[int, int] | None:
    parts = bundle.removeprefix("v").split(".")
    if len(parts) < 2 or not all(part.isdecimal() and len(part) < 4 for part in parts[:2]):
        return None
    return int(parts[0]), int(parts[1])

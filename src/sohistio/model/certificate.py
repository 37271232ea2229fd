"""Certificates as far as sohistio looks at them: never a key. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from sohistio.model.authority import LiveAuthority
from sohistio.model.state import ObjectRef

AUTHORITY_DAYS = 90
"""When the end of a CA is worth a warning: it takes longer to renew than a server's certificate, as somebody else signs
it, and every workload restarts."""
GATEWAY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificate:
    """`fingerprint` is the SHA-256 of its DER form, in hex; `expires` in seconds since 1970, `expires_on` the same as
    an ISO 8601 date in UTC.
    """

    fingerprint: str
    expires: float
    expires_on: str


@dataclass(frozen=True, slots=True)
class GatewayCertificate:
    """The certificate of a Secret that a Gateway names: None where there is none, or none that can be read; `unread`
    where the user lacks permission to get the Secret.
    """

    secret: ObjectRef
    certificate: Certificate | None
    unread: bool = False

    @property
    def absence(self) -> str:
        """That there is none, in a sentence; empty where there is one, or where nobody knows."""
        if self.unread or self.certificate is not None:
            return ""
        return f"a Gateway names {self.secret}, which does not exist or holds no certificate that can be read"


@dataclass(frozen=True, slots=True)
class WorkloadLife:
    """How long workloads' certificates live, in seconds: what proxies ask for (`SECRET_TTL`), and the most that istiod
    signs (`MAX_WORKLOAD_CERT_TTL`), which refuses anything longer.
    """

    asked: int = 24 * 3600
    most: int = 90 * 24 * 3600


@dataclass(frozen=True, slots=True)
class MeshCertificates:
    """All that a mesh and its gateways live by."""

    authority: LiveAuthority = field(default_factory=LiveAuthority)
    gateways: tuple[GatewayCertificate, ...] = ()
    workloads: WorkloadLife = field(default_factory=WorkloadLife)

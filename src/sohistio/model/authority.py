"""The certificate authority of a mesh: where the environment has one from, and what signs in a cluster. Plain data.

No key is in any of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef

PLUGGED_IN, SELF_SIGNED = "cacerts", "istio-ca-secret"
"""The Secrets that istiod signs with: the first beats the second, which it makes itself where there is neither
(istio.io, "Plug in CA Certificates")."""
AUTHORITY_SECRET = ObjectRef("Secret", ISTIO_NAMESPACE, PLUGGED_IN)


@dataclass(frozen=True, slots=True)
class AuthoritySource:
    """Where the CA's parts are: paths from the environment's folder, or names of secrets in `vault` (a URL)."""

    certificate: str
    key: str
    root: str
    chain: str
    vault: str = ""


@dataclass(frozen=True, slots=True)
class AuthorityCertificate:
    """A CA's certificate. `fingerprint` is the SHA-256 of its DER form in hex, `expires` is in seconds since 1970."""

    subject: str
    issuer: str
    fingerprint: str
    expires: float
    expires_on: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA with its chain and roots; `certificate` is None where it is not known or cannot be read."""

    certificate: AuthorityCertificate | None = None
    chain: tuple[AuthorityCertificate, ...] = ()
    roots: tuple[AuthorityCertificate, ...] = ()

    @property
    def all(self) -> tuple[AuthorityCertificate, ...]:
        """Those that a workload's certificate is trusted through, each once: the CA's own, the chain's, and the root.

        Of several roots it is the one that signed, the longest-lived where that is not known: the others are a
        rotation's.
        """
        path = [*([self.certificate] if self.certificate else []), *self.chain]
        signers = {item.issuer for item in path}
        roots = [root for root in self.roots if root.subject in signers] or list(self.roots)
        path += [max(roots, key=lambda root: root.expires)] if roots else []
        return tuple({item.fingerprint: item for item in path}.values())

    def trusts_as(self, other: Authority) -> bool:
        """Whether the two have a root in common."""
        return bool({item.fingerprint for item in self.roots} & {item.fingerprint for item in other.roots})


@dataclass(frozen=True, slots=True)
class LiveAuthority:
    """What signs in a cluster: `secret` is the Secret's name, empty where there is none; `self_signed` where istiod
    made it itself.

    `unread` where the user lacks permission to get the Secrets: then `authority` has the root alone, as every namespace
    has it (ConfigMap istio-ca-root-cert). `published` is that root in any case.
    """

    secret: str = ""
    authority: Authority = Authority()
    published: tuple[AuthorityCertificate, ...] = ()
    unread: bool = False
    self_signed: bool = False

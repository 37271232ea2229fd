"""mTLS between workloads: strict for the mesh, permissive where a migration needs it."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.model.policy import Policy
from sohistio.policy.objects import ROOT, Object, made

_NAME = "default"
"""As Istio's documentation names it; of several in a namespace only the oldest counts."""


def peer_authentications(policy: Policy) -> Iterator[Object]:
    """Namespaces first: none of them is closed for a moment by what holds for the mesh. None in stage audit."""
    mtls = policy.mtls
    if mtls is None or policy.is_audit:
        return
    for namespace in sorted(mtls.permissive):
        yield made("PeerAuthentication", namespace, _NAME, {"mtls": {"mode": "PERMISSIVE"}})
    yield made("PeerAuthentication", ROOT, _NAME, {"mtls": {"mode": "STRICT" if mtls.strict else "PERMISSIVE"}})

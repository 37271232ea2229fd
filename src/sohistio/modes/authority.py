"""What an install does about the mesh's certificate authority: plug in the declared one first of all, or nothing. Pure.

Whatever signs in a mesh that runs is never replaced here: a root that changes at once breaks every connection
(linkerd2#4287, istio#30947).
"""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.model.authority import AUTHORITY_SECRET, Authority, LiveAuthority
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.plan import Phase

_IN_USE = (
    "A root is rotated in stages, and sohistio does not do that: 1. put both roots into root-cert.pem of Secret "
    "istio-system/cacerts, beside the CA that signs now; 2. restart istiod, then all workloads, until each trusts "
    "both; 3. put the new CA's certificate, key and chain there and restart the same way; 4. take the old root out. "
    "docs/certificates.md has the commands. Until then leave policy.authority out. Nothing was changed."
)
_LEFT_OVER = (
    f"There is no istiod. If no sidecar of the old mesh runs any more, delete it (`kubectl -n {ISTIO_NAMESPACE} delete "
    "secret {name}`) and install; otherwise leave policy.authority out. Nothing was changed."
)
_FAULTY = "Correct what is named, in the files or secrets of policy.authority. Nothing was changed."


@dataclass(frozen=True, slots=True)
class AuthorityPlan:
    """The phase before the first control plane, or why a run is refused, or what a reader of the plan must know."""

    phases: tuple[Phase, ...] = ()
    refusal: str = ""
    todo: str = ""
    notices: tuple[str, ...] = ()


def has_one(live: LiveAuthority, state: ClusterState) -> bool:
    """Whether something signs already, or did for an istiod that is there.

    A root that an uninstalled mesh published is none: istiod would make another.
    """
    return bool(live.secret) or bool(live.published and state.istiods)


def authority_plan(
    declared: Authority, faults: tuple[str, ...], live: LiveAuthority, state: ClusterState
) -> AuthorityPlan:
    """`faults` are those of the declared CA, whose key is among what was looked at where there is none yet.

    `live` has been read; who lacks permission to is stopped before, unless the published root is enough.
    """
    if not has_one(live, state):
        return _first(declared, faults)
    if live.self_signed:
        name = f"Secret {ISTIO_NAMESPACE}/{live.secret}"
        what = f"istiod's own self-signed root signs ({name}), and policy.authority declares another CA"
        return AuthorityPlan(refusal=what, todo=_todo(state, live.secret))
    if not live.authority.roots:
        what = f"{AUTHORITY_SECRET} holds no root certificate that can be read: it cannot be compared"
        return AuthorityPlan(refusal=what, todo=_todo(state, AUTHORITY_SECRET.name))
    if not declared.trusts_as(live.authority):
        what = f"the mesh has another root ({_subjects(live.authority)}) than policy.authority ({_subjects(declared)})"
        return AuthorityPlan(refusal=what, todo=_todo(state, AUTHORITY_SECRET.name))
    return AuthorityPlan(notices=(*_other_certificate(declared, live), *map(_as_notice, faults)))


def _first(declared: Authority, faults: tuple[str, ...]) -> AuthorityPlan:
    if faults or declared.certificate is None:
        return AuthorityPlan(refusal=f"the CA of policy.authority cannot sign: {'; '.join(faults)}", todo=_FAULTY)
    own = declared.certificate
    roots = tuple(sorted(item.fingerprint for item in declared.roots))
    until = min((own, *declared.chain, *declared.roots), key=lambda item: item.expires).expires_on
    summary = f"create {AUTHORITY_SECRET}: {own.subject or 'a CA without a subject'} signs for the mesh, until {until}"
    step = WriteAuthority("authority/write", summary, AUTHORITY_SECRET, own.fingerprint, roots)
    return AuthorityPlan(phases=(Phase("authority", (step,)),))


def _todo(state: ClusterState, name: str) -> str:
    return _IN_USE if state.istiods or state.carriers or state.unowned_carriers else _LEFT_OVER.format(name=name)


def _subjects(authority: Authority) -> str:
    return ", ".join(f"{item.subject} {item.fingerprint[:12]}" for item in authority.roots)


def _other_certificate(declared: Authority, live: LiveAuthority) -> tuple[str, ...]:
    """An intermediate that was renewed: everybody trusts both, so that no run is stopped."""
    found, wanted = live.authority.certificate, declared.certificate
    if live.unread or found is None or wanted is None or found.fingerprint == wanted.fingerprint:
        return ()
    return (
        f"{AUTHORITY_SECRET} has another certificate ({found.subject}, until {found.expires_on}) of the same root than "
        f"policy.authority ({wanted.subject}, until {wanted.expires_on}): left alone (docs/certificates.md says how to "
        "renew it)",
    )


def _as_notice(fault: str) -> str:
    return f"policy.authority: {fault}"

"""Reads the certificate authority that the environment declares, and how the cluster's compares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sohistio.errors import RefusedError
from sohistio.model.authority import Authority, AuthoritySource, LiveAuthority
from sohistio.model.state import ClusterState
from sohistio.modes.authority import AuthorityPlan, authority_plan, has_one
from sohistio.planning.reads import or_refused
from sohistio.planning.session import Session
from sohistio.system.authority import Material, NamedText, material_faults

_MOST_BYTES = 1 << 18
UNREAD = (
    "The root that the mesh publishes says too little. Role sohistio-installer of rbac/installer.yaml has the right to "
    "get the two Secrets of the CA."
)


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """The declared CA with its faults, what follows for a plan, and what a run writes, which no plan holds.

    Where it could not be settled, `unsettled` says why: a plan can do without, a run cannot.
    """

    declared: Authority | None = None
    faults: tuple[str, ...] = ()
    plan: AuthorityPlan = field(default_factory=AuthorityPlan)
    material: Material | None = None
    unsettled: RefusedError | None = None

    @property
    def notices(self) -> tuple[str, ...]:
        """For a plan."""
        if self.unsettled is None:
            return self.plan.notices
        why = "; ".join((self.unsettled.what, *self.unsettled.details))
        return (f"the certificate authority is not compared, and a run is refused: {why}",)


def look_at_authority(session: Session, state: ClusterState) -> AuthorityFacts:
    """Compare the declared CA with what signs in the cluster. Writes nothing, and reads no Secret without the key
    `policy.authority`. The CA's own key is read only where it is about to be written.
    """
    source = session.environment.mesh_policy().authority
    if source is None:
        return AuthorityFacts()
    from sohistio.adapters.kubernetes.authority import declared_authority, read_authority

    try:
        material = _material(session, source, with_key=False)
        live = or_refused("the mesh's certificate authority could not be read", lambda: read_authority(session.api))
        declared = declared_authority(material)
        if _unknown(declared, live, state):
            raise RefusedError("you lack permission to get the Secrets of the mesh's CA", todo=UNREAD)
        if not has_one(live, state):
            material = _material(session, source, with_key=True)
    except RefusedError as error:
        return AuthorityFacts(unsettled=error)
    faults = material_faults(material)
    plan = authority_plan(declared, faults, live, state)
    return AuthorityFacts(declared, faults, plan, material if plan.phases else None)


def _unknown(declared: Authority, live: LiveAuthority, state: ClusterState) -> bool:
    """Whether the Secrets matter and could not be read: the published root is enough where it is the declared one."""
    return live.unread and not (state.istiods and declared.trusts_as(live.authority))


def _material(session: Session, source: AuthoritySource, *, with_key: bool) -> Material:
    """Raises RefusedError that names each part that cannot be read."""
    names = [source.certificate, source.root, source.chain, *([source.key] if with_key else [])]
    found: list[NamedText] = []
    problems: list[RefusedError] = []
    for name in names:
        try:
            found.append(_of_vault(session, source.vault, name) if source.vault else _of_file(session, name))
        except RefusedError as error:
            problems.append(error)
    if problems:
        raise RefusedError(
            "the CA that policy.authority declares cannot be read",
            details=tuple(line for error in problems for line in (error.what, *error.details)),
            todo=" ".join(dict.fromkeys(error.todo for error in problems)),
        )
    certificate, root, chain, *key = found
    return Material(certificate, root, chain, key[0] if key else None)


def _of_file(session: Session, name: str) -> NamedText:
    path = Path(session.root) / session.environment.name / name
    try:
        if not path.is_file():  # a pipe or a device may never end
            path.stat()  # says why there is none
            raise RefusedError(f"{path} is not a regular file", todo="Put the file there as it is.")
        if path.stat().st_size > _MOST_BYTES:
            raise RefusedError(f"{path} is larger than {_MOST_BYTES >> 10} KiB", todo="A CA's file holds PEM alone.")
        return NamedText(name, path.read_text(encoding="utf-8-sig", errors="replace"))
    except OSError as error:
        raise RefusedError(
            f"{path} cannot be read: {error.strerror}",
            todo="Put the file there, or correct policy.authority.files.",
        ) from error


def _of_vault(session: Session, vault: str, name: str) -> NamedText:
    from sohistio.adapters.azure.key_vault import vault_secret

    # A secret that was set on a command line often has \n in place of ends of lines: PEM has no backslash.
    text = vault_secret(vault, name, session.azure_login().credential()).replace("\\n", "\n")
    return NamedText(f"the secret {name} of {vault}", text)

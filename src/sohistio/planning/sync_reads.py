"""What `sohistio sync` reads of its two clusters, and of the two environments' files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sohistio.adapters.kubernetes.api import KubeError, Object
from sohistio.adapters.kubernetes.certificates import read_certificate
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.sync import Configuration, cluster_uid, read_configuration
from sohistio.errors import RefusedError
from sohistio.model.certificate import Certificate
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.sync import SyncRules
from sohistio.planning.reads import or_refused, unreadable
from sohistio.planning.session import Session
from sohistio.sync.certificates import CertificatePair, NamedSecret, certificate_differences, named_secrets
from sohistio.sync.differences import Difference
from sohistio.sync.exclusions import idle_exclusions
from sohistio.sync.files import environment_differences, operator_differences
from sohistio.sync.side import Side
from sohistio.system.parallel import side_by_side


@dataclass(frozen=True, slots=True)
class Observed:
    """One of the two clusters as it is now; `uid` distinguishes it from all others."""

    side: Side
    state: ClusterState
    uid: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of a cluster just now: its state; `resources` gives Istio's custom resources, None where they are
    still to be read.
    """

    state: ClusterState
    resources: Callable[[], Sequence[Object]] | None = None


@contextmanager
def naming(session: Session) -> Iterator[None]:
    """A refusal within the block says whose it is: there are two clusters."""
    try:
        yield
    except RefusedError as error:
        named = f"{session.environment.name}: {error.what}"
        raise RefusedError(
            named, details=error.details, todo=error.remedy, again=error.again, docs=error.docs
        ) from error


def observed(session: Session, seen: Seen | None = None) -> Observed:
    """Read what of a cluster was not `seen`. Raises RefusedError that names the environment where it cannot be read."""
    with naming(session):
        state = seen.state if seen else observe(session.api)
        if state.unreadable:
            raise unreadable(state)

        def read() -> tuple[Configuration, str]:
            resources = seen.resources if seen else None
            return read_configuration(session.api, resources), cluster_uid(session.api)

        found, uid = or_refused("the mesh's configuration could not be read", read)
    ending, lasting = (
        frozenset(item.name for item in state.namespaces if item.ending is is_so) for is_so in (True, False)
    )
    return Observed(Side(session.environment.name, found.objects, lasting, found.kinds, ending), state, uid)


def file_differences(source: Session, target: Session) -> tuple[Difference, ...]:
    """How the two environments' files differ where they should not; both rendered for the source's version."""
    environments = (source.environment, target.environment)
    names = (environments[0].name, environments[1].name)
    rules, version = environments[1].sync_rules, environments[0].istio.version
    documents = [environment.document() for environment in environments]
    operators = [environment.operator_for(version, gateways_off=False) for environment in environments]
    return (
        *environment_differences(documents[0], documents[1], rules, names),
        *operator_differences(operators[0], operators[1], rules, names),
    )


def certificates(
    source: tuple[Session, Observed], target: tuple[Session, Observed]
) -> tuple[tuple[CertificatePair, ...], tuple[Difference, ...]]:
    """The certificates that the source's Gateways name, in both clusters, and how they differ. Raises RefusedError.

    One that the user lacks permission to read is reported as not compared.
    """
    (from_session, of_source), (to_session, of_target) = source, target
    names = (of_source.side.name, of_target.side.name)
    gateways = (of_source.state.mesh_deployments, of_target.state.mesh_deployments)
    secrets = named_secrets(of_source.side.objects, *gateways, to_session.environment.sync_rules)

    def read(secret: NamedSecret) -> CertificatePair:
        empty: list[str] = []
        unread: list[str] = []

        def held(session: Session, ref: ObjectRef) -> Certificate | None:
            name = session.environment.name
            try:
                found = read_certificate(session.api, ref)
            except KubeError as error:
                if error.status not in (403, 404):
                    raise
                if error.status == 403:
                    unread.append(name)
                return None
            if found is None:
                empty.append(name)
            return found

        both = held(from_session, secret.there), held(to_session, secret.ref)
        return CertificatePair(secret, *both, tuple(empty), tuple(unread))

    pairs = tuple(or_refused("the gateways' certificates could not be read", lambda: side_by_side(read, secrets)))
    return pairs, tuple(certificate_differences(pairs, time.time(), names))


def exclusion_differences(source: Observed, target: Observed, rules: SyncRules) -> tuple[Difference, ...]:
    """The exclusions that match nothing which either cluster has, or a Gateway of the source names."""
    gateways = (source.state.mesh_deployments, target.state.mesh_deployments)
    secrets = {item.ref for item in named_secrets(source.side.objects, *gateways, SyncRules())}
    refs = source.side.objects.keys() | target.side.objects.keys() | secrets
    return tuple(idle_exclusions(rules, refs, (source.side.name, target.side.name)))

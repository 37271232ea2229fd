"""The gate before every command that writes: is this the cluster that the environment means?"""

from __future__ import annotations

import os

from sohistio.adapters.kubernetes.record_store import NotUnderstoodError
from sohistio.environments.load import Environment, load_environment
from sohistio.errors import RefusedError, SohistioError, UsageError
from sohistio.model.fault import Fault
from sohistio.model.managed_cluster import ManagedCluster
from sohistio.planning import cluster_identity
from sohistio.planning.cluster_identity import cluster_faults, environment_faults
from sohistio.planning.reads import recorded
from sohistio.planning.session import Session
from sohistio.system.parallel import within

_AZURE_SECONDS = 10.0


def check_right_cluster(session: Session, *, again: bool = False, without_record: bool = False) -> None:
    """Ask Azure and the record, `again` where Azure was asked earlier. `without_record` goes on where it is damaged.

    Raises RefusedError with all that is wrong, before anything is written.
    """
    if again and session.aks is not None:
        session.aks.look_again()
    faults = list(found_faults(session, without_record=without_record))
    blocking = [fault for fault in faults if fault.blocks]
    for fault in faults:
        if not fault.blocks:
            session.say(f"note: {fault.message}")
    if blocking:
        first, *others = blocking
        raise RefusedError(
            first.message,
            details=tuple(fault.message for fault in others),
            todo=" ".join(dict.fromkeys(fault.hint for fault in blocking)) + " Nothing was changed.",
        )


def found_faults(session: Session, *, without_record: bool = False) -> tuple[Fault, ...]:
    """What is wrong, leaving out what --skip-check names. Raises RefusedError where Azure cannot be asked."""
    by_azure, by_record = azure_faults(session), tuple[Fault, ...]()
    try:
        by_record = recorded_faults(session)
    except NotUnderstoodError as error:
        if not without_record:
            raise
        session.say(f"note: {error.what}; it is left as it is")
    return tuple(
        fault
        for fault in (*by_azure, *by_record)
        if fault.rule not in session.where.skip_checks or not fault.can_be_skipped
    )


def azure_faults(session: Session) -> tuple[Fault, ...]:
    """What Azure tells against it. Raises RefusedError where Azure cannot be asked."""
    # A broken kubeconfig is reported first; with our own login there is none, and a stopped cluster has no API server.
    server = "" if session.logs_in else session.api.server
    managed = managed_of(session)
    faults = cluster_faults(managed, server) if managed else ()
    if session.logs_in:  # Azure itself gave the address, which may be a third name of the API server
        return tuple(fault for fault in faults if fault.rule != cluster_identity.IDENTITY)
    return faults


def managed_of(session: Session) -> ManagedCluster | None:
    """The AKS cluster as Azure tells of it, None where there is none to ask about, or where Azure cannot be asked about
    a kubeconfig given by hand and --skip-check says that it is right. Raises RefusedError where it has to be asked.
    """
    if cluster_identity.IDENTITY in session.where.skip_checks and not session.logs_in:
        return _managed_if_it_answers(session)
    try:
        return session.managed_cluster
    except RefusedError as error:
        if session.logs_in:
            raise
        raise RefusedError(
            f"it cannot be confirmed that {session.api.server} is the AKS cluster of {session.environment.name}",
            details=(error.what, *error.details),
            todo=f"{error.todo} If you know that it is: --skip-check {cluster_identity.IDENTITY} "
            f"(of a failover: --accept {cluster_identity.IDENTITY} --because …).".strip(),
        ) from error


def _managed_if_it_answers(session: Session) -> ManagedCluster | None:
    """Somebody answers for this kubeconfig: in an emergency Azure is not waited for long, nor asked twice."""

    def asked() -> ManagedCluster | SohistioError | None:
        try:
            return session.managed_cluster
        except SohistioError as error:
            return error

    if session.azure_is_silent:
        return None
    late = RefusedError(f"no answer from Azure within {_AZURE_SECONDS:.0f} s", todo="Check the network and the proxy.")
    found = within(_AZURE_SECONDS, asked, late)
    if isinstance(found, RefusedError):
        session.azure_is_silent = True
        session.say(f"not confirmed that this is the right cluster: {found.what}")
        return None
    if isinstance(found, SohistioError):
        raise found
    return found


def recorded_faults(session: Session) -> tuple[Fault, ...]:
    """Whether the record in the cluster is another environment's. Raises RefusedError where it cannot be read."""
    record = recorded(session)
    name = record.environment if record else None
    if session.sandbox is not None and (_is_sandboxed(session.environment) or _is_sandboxed(_known(session, name))):
        return ()  # a sandbox is there to try environments on
    return environment_faults(session.environment.name, name)


def _is_sandboxed(environment: Environment | None) -> bool:
    return environment is not None and environment.cluster.sandbox is not None


def _known(session: Session, name: str | None) -> Environment | None:
    """Another environment of the folder, None where there is none or it is not valid."""
    try:
        return load_environment(name, session.root, os.environ) if name else None
    except UsageError:
        return None

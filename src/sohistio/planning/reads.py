"""What planning reads beyond the state: the comparison and the record. A failure is a refusal: nothing was touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.compare import compare
from sohistio.adapters.kubernetes.live_objects import LiveObjects
from sohistio.adapters.kubernetes.owners import object_owners
from sohistio.adapters.kubernetes.record_store import read_record
from sohistio.errors import RefusedError
from sohistio.model.record import Record
from sohistio.model.state import ClusterState
from sohistio.plan.changes import Changes
from sohistio.plan.ownership import ObjectOwners
from sohistio.planning.session import Session

_Read = TypeVar("_Read")


def live_objects(session: Session, manifest: list[dict[str, Any]]) -> LiveObjects:
    """The manifest's objects as the cluster has them. Raises RefusedError."""
    return or_refused("the mesh's objects could not be read", lambda: LiveObjects(session.api, manifest))


def compared(session: Session, manifest: list[dict[str, Any]], live: LiveObjects, record: Record | None) -> Changes:
    """The manifest against the cluster. Raises RefusedError, also with what admission or a quota denies."""
    earlier = record.gateway_namespaces if record else ()
    what = "the manifest could not be compared with the cluster"
    return or_refused(what, lambda: compare(session.api, manifest, live, earlier))


def owned(session: Session, manifest: list[dict[str, Any]], live: LiveObjects) -> tuple[ObjectOwners, ...]:
    """The manifest's objects that others than istioctl have a say in. Raises RefusedError."""
    what = "whose the mesh's objects are could not be read"
    return or_refused(what, lambda: object_owners(session.api, manifest, live))


def unreadable(state: ClusterState) -> RefusedError:
    """The refusal of a look that is not whole."""
    return RefusedError(
        "the cluster could not be read",
        details=state.unreadable,
        todo="Check the network (VPN), the kubeconfig and your login; what is forbidden takes the role of "
        "rbac/reader.yaml. Nothing was changed.",
    )


def recorded(session: Session) -> Record | None:
    """The record, None where there is none. Raises RefusedError."""
    return or_refused("the record of earlier runs could not be read", lambda: read_record(session.api))


def or_refused(what: str, read: Callable[[], _Read]) -> _Read:
    """What is read. Raises RefusedError that says `what` where the API server does not give it."""
    try:
        return read()
    except KubeError as error:
        raise RefusedError(
            what,
            details=(error.what, *error.details),
            todo=error.todo or "Fix what the API server says, or try again. Nothing was changed.",
        ) from error

"""Adapter: one object applied by one of sohistio's field managers, with errors that name the object."""

from __future__ import annotations

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.ending import why_in_vain
from sohistio.errors import FailedError
from sohistio.model.state import ObjectRef


def apply_object(api: KubeApi, obj: Object, ref: ObjectRef, manager: str, *, force: bool) -> str:
    """Apply one; by `force` fields that others set are taken over. Returns why it will not stay, empty where it will.

    Raises FailedError that names it by `ref` where the server refuses it, and KubeError where nobody answers.
    """
    try:
        return why_in_vain(api.apply(api.path_of(obj), obj, manager, force=force))
    except KubeError as error:
        raise of_object(error, f"{ref} could not be applied") from error


def of_object(error: KubeError, what: str) -> FailedError:
    """The error about an object, in place of one about a request; of a server that does not answer it stays."""
    return FailedError(what, details=error.details or (error.what,), todo=error.todo) if error.status else error

"""Puts back what a backup has."""

from __future__ import annotations

import os
from pathlib import Path

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.restore import restore_object
from sohistio.errors import FailedError
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.plan.backup_steps import RestoreAuthority, RestoreObjects
from sohistio.plan.ownership import OWN_MANAGER
from sohistio.run.each import each
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting
from sohistio.system.backup_folder import read_backup
from sohistio.system.sealing import passphrase, unseal


def restore_objects(tools: Tools, waiting: Waiting, step: RestoreObjects) -> None:
    """Apply every object. Raises FailedError that names those that are refused."""
    failed = "custom resources could not be put back"
    each(waiting, step.parsed, lambda obj: restore_object(tools.api, obj), failed)


def restore_authority(tools: Tools, step: RestoreAuthority) -> None:
    """Create the CA's Secret. Raises FailedError where another one came since, and overwrites none.

    An apply without force, as its rights can be given for this one name; those of a creation cannot.
    """
    sealed = read_backup(Path(step.folder)).sealed_authority or {}
    secret = unseal(sealed, passphrase(os.environ))
    name = secret["metadata"]["name"]
    try:
        tools.api.apply(path_of(ObjectRef("Secret", ISTIO_NAMESPACE, name)), secret, OWN_MANAGER)
    except KubeError as error:
        if error.status != 409:
            raise
        raise FailedError(
            f"Secret {ISTIO_NAMESPACE}/{name} came into being just now: it is not overwritten",
            todo="istiod makes one when it starts without. Look which one the sidecars trust before you delete any.",
        ) from error

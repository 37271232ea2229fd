"""Takes a backup: what a run that goes wrong could cost, copied to a private folder of this machine first."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.custom_resources import annotations_of, custom_resources, digests
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.model.words import first_lines
from sohistio.plan.backup_steps import TakeBackup
from sohistio.run.tools import Tools
from sohistio.system.backup_folder import (
    AUTHORITY,
    CUSTOM_RESOURCES,
    INSTALLED,
    OPERATOR,
    RECORD,
    SEALED_AUTHORITY,
    Document,
    read_backup,
    write_backup,
)
from sohistio.system.sealing import passphrase, seal

CA_SECRETS = ("cacerts", "istio-ca-secret")
# What tells how the mesh was installed where no record does: istioctl's merged values, and what istiod works with.
_INSTALLED = ("values", "istio", "istio-sidecar-injector")
_MOST_NAMED = 20
_SERVERS_OWN = frozenset(
    {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds"}
)


def take_backup(tools: Tools, step: TakeBackup) -> Path:
    """Write the custom resources, the CA's reference (its key only encrypted) and what is installed to a folder.

    Raises FailedError, KubeError, and UsageError where the passphrase is missing.
    """
    resources = custom_resources(tools.api)
    secret = _authority(tools) if step.authority else None
    config_maps = [_config_map(tools, name) for name in _INSTALLED]
    files: dict[str, Document | str] = {
        CUSTOM_RESOURCES: _list([as_written(resource) for resource in resources]),
        AUTHORITY: _reference(tools, secret),
        INSTALLED: _list([as_written(item) for item in config_maps if item]),
    }
    if tools.record is not None and tools.record.current is not None:
        files[OPERATOR] = tools.record.current.operator
    if tools.record is not None:  # a purge takes the record along with the namespace
        files[RECORD] = tools.record.document()
    if step.include_ca:
        files[SEALED_AUTHORITY] = _sealed(secret)
    about = {
        "environment": tools.environment,
        "cluster": tools.api.server,
        "version": str(step.version) if step.version else None,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "customResources": len(resources),
    }
    write_backup(tools.backup, about, files)
    return tools.backup


def check_backup(tools: Tools) -> None:
    """Compare this run's backup with the custom resources as they are now. Raises FailedError, KubeError.

    Minutes lie between a backup and the deletion: what came or changed meanwhile would be lost.
    """
    held = digests(read_backup(tools.backup).custom_resources)
    lost = [
        f"{ref} {'changed after the backup was taken' if ref in held else 'is not in the backup: it came later'}"
        for ref, digest in digests(custom_resources(tools.api)).items()
        if held.get(ref) != digest
    ]
    if lost:
        what = f"{len(lost)} custom resources are not in the backup as they are now: a purge would lose them"
        if len(lost) == 1:
            what = "1 custom resource is not in the backup as it is now: a purge would lose it"
        raise FailedError(
            what,
            details=first_lines(lost, _MOST_NAMED),
            todo="No CRD was deleted; the CA and the namespace are there as well. Run the same command again: it takes "
            "a new backup. If it happens again, stop what writes them (a GitOps controller?) first.",
        )


def as_written(obj: Object) -> Document:
    """As somebody wrote it: without what the server adds, so that it can be applied again."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVERS_OWN}
    if "annotations" in metadata:
        metadata["annotations"] = annotations_of(obj)
    return {key: value for key, value in obj.items() if key != "status"} | {"metadata": metadata}


def _list(items: list[Document]) -> Document:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _config_map(tools: Tools, name: str) -> Object | None:
    return tools.api.get(path_of(ObjectRef("ConfigMap", ISTIO_NAMESPACE, name)))


def _authority(tools: Tools) -> Object | None:
    """The Secret that istiod signs with: cacerts beats its own."""
    found = (tools.api.get(path_of(ObjectRef("Secret", ISTIO_NAMESPACE, name))) for name in CA_SECRETS)
    return next((secret for secret in found if secret is not None), None)


def _reference(tools: Tools, secret: Object | None) -> Document:
    """Which Secret holds the CA and its certificate's fingerprint; never its key."""
    root = {"rootSha256": tools.before.ca_root or None}
    if secret is None:
        return {"secret": None, **root}  # a backup without it  # nosec B105
    certificate = (secret.get("data") or {}).get("ca-cert.pem", "")
    return {
        "secret": f"{ISTIO_NAMESPACE}/{secret['metadata']['name']}",
        "uid": secret["metadata"]["uid"],
        "certificateSha256": hashlib.sha256(certificate.encode()).hexdigest(),
        **root,
    }


def _sealed(secret: Object | None) -> Document:
    phrase = passphrase(os.environ)
    if secret is None:
        raise FailedError(
            f"there is no CA Secret ({' or '.join(CA_SECRETS)}) to include in the backup",
            todo="Another authority signs for this mesh, or none does yet: leave --include-ca out.",
        )
    return seal(as_written(secret), phrase)

"""Writes a backup: what a run that goes wrong could cost, copied to a private folder of this machine first."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from sohistio.cluster.custom_resources import custom_resources
from sohistio.cluster.paths import path_of
from sohistio.errors import FailedError
from sohistio.run.tools import Tools
from sohistio.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.steps import TakeBackup

CA_SECRETS = ("cacerts", "istio-ca-secret")


def take_backup(tools: Tools, step: TakeBackup) -> Path:  # noqa: ARG001 — every executor takes its step
    """Write custom resources, the CA's reference and what is installed to a private folder. Raises FailedError."""
    folder = tools.backup
    resources = custom_resources(tools.api)
    try:
        folder.mkdir(parents=True, mode=0o700)
        _write(
            folder / "custom-resources.json",
            {"apiVersion": "v1", "kind": "List", "items": [_clean(r) for r in resources]},
        )
        _write(folder / "ca.json", _authority(tools))
        if tools.record is not None and tools.record.current is not None:
            _write_text(folder / "istiooperator.yaml", tools.record.current.operator)
        about = {"environment": tools.environment, "cluster": tools.api.server, "customResources": len(resources)}
        _write(folder / "backup.json", {"schemaVersion": "1", **about})
    except OSError as error:
        raise FailedError(
            f"the backup could not be written to {folder}",
            details=(str(error),),
            todo="See to the folder (space, permissions) or set XDG_STATE_HOME; the cluster is as it was.",
        ) from error
    return folder


def _clean(resource: dict[str, Any]) -> dict[str, Any]:
    """As somebody wrote it: without what the server adds, so that it can be applied again."""
    server = {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"}
    metadata = {key: value for key, value in resource["metadata"].items() if key not in server}
    return {key: value for key, value in resource.items() if key != "status"} | {"metadata": metadata}


def _authority(tools: Tools) -> dict[str, Any]:
    """Which Secret holds the CA and its certificate's fingerprint; never its key."""
    for name in CA_SECRETS:
        secret = tools.api.get(path_of(ObjectRef("Secret", ISTIO_NAMESPACE, name)))
        if secret is not None:
            certificate = (secret.get("data") or {}).get("ca-cert.pem", "")
            return {
                "secret": f"{ISTIO_NAMESPACE}/{name}",
                "uid": secret["metadata"]["uid"],
                "certificateSha256": hashlib.sha256(certificate.encode()).hexdigest(),
                "rootSha256": tools.before.ca_root,
            }
    return {"secret": None, "rootSha256": tools.before.ca_root}


def _write(path: Path, document: dict[str, Any]) -> None:
    _write_text(path, json.dumps(document, indent=1) + "\n")


def _write_text(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)

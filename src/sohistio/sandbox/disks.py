"""Stands in for Azure's disks: a PersistentVolumeClaim of the default class gets a volume, which holds nothing."""

from __future__ import annotations

from typing import Any

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError

DEFAULT_CLASS = "default"
"""As AKS names it."""
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_VOLUMES = "/api/v1/persistentvolumes"


class Disks:
    """Remembers only whether the default class is there; volumes are in the cluster."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api
        self._has_class = False

    def follow(self) -> None:
        """Make a volume for each claim that waits for one of the default class. Raises ClusterApiError."""
        if not self._has_class:
            self._create(_CLASSES, _default_class())
            self._has_class = True
        for claim in self._api.items("/api/v1/persistentvolumeclaims"):
            waits = (claim.get("status") or {}).get("phase") == "Pending" and not claim["spec"].get("volumeName")
            if waits and claim["spec"].get("storageClassName") == DEFAULT_CLASS:
                self._create(_VOLUMES, _volume(claim))

    def _create(self, collection: str, obj: dict[str, Any]) -> None:
        try:
            self._api.create(collection, obj)
        except ClusterApiError as error:
            if error.status != 409:  # it is there
                raise


def _default_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": DEFAULT_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "sandbox.sohistio/disk",
        "allowVolumeExpansion": True,
    }


def _volume(claim: dict[str, Any]) -> dict[str, Any]:
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{metadata['uid']}"},
        "spec": {
            "storageClassName": DEFAULT_CLASS,
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "hostPath": {"path": "/nowhere"},
        },
    }

"""Adapter: the mesh's own namespace, made where it is missing."""

from __future__ import annotations

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.model.footprint import NAMESPACE_REF


def ensure_namespace(api: KubeApi) -> None:
    """Make istio-system where it is missing, without labels, as istioctl does. Raises KubeError."""
    if api.get(path_of(NAMESPACE_REF)) is None:
        namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE_REF.name}}
        try:
            api.create(collection_path("Namespace"), namespace)
        except KubeError as error:
            if error.status != 409:  # somebody else was quicker
                raise

"""Adapter: the mesh's configuration, as istiod reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.system.plain_yaml import loaded

_MESH = ObjectRef("ConfigMap", ISTIO_NAMESPACE, "istio")


def mesh_config(api: KubeApi) -> Mapping[str, Any]:
    """What ConfigMap `istio` has of it; empty where it is not there, or holds nothing that can be read.

    Raises KubeError.
    """
    try:
        found = loaded(str(((api.get(path_of(_MESH)) or {}).get("data") or {}).get("mesh") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

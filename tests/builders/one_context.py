"""A kubeconfig with one context, written as a person may have it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sohistio.model.kube_target import KubeTarget


def target(folder: Path, server: Any, user: Mapping[str, Any] = MappingProxyType({}), **cluster: Any) -> KubeTarget:
    """The file and its one context, `x`: keys of its cluster, beside the server, and of its user."""
    path = folder / "kubeconfig"
    document = {
        "clusters": [{"name": "c", "cluster": ({} if server is None else {"server": server}) | cluster}],
        "users": [{"name": "u", "user": dict(user)}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(document))
    return KubeTarget(path, "x")

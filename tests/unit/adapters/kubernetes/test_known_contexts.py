"""Which contexts of a person's kubeconfigs are of an AKS cluster, by az's names and sohistio's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sohistio.adapters.kubernetes.known_contexts import contexts_of
from sohistio.adapters.kubernetes.user_kubeconfig import merge_context
from sohistio.model.managed_cluster import ClusterAccess

SERVER = "https://aks-dr-1.hcp.westeurope.azmk8s.io:443"


def kubeconfig(path: Path, context: str, user: str) -> Path:
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": SERVER}}],
        "users": [{"name": user, "user": {"token": "t"}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": user}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize(
    ("context", "user", "known"),
    [
        ("aks-dr", "clusterUser_rg-dr_aks-dr", True),
        ("mine", "clusterUser_rg-dr_aks-dr", True),
        ("aks-dr-admin", "clusterAdmin_rg-dr_aks-dr", True),
        ("aks-dr", "somebody", True),
        ("mine", "clusterUser_rg-other_aks-dr", False),
        ("mine", "somebody", False),
    ],
)
def test_by_its_names(tmp_path: Path, context: str, user: str, known: bool) -> None:
    path = kubeconfig(tmp_path / "config", context, user)
    found = contexts_of("rg-dr", "aks-dr", {"KUBECONFIG": str(path)})
    assert [(item.context, item.server, item.asks_entra) for item in found] == [(context, SERVER, False)] * known


def test_every_file_is_looked_at_and_ones_own_login_comes_last(tmp_path: Path) -> None:
    own, other, broken = tmp_path / "own", tmp_path / "other", tmp_path / "broken"
    merge_context(own, "aks-dr", ClusterAccess(SERVER, "b2xk"), [], overwrite=False)
    kubeconfig(other, "aks-dr", "somebody")
    broken.write_text("{")
    files = ":".join(map(str, (broken, own, tmp_path / "gone", other)))
    found = contexts_of("rg-dr", "aks-dr", {"KUBECONFIG": files})
    assert [(item.file, item.asks_entra) for item in found] == [(other, False), (own, True)]

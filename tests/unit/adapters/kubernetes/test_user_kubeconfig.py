"""Contexts merged into a person's kubeconfig."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sohistio.adapters.kubernetes.user_kubeconfig import merge_context
from sohistio.errors import RefusedError
from sohistio.model.managed_cluster import ClusterAccess

OLD = ClusterAccess("https://aks-qa-1.hcp.eastus.azmk8s.io:443", "b2xk")
NEW = ClusterAccess("https://aks-qa-2.hcp.westus.azmk8s.io:443", "bmV3")


def server_of(document: dict[str, Any], context: str) -> str:
    (used,) = [item["context"]["cluster"] for item in document["contexts"] if item["name"] == context]
    (server,) = [item["cluster"]["server"] for item in document["clusters"] if item["name"] == used]
    return str(server)


def login_of(document: dict[str, Any], context: str) -> list[str]:
    (used,) = [item["context"]["user"] for item in document["contexts"] if item["name"] == context]
    (args,) = [item["user"]["exec"]["args"] for item in document["users"] if item["name"] == used]
    return list(args)


def test_a_renamed_context_keeps_its_cluster(tmp_path: Path) -> None:
    """As `kubectl config rename-context` does it: the cluster and the user keep their names."""
    path = tmp_path / "config"
    assert merge_context(path, "aks-qa", OLD, ["--tenant=old"], overwrite=False)
    document = yaml.safe_load(path.read_text())
    document["contexts"][0]["name"] = "mine"
    path.write_text(yaml.safe_dump(document))
    assert merge_context(path, "aks-qa", NEW, ["--tenant=new"], overwrite=False)
    document = yaml.safe_load(path.read_text())
    assert {name: server_of(document, name) for name in ("mine", "aks-qa")} == {
        "mine": OLD.server,
        "aks-qa": NEW.server,
    }
    assert login_of(document, "mine")[-1] == "--tenant=old"
    assert login_of(document, "aks-qa")[-1] == "--tenant=new"


def test_a_context_that_leads_elsewhere_is_only_overwritten_when_told(tmp_path: Path) -> None:
    path = tmp_path / "config"
    merge_context(path, "aks-qa", OLD, [], overwrite=False)
    with pytest.raises(RefusedError, match="with another server"):
        merge_context(path, "aks-qa", NEW, [], overwrite=False)
    assert merge_context(path, "aks-qa", NEW, [], overwrite=True)
    assert not merge_context(path, "aks-qa", NEW, [], overwrite=False), "it is there just so"
    assert server_of(yaml.safe_load(path.read_text()), "aks-qa") == NEW.server

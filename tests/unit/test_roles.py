"""The roles of rbac/ as they are shipped: what goes together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

FILES = sorted(Path(__file__).parents[2].glob("rbac/*.yaml"))


def rules(file: Path) -> list[dict[str, Any]]:
    """Of all its roles."""
    documents = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    return [rule for item in documents if item["kind"] in ("Role", "ClusterRole") for rule in item.get("rules") or ()]


def may(file: Path, verb: str, resource: str) -> bool:
    return any(verb in rule["verbs"] and resource in rule.get("resources", ()) for rule in rules(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_who_may_take_the_lock_may_write_the_record_and_its_events(file: Path) -> None:
    takes_the_lock = may(file, "update", "leases")
    assert takes_the_lock is (file.stem in ("installer", "namespaces", "sync"))
    if takes_the_lock:
        assert may(file, "patch", "configmaps")
        assert may(file, "create", "events")


@pytest.mark.parametrize("name", ["sohistio-installer", "sohistio-gateways", "sohistio-restarter"])
def test_who_may_change_deployments_may_try_their_pods(name: str) -> None:
    """By dry runs. An installer's rights in istio-system do not hang on restarts, which may be bound elsewhere only."""
    documents = yaml.safe_load_all((FILES[0].parent / "installer.yaml").read_text(encoding="utf-8"))
    granted = [
        (group, resource, verb)
        for item in documents
        if item["metadata"]["name"] == name and item["kind"] in ("Role", "ClusterRole")
        for rule in item["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert {("", "pods", "create"), ("apps", "deployments", "patch")} <= set(granted)

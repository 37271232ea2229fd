"""A purge that a finalizer holds up: who holds it is named, and nothing counts on what is about to vanish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from every_kind import insist
from killing import LOCAL, route
from sandboxes import Sandbox
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

GUARD = "example.com/guard"
HELD = f"VirtualService shop/web (held by {GUARD})"
CRD = "CustomResourceDefinition virtualservices.networking.istio.io"


def guarded(name: str = "web") -> dict[str, Any]:
    found = route("shop", name)
    found["metadata"]["finalizers"] = [GUARD]
    return found


def release(sandbox: Sandbox, obj: dict[str, Any]) -> None:
    path = sandbox.api.path_of(obj)
    sandbox.api.merge_patch(path, {"metadata": {"finalizers": None}})
    insist(sandbox, lambda api: api.create(path.rpartition("/")[0], obj))


def test_a_purge_that_a_finalizer_holds_up(sandbox: Sandbox) -> None:
    sandbox.with_mesh("1.30.5")
    api = sandbox.api
    apply(api, namespace("shop", injected=False))
    for obj in (guarded(), route("shop", "other")):
        api.create(api.path_of(obj).rpartition("/")[0], obj)
    one_resource_is_no_obstacle(sandbox)

    purged = sandbox.run("uninstall", *LOCAL, "--purge", "--yes", "--confirm", "local", "--component-timeout", "10s")
    assert purged.returncode == 1, purged.stdout + purged.stderr
    assert f"Error: {CRD} is still there after 10 s." in purged.stderr
    assert f"{CRD} is still there: waiting" in purged.stdout, "said while it waits, with what holds it"
    assert "held by example.com/guard" in purged.stdout
    assert f"    {HELD}\n" in purged.stderr
    (folder,) = (line.rpartition(" ")[2] for line in purged.stdout.splitlines() if "written to " in line)
    assert f"Keep this run's backup, {folder}" in purged.stderr
    assert "What to do: Let what set the finalizers finish" in purged.stderr
    nothing_counts_on_it(sandbox, folder)

    api.merge_patch(api.path_of(guarded()), {"metadata": {"finalizers": None}})
    again = sandbox.run("uninstall", *LOCAL, "--purge", "--yes", "--confirm", "local")
    assert again.returncode == 0, again.stdout + again.stderr
    restore = ("restore", *LOCAL, "--backup", folder, "--yes")
    early = sandbox.run(*restore)
    assert early.returncode == 3
    assert "Error: the cluster does not know the kinds of 2 objects of the backup." in early.stderr
    assert "networking.istio.io: VirtualService (2 objects)" in early.stderr
    assert "404" not in early.stderr
    assert "`sohistio install` first" in early.stderr
    back = sandbox.run("install", *LOCAL)
    assert back.returncode == 0, back.stdout + back.stderr
    restored = sandbox.run(*restore)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "put 2 custom resources back" in restored.stdout
    found = sandbox.api.get(sandbox.api.path_of(guarded()))
    assert found is not None
    assert "deletionTimestamp" not in found["metadata"]
    sandbox.api.merge_patch(sandbox.api.path_of(guarded()), {"metadata": {"finalizers": None}})


def one_resource_is_no_obstacle(sandbox: Sandbox) -> None:
    """An upgrade goes on beside a custom resource that is being deleted, does not count it, and says so."""
    sandbox.api.delete(sandbox.api.path_of(guarded()))
    upgraded = sandbox.run("install", *LOCAL)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert upgraded.stdout.count(f"1 custom resource of Istio is being deleted: {HELD}") >= 2, "before and after"
    assert " 1 custom resources as before" in upgraded.stdout
    folder = max((sandbox.state_home / "sohistio" / "backups").iterdir(), key=lambda path: path.stat().st_mtime)
    refused_restore(sandbox, folder)
    release(sandbox, guarded())


def refused_restore(sandbox: Sandbox, folder: Path | str) -> str:
    before = sandbox.writes()
    refused = sandbox.run("restore", *LOCAL, "--backup", str(folder), "--yes")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "put back (" not in refused.stdout
    assert "is being deleted: it would vanish again" in refused.stderr
    assert f"  {HELD}" in refused.stderr
    assert sandbox.writes() == before
    return refused.stderr


def nothing_counts_on_it(sandbox: Sandbox, folder: str) -> None:
    assert CRD in refused_restore(sandbox, folder)
    before = sandbox.writes()
    both = f"1 custom resource and 1 CRD of Istio are being deleted: {HELD}, {CRD} (held by "
    planned = sandbox.run("plan", *LOCAL)
    assert f"Note: {both}" in planned.stdout, planned.stdout + planned.stderr
    refused = sandbox.run("install", *LOCAL)
    assert refused.returncode == 3
    assert f"being-deleted: {both}" in refused.stderr
    assert "--skip-check being-deleted" in refused.stderr
    checked = sandbox.run("check", *LOCAL)
    assert checked.returncode == 3
    assert "×  being-deleted" in checked.stdout
    looked = sandbox.run("uninstall", *LOCAL)
    assert f"Note: {both}" in looked.stdout
    assert sandbox.writes() == before

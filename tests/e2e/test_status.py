"""sohistio status: every environment in a row of its own, also one whose cluster is away."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandboxes import Sandbox
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.record_store import RECORD_REF

pytestmark = pytest.mark.e2e

DAMAGED = {"schemaVersion": "1", "environment": "local", "current": None, "previous": None, "runs": ["x"]}
NOT_UNDERSTOOD = "sohistio-record is not a record that this sohistio understands"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases"


def kubeconfig(box: Sandbox, folder: Path) -> Path:
    """The sandbox as the cluster of dev, and as that of qa one where nothing listens."""
    document = yaml.safe_load(box.kubeconfig.read_text())
    (cluster,), (context,) = document["clusters"], document["contexts"]
    away = deepcopy(cluster) | {"name": "away"}
    away["cluster"]["server"] = "https://127.0.0.1:9"
    at = context["context"]
    document["clusters"] = [cluster, away]
    document["contexts"] = [
        {"name": "aks-dev", "context": at},
        {"name": "aks-qa", "context": at | {"cluster": "away"}},
    ]
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path


def test_all_environments_side_by_side(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    box, api = empty_sandbox, empty_sandbox.api
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}})
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "ann@host run 1", "leaseDurationSeconds": 30, "acquireTime": now, "renewTime": now}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "sohistio"}, "spec": spec}
    api.create(LEASES, lease)
    before = box.writes()
    where = ("--kubeconfig", str(kubeconfig(box, tmp_path)))

    told = box.run("status", *where, "--output", "json", SOHISTIO_ISTIO_MIRROR=box.mirror)
    assert told.returncode == 1, "not every row could be read"
    rows: dict[str, dict[str, Any]] = {row["environment"]: row for row in json.loads(told.stdout)["environments"]}
    assert list(rows) == ["dev", "dr", "int", "local", "prod", "qa"]
    for name in ("dev", "local"):
        row = rows[name]
        assert (row["problem"], row["installedVersion"], row["targetVersion"]) == (None, None, "1.31.1")
        assert (row["inSync"], row["mode"]) == (False, "install")
        assert row["lock"]["holder"] == "ann@host run 1"
    assert rows["local"]["cluster"] == box.context, "the sandbox has a kubeconfig of its own"
    assert "cannot be reached" in rows["qa"]["problem"]
    assert "has no context 'aks-prod'" in rows["prod"]["problem"]
    assert {rows[name]["inSync"] for name in ("qa", "prod", "dr", "int")} == {None}
    assert [rows[name]["state"] for name in ("local", "qa", "prod")] == ["noMesh", "unreachable", "notRead"]

    table = box.run("status", "--all", *where, SOHISTIO_ISTIO_MIRROR=box.mirror)
    assert table.returncode == 1
    assert "ann@host run 1" in table.stdout
    assert "cannot be reached" in table.stdout
    assert all(line.startswith("no answer yet from ") for line in table.stderr.splitlines()), "a busy machine is slow"

    one = box.run("status", "--env", "local")
    assert one.returncode == 0, one.stderr
    assert re.search(r"^state +no mesh$", one.stdout, re.MULTILINE)
    assert re.search(r"^a run would +install", one.stdout, re.MULTILINE)
    assert box.writes() == before

    # A record that somebody has edited: looking says so, everything else is refused before it writes.
    body = {"metadata": {"name": RECORD_REF.name}, "data": {"record.json": json.dumps(DAMAGED)}}
    api.create("/api/v1/namespaces/istio-system/configmaps", body)
    before = box.writes()
    one = box.run("status", "--env", "local", "--output", "json")
    assert one.returncode == 1, one.stderr
    (row,) = json.loads(one.stdout)["environments"]
    assert NOT_UNDERSTOOD in row["problem"]
    assert "Only if it is damaged, delete it" in row["hint"]
    assert row["lock"]["holder"] == "ann@host run 1"
    checked = box.run("check", "--env", "local", "--output", "json")
    assert checked.returncode == 3
    assert NOT_UNDERSTOOD in str([item for item in json.loads(checked.stdout)["checks"] if item["result"] == "failed"])
    for command in (("plan",), ("install", "--yes"), ("rollback", "--yes"), ("uninstall", "--yes"), ("history",)):
        done = box.run(command[0], "--env", "local", *command[1:])
        assert done.returncode == 3, done.stdout + done.stderr
        assert f"{NOT_UNDERSTOOD}" in done.stderr
        assert "runs[0] is no object" in done.stderr
    assert box.writes() == before
    freed = box.run("unlock", "--env", "local", "--reason", "a test")
    assert freed.returncode == 0, freed.stderr
    assert "freed; it was held by ann@host run 1" in freed.stdout
    assert NOT_UNDERSTOOD in freed.stderr, "it says so, and goes on"
    what_the_cluster_shows_is_told_without_a_record(box)


def what_the_cluster_shows_is_told_without_a_record(box: Sandbox) -> None:
    box.api.delete(path_of(RECORD_REF))
    installed = box.run("install", "--env", "local", "--yes")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    box.api.merge_patch(path_of(RECORD_REF), {"data": {"record.json": json.dumps(DAMAGED)}})
    told = box.run("status", "--env", "local", "--output", "json")
    assert told.returncode == 1
    (row,) = json.loads(told.stdout)["environments"]
    assert (row["installedVersion"], row["targetVersion"], row["inSync"]) == ("1.31.1", "1.31.1", None)
    assert {item["name"]: item["ready"] for item in row["gateways"]} == {
        "istio-ingressgateway": 3,
        "istio-egressgateway": 3,
    }
    shown = box.run("status", "--env", "local").stdout
    assert "ingressgateway 3/3" in shown
    assert re.search(r"^version +1\.31\.1$", shown, re.MULTILINE)
    assert re.search(r"^what to do +A newer sohistio", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--env", "local", "--all"), "--env and --all exclude each other"),
        (("--context", "aks-dev"), "--context names one cluster"),
        (("--env", "nowhere"), "nowhere"),
    ],
)
def test_flags_that_make_no_sense(sandbox: Sandbox, flags: tuple[str, ...], words: str) -> None:
    done = sandbox.run("status", *flags)
    assert done.returncode == 2
    assert words in done.stderr

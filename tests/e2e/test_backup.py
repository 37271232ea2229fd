"""Backups: what is in one, who may read it, and what restore puts back."""

from __future__ import annotations

import base64
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from killing import LOCAL, custom_resource, kept, last_run, route, settle
from sandboxes import Sandbox
from sohistio.system.backup_folder import CUSTOM_RESOURCES
from workloads import path_of

pytestmark = pytest.mark.e2e

PHRASE = "correct horse battery"
CA = "/api/v1/namespaces/istio-system/secrets/istio-ca-secret"


def secret(sandbox: Sandbox) -> dict[str, Any]:
    found = sandbox.api.get(CA)
    assert found is not None
    return found


def test_a_backup_and_the_rollback_target(sandbox: Sandbox) -> None:
    sandbox.with_mesh("1.30.5")
    api = sandbox.api
    settle(sandbox, ("shop",), each=1)
    # As the charts before 1.23 shipped them: it comes and goes with its version, and is nobody's custom resource.
    shipped = custom_resource("EnvoyFilter", "istio-system", "stats-filter-1.22", {"configPatches": []})
    shipped["apiVersion"] = "networking.istio.io/v1alpha3"
    shipped["metadata"]["labels"] = {"operator.istio.io/component": "Pilot", "operator.istio.io/version": "1.22.0"}
    api.create(api.path_of(shipped).rpartition("/")[0], shipped)
    before = kept(sandbox)

    writes = sandbox.writes()
    for phrase, words in (("", "is not set"), ("short", "has fewer than 12")):
        refused = sandbox.run("install", *LOCAL, "--include-ca", SOHISTIO_BACKUP_PASSPHRASE=phrase)
        assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr
    assert sandbox.writes() == writes

    upgraded = sandbox.run("install", *LOCAL, "--include-ca", SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert "back up custom resources, what is installed and the CA's key (encrypted)" in upgraded.stdout
    assert "istio-ingressgateway: a pod was ready all the time" in upgraded.stdout
    run = last_run(sandbox)
    assert run is not None
    folder = Path(run.backup)
    assert run.backup in sandbox.run("history", *LOCAL, "--output", "json").stdout
    what_is_in_it(sandbox, folder)

    web, rule = route("shop"), custom_resource("DestinationRule", "shop", "web", {})
    api.delete(api.path_of(web))
    api.merge_patch(api.path_of(rule), {"spec": {"trafficPolicy": {"tls": {"mode": "DISABLE"}}, "exportTo": ["."]}})
    added = route("shop", "later")
    api.create(api.path_of(added).rpartition("/")[0], added)

    restore = ("restore", *LOCAL, "--backup", str(folder))
    writes = sandbox.writes()
    shown = sandbox.run(*restore)
    assert shown.returncode == 3
    assert "overwrites custom resources with those of the backup, and nobody approved it" in shown.stderr
    assert "+ VirtualService shop/web" in shown.stdout
    assert "spec.trafficPolicy.tls.mode: DISABLE → ISTIO_MUTUAL" in shown.stdout
    assert "Note: DestinationRule shop/web keeps what was added to it since the backup" in shown.stdout
    assert sandbox.writes() == writes
    done = sandbox.run(*restore, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "put 2 custom resources back" in done.stdout
    assert "local: the backup is put back" in done.stdout
    api.merge_patch(api.path_of(rule), {"spec": {"exportTo": None}})
    now = kept(sandbox).custom_resources
    assert {ref: now[ref] for ref in before.custom_resources} == before.custom_resources
    assert api.get(api.path_of(added)) is not None, "what came since is left alone"

    writes = sandbox.writes()
    again = sandbox.run(*restore, "--yes", "--ca", SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
    assert (again.returncode, "up to date, nothing was written" in again.stdout) == (0, True), again.stderr
    assert sandbox.writes() == writes
    the_authority_is_put_back_only_where_it_is_missing(sandbox, restore)
    what_cannot_be_put_back(sandbox, folder)


def what_is_in_it(sandbox: Sandbox, folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    contents = json.loads((folder / "backup.json").read_text())
    assert (contents["environment"], contents["version"], contents["customResources"]) == ("local", "1.30.5", 4)
    kinds = {item["kind"] for item in json.loads((folder / CUSTOM_RESOURCES).read_text())["items"]}
    assert kinds == {"VirtualService", "DestinationRule", "AuthorizationPolicy", "PeerAuthentication"}
    authority = json.loads((folder / "ca.json").read_text())
    assert authority["secret"] == "istio-system/istio-ca-secret"
    assert authority["uid"] == secret(sandbox)["metadata"]["uid"]
    assert len(authority["certificateSha256"]) == len(authority["rootSha256"]) == 64
    installed = {item["metadata"]["name"] for item in json.loads((folder / "installed.json").read_text())["items"]}
    assert installed == {"values", "istio", "istio-sidecar-injector"}
    assert yaml.safe_load((folder / "istiooperator.yaml").read_text())["spec"]["tag"] == "1.30.5"

    key = secret(sandbox)["data"]["ca-key.pem"]
    hidden = [key[:60].encode(), base64.b64decode(key)[40:100], PHRASE.encode()]
    ours = sandbox.state_home / "sohistio"
    for file in [*folder.iterdir(), *(ours / "logs").iterdir()]:
        content = file.read_bytes()
        assert not any(text in content for text in hidden), file


def the_authority_is_put_back_only_where_it_is_missing(sandbox: Sandbox, restore: tuple[str, ...]) -> None:
    api = sandbox.api
    original = secret(sandbox)
    api.delete(CA)
    for phrase, words in (("", "is not set"), ("x" * 20, "cannot be decrypted")):
        refused = sandbox.run(*restore, "--yes", "--ca", SOHISTIO_BACKUP_PASSPHRASE=phrase)
        assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr
    done = sandbox.run(*restore, "--yes", "--ca", SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "put Secret istio-system/istio-ca-secret back" in done.stdout
    assert "rollout restart deployment istiod" in done.stdout
    assert secret(sandbox)["data"] == original["data"]

    other = base64.b64encode(b"another").decode()
    api.merge_patch(CA, {"data": {"ca-key.pem": other}})
    refused = sandbox.run(*restore, "--yes", "--ca", SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
    assert refused.returncode == 3
    assert "it is never overwritten" in refused.stderr
    assert secret(sandbox)["data"]["ca-key.pem"] == other
    api.merge_patch(CA, {"data": original["data"]})


def what_cannot_be_put_back(sandbox: Sandbox, folder: Path) -> None:
    api = sandbox.api
    other = sandbox.run("restore", "--env", "qa", "--context", sandbox.context, "--backup", str(folder))
    assert other.returncode == 3
    assert "is a backup of local, not of qa" in other.stderr

    shop = path_of({"kind": "Namespace", "metadata": {"name": "shop"}})
    api.delete(shop)
    deadline = time.monotonic() + 60
    while api.get(shop) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    homeless = sandbox.run("restore", *LOCAL, "--backup", str(folder), "--yes")
    assert homeless.returncode == 3, homeless.stdout + homeless.stderr
    assert "the API server would not take 4 objects of the backup" in homeless.stderr
    assert "PeerAuthentication shop/default: " in homeless.stderr

    api.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/peerauthentications.security.istio.io")
    lost = sandbox.run("restore", *LOCAL, "--backup", str(folder), "--yes")
    assert lost.returncode == 3, lost.stdout + lost.stderr
    assert "the cluster does not know the kinds of 1 object of the backup" in lost.stderr
    assert "  security.istio.io: PeerAuthentication (1 object)" in lost.stderr
    assert "Traceback" not in lost.stderr

    (folder / CUSTOM_RESOURCES).write_text('{"items": []}')
    broken = sandbox.run("restore", *LOCAL, "--backup", str(folder), "--yes")
    assert broken.returncode == 2
    assert "is not a whole backup" in broken.stderr
    none = sandbox.run("restore", *LOCAL, "--backup", str(folder / "none"), "--yes")
    assert (none.returncode, "is not a whole backup" in none.stderr) == (2, True)

"""JSON is a promise: what every command prints is what docs/schemas says, with no key that is not described there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from json_schemas import SCHEMAS, check
from sandboxes import Sandbox
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_a_schema_is_one(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])


def test_every_commands_document(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox = empty_sandbox

    def document(kind: str, *command: str, code: int = 0) -> dict[str, Any]:
        done = sandbox.run(*command, "--output", "json")
        assert done.returncode == code, done.stdout + done.stderr
        return check(done.stdout, kind)

    seen = [
        document("EnvironmentList", "env", "list"),
        document("Environment", "env", "show", "local"),
        document("EnvironmentDiff", "env", "diff", "qa", "prod"),
        document("Promotion", "promote", "--to", "prod"),
        document("EgressAllowed", "egress", "allow", *LOCAL, "--host", "a.example.com", "-n", "shop", "--dry-run"),
        document("Dashboards", "monitoring", "dashboards", "--out", str(tmp_path / "grafana")),
        document("Explanation", "explain", "capacity"),
        document("SandboxStatus", "sandbox", "status"),
        document("PreflightList", "check", "--list"),
        document("ImageList", "images", "list", *LOCAL),
        document("Plan", "plan", *LOCAL, "--version", "1.30.5"),
        document("RunResult", "namespaces", "apply", *LOCAL),
        document("RunResult", "install", *LOCAL, "--version", "1.30.5"),
    ]
    apply(sandbox.api, namespace("shop"))
    apply(sandbox.api, deployment("shop", "web"))
    await_running(sandbox.api, "shop", 2)
    seen += [
        document("Plan", "plan", *LOCAL),
        document("Preflight", "check", *LOCAL),
        document("Preflight", "images", "check", *LOCAL),
        document("RunResult", "install", *LOCAL),
        document("Verification", "verify", *LOCAL),
        document("RunResult", "restart", *LOCAL),
        document("Status", "status", *LOCAL),
        document("History", "history", *LOCAL),
        document("SupportBundle", "support-bundle", *LOCAL, "--no-logs", "--out", str(tmp_path / "help.tar.gz")),
        document("Error", "uninstall", *LOCAL, code=3),
        document("Error", "env", "show", "nowhere", code=2),
        document("Error", "verify", *LOCAL, "--version", "1.31", code=2),
        document("Error", "plan", "--env", "", code=2),
        document("Error", "plan", *LOCAL, "--mode", "bad", code=2),
        document("Error", "plan", code=2),
        document("Error", "nonsense", code=2),
        document("Error", "unlock", *LOCAL, code=2),
        document("RunResult", "uninstall", *LOCAL, "--yes", "--with-sidecars", "--restart-workloads"),
    ]
    elsewhere = {"FailoverReport", "Sync", "ImageMirror", "BundleMade"}  # they take two sandboxes, or two registries
    elsewhere |= {"RunRecord", "ChangeNotice"}  # lines, and what a webhook gets: test_audit_trail.py
    assert {found["kind"] for found in seen} == set(SCHEMAS) - elsewhere

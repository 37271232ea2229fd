"""`sohistio namespaces apply`, as a process, on a cluster that is away: the refusal names command and reason."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import run
from environment_folder import environment_folder
from webhook_server import WebhookServer


def kubeconfig(folder: Path) -> str:
    """Of a cluster at a port that nobody listens at."""
    file = folder / "kubeconfig"
    context = {"name": "aks-qa", "context": {"cluster": "away", "user": "me"}}
    cluster = {"name": "away", "cluster": {"server": "https://127.0.0.1:1"}}
    users = [{"name": "me", "user": {"token": "none"}}]
    file.write_text(json.dumps({"contexts": [context], "clusters": [cluster], "users": users}))
    file.chmod(0o600)
    return str(file)


def test_a_refusal_names_the_command_and_the_reason(tmp_path: Path) -> None:
    environment_folder(tmp_path, qa="notify: {webhook: SOHISTIO_NOTIFY_URL}\naudit: {reasonRequired: true}\n")
    with WebhookServer() as webhook:
        given = {"KUBECONFIG": kubeconfig(tmp_path), "SOHISTIO_NOTIFY_URL": webhook.url}
        done = run("namespaces", "apply", "--env", "qa", "--yes", "--reason", "CHG1", cwd=tmp_path, **given)
    assert done.returncode == 3, done.stderr
    (notice,) = webhook.posted
    assert (notice["command"], notice["reason"], notice["outcome"]) == ("namespaces apply", "CHG1", "refused")

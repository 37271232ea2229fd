"""Makes the pictures of `sohistio status --html`: real sandboxes as the clusters of the shipped environments.

Run by `make pictures`. The sandboxes live in a temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from monitoring_pages import BROWSERS, CHECKOUT, PICTURES, photograph, sohistio

OLDER, CURRENT = "1.30.5", "1.31.1"
SANDBOXES = {"dev": CURRENT, "qa": CURRENT, "prod": OLDER, "dr": CURRENT}
"""The clusters that are there, with the version that is installed; int's does not answer."""


def environments(folder: Path) -> Path:
    """The shipped ones, on sandboxes."""
    copy = folder / "environments"
    shutil.copytree(CHECKOUT / "environments", copy)
    shutil.rmtree(copy / "local")
    for name in ("dev", "int", "qa", "prod", "dr"):
        file = copy / name / "environment.yaml"
        cluster: dict[str, Any] = {"sandbox": name} if name in SANDBOXES else {"context": name}
        shipped = yaml.safe_load(file.read_text())
        istio = (shipped.get("istio") or {}) | {"hub": "docker.io/istio", "pullSecret": None}
        changes = {"cluster": cluster, "istio": istio, "protected": False, "applicationNamespaces": ["billing"]}
        file.write_text(yaml.safe_dump(shipped | changes))
    return copy


def kubectl(name: str, *arguments: str, given: str | None = None) -> None:
    """On a sandbox. Raises CalledProcessError."""
    config = Path(os.environ["XDG_STATE_HOME"]) / "sohistio" / "sandbox" / name / "kubeconfig"
    command = ["kubectl", f"--kubeconfig={config}", *arguments]
    subprocess.run(command, check=True, input=given, text=True, stdout=subprocess.DEVNULL)


def spoil() -> None:
    """What happens to qa: somebody edits it by hand, and an application comes before its namespace was labelled."""
    hpa = {"spec": {"maxReplicas": 20}}
    kubectl(
        "qa", "patch", "hpa", "istiod", "-n=istio-system", f"--patch={json.dumps(hpa)}", "--field-manager=kubectl-edit"
    )
    kubectl("qa", "label", "namespace", "billing", "istio-injection-")
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "example/web:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": pod}
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "billing"}}
    kubectl("qa", "apply", "-f=-", given=json.dumps(web | {"spec": spec}))
    kubectl("qa", "rollout", "status", "deployment/web", "-n=billing", "--timeout=120s")


def away(folder: Path) -> Path:
    """A kubeconfig of a cluster where nobody listens."""
    cluster = {"name": "int", "cluster": {"server": "https://127.0.0.1:9"}}
    context = {"name": "int", "context": {"cluster": "int", "user": "int"}}
    user = {"name": "int", "user": {"token": "unused"}}
    config = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context], "users": [user]}
    file = folder / "kubeconfig"
    file.touch(0o600)
    file.write_text(yaml.safe_dump(config))
    return file


def main() -> None:
    """A desktop's picture and a phone's; nothing where there is no browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("docs/pictures/fleet.png and fleet-phone.png are left as they are: there is no chromium")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ |= {"XDG_STATE_HOME": str(folder / "state"), "SOHISTIO_IP_PREFIX": "10.20"}
        os.environ |= {"SOHISTIO_SUBSCRIPTION": "", "KUBECONFIG": str(away(folder))}
        flags = ("--environments", str(environments(folder)))
        try:
            for name, version in SANDBOXES.items():
                sohistio("sandbox", "up", "--name", name, "--nodes", "1")
                kubectl(name, "create", "namespace", "billing")
                sohistio("install", "--env", name, *flags, "--version", version, "--yes")
            spoil()
            sohistio("status", "--all", *flags, "--html", str(folder / "fleet.html"), codes=(1,))
        finally:
            for name in SANDBOXES:
                sohistio("sandbox", "down", "--name", name)
        page = (folder / "fleet.html").as_uri()
        photograph(browser, page, PICTURES / "fleet.png", "1280,610")
        photograph(browser, page, PICTURES / "fleet-phone.png", "500,1000")
        print("docs/pictures/fleet.png\ndocs/pictures/fleet-phone.png")


if __name__ == "__main__":
    main()

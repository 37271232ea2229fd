"""The Prometheus that monitoring installs, of the same version, with what its pod has in a cluster.

Configuration, rules and the ServiceAccount's token are at the pod's paths, by a mount namespace of its own (Debian's
package has the folder). Its arguments are the pod's, but for where it listens and writes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from built import built
from real_prometheus import answer_of, await_prometheus
from sohistio.adapters.kubernetes.api import KubeApi

SYSTEM = "/api/v1/namespaces/istio-system"
_ACCOUNT = "/run/secrets/kubernetes.io/serviceaccount"
_SCRIPT = f"""
set -e
mount -t tmpfs none /run
mkdir -p {_ACCOUNT}
cp "$FILES/token" "$FILES/ca.crt" {_ACCOUNT}/
mount --bind "$FILES/etc" /etc/prometheus
exec "$PROGRAM" "$@"
"""
# The one difference: no pod's address is dialled, but where its program listens on this machine (10.a.b.c: 127.a.b.c).
_ON_THIS_MACHINE = {
    "source_labels": ["__address__"],
    "regex": r"10\.(\d+\.\d+\.\d+:\d+)",
    "replacement": "127.$1",
    "target_label": "__address__",
}


class RenderedPrometheus:
    """`place` is where it listens, host:port."""

    def __init__(self, place: str) -> None:
        self.url = f"http://{place}/prometheus"

    def answer(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's result. Raises HTTPError where Prometheus cannot read it."""
        return answer_of(self.url, expression)


def settings_of(api: KubeApi) -> dict[str, Any]:
    """The installed prometheus.yml, with the one relabel rule in every job."""
    found = api.get(f"{SYSTEM}/configmaps/prometheus")
    assert found is not None
    settings: dict[str, Any] = yaml.safe_load(found["data"]["prometheus.yml"])
    for job in settings["scrape_configs"]:
        job.setdefault("relabel_configs", []).append(_ON_THIS_MACHINE)
    return settings


@contextmanager
def rendered_prometheus(
    api: KubeApi, folder: Path, place: str, authority: Path, settings: Mapping[str, Any] | None = None
) -> Iterator[RenderedPrometheus]:
    """The cluster's own, running. `settings` in place of the installed prometheus.yml."""
    config = api.get(f"{SYSTEM}/configmaps/prometheus")
    deployment = api.get("/apis/apps/v1/namespaces/istio-system/deployments/prometheus")
    assert config is not None
    assert deployment is not None
    files = folder / "files"
    (files / "etc").mkdir(parents=True)
    (files / "etc" / "prometheus.yml").write_text(yaml.safe_dump(settings or settings_of(api)))
    (files / "etc" / "rules.yml").write_text(config["data"]["rules.yml"])
    asked = {"spec": {"expirationSeconds": 3600}}
    token = api.request("POST", f"{SYSTEM}/serviceaccounts/prometheus/token", body=asked)["status"]["token"]
    (files / "token").touch(mode=0o600)
    (files / "token").write_text(token)
    (files / "ca.crt").write_bytes(authority.read_bytes())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    arguments = [item for item in container["args"] if not item.startswith("--storage.tsdb.path=")]
    server = urlsplit(api.server)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [  # noqa: S607 — of util-linux
                "unshare",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                _SCRIPT,
                "prometheus",
                *arguments,
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={place}",
            ],
            env=os.environ
            | {
                "FILES": str(files),
                "PROGRAM": built("prometheus"),
                "KUBERNETES_SERVICE_HOST": str(server.hostname),
                "KUBERNETES_SERVICE_PORT": str(server.port),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            found = RenderedPrometheus(place)
            await_prometheus(found.url, process, folder / "log")
            yield found
        finally:
            process.terminate()
            process.wait(20)

"""Other users than the sandbox's administrator: service accounts, their rights, kubeconfigs with their tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import yaml

from sohistio.adapters.kubernetes.api import KubeApi

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Cluster(Protocol):
    """A sandbox or a region."""

    @property
    def kubeconfig(self) -> Path:
        """Its administrator's."""
        raise NotImplementedError

    @property
    def context(self) -> str:
        """The one in that file."""
        raise NotImplementedError

    @property
    def api(self) -> KubeApi:
        """Its API server, as administrator."""
        raise NotImplementedError


def account(api: KubeApi, name: str) -> str:
    """A new service account in the namespace default; returns a token of it."""
    path = "/api/v1/namespaces/default/serviceaccounts"
    api.request("POST", path, body={"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(api.request("POST", f"{path}/{name}/token", body=asked)["status"]["token"])


def role(api: KubeApi, name: str, *rules: dict[str, Any]) -> None:
    """Let the service account get and list what the rules name, everywhere."""
    group = "rbac.authorization.k8s.io"
    verbs = {"verbs": ["get", "list", "watch"]}
    metadata = {"name": name}
    body: dict[str, Any] = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRole",
        "metadata": metadata,
        "rules": [rule | verbs for rule in rules],
    }
    api.request("POST", f"{_RBAC}/clusterroles", body=body)
    body = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    }
    api.request("POST", f"{_RBAC}/clusterrolebindings", body=body)


def kubeconfig_for(cluster: Cluster, folder: Path, token: str, *, server: str = "") -> Path:
    """The cluster's kubeconfig with another token, and another server where one is given."""
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    if server:
        document["clusters"][0]["cluster"]["server"] = server
    path = folder / f"kubeconfig-{len(list(folder.iterdir()))}"
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path

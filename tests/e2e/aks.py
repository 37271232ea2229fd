"""An AKS cluster for tests: Azure on loopback in front of the sandbox's API server, which trusts its tokens."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from accounts import Cluster, kubeconfig_for
from azure_server import (
    AKS_APPLICATION,
    CLIENT,
    CONNECTION,
    INGRESS_ADDRESS,
    OBJECT,
    PIPELINE_TOKEN,
    SECRET,
    TENANT,
    Azure,
)
from sandboxes import CHECKOUT, SUBSCRIPTION, Sandbox
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.model.kube_target import KubeTarget
from warm import WARM

USER = f"aad:{OBJECT}"
PRINCIPAL = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": SECRET}
_FOREIGN = ("AZURE", "TF_", "SYSTEM_", "KUBE", "HTTPS_PROXY")
_AZ = """#!{python} -I
import json, os, ssl, sys, urllib.parse, urllib.request
if sys.argv[1:3] != ["account", "get-access-token"]:
    sys.exit(2)
if not os.path.exists({session!r}):
    sys.exit("ERROR: Please run 'az login' to setup account.")
resource = sys.argv[sys.argv.index("--resource") + 1]
url = {url!r} + "/az?resource=" + urllib.parse.quote(resource, safe="")
with urllib.request.urlopen(url, context=ssl.create_default_context(cafile={authority!r})) as answer:
    print(answer.read().decode())
"""


@dataclass(frozen=True)
class Aks:
    """Environment qa on the cluster aks-qa: `run` is sohistio, with the login of a service principal if not told."""

    sandbox: Sandbox
    azure: Azure
    folder: Path

    @property
    def environments(self) -> Path:
        return self.folder / "environments"

    def environ(self, login: Mapping[str, str] = PRINCIPAL, **variables: str) -> dict[str, str]:
        mine = {key: value for key, value in self.sandbox.environ().items() if not key.startswith(_FOREIGN)}
        own = {
            "SOHISTIO_ENVIRONMENTS": str(self.environments),
            "SOHISTIO_ISTIO_MIRROR": self.sandbox.mirror,
            "REQUESTS_CA_BUNDLE": str(self.azure.authority_file),
            "HOME": str(self.folder / "home"),
            "XDG_CACHE_HOME": mine.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        }
        return mine | own | dict(login) | variables

    def run(
        self, *arguments: str, login: Mapping[str, str] = PRINCIPAL, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return WARM.run(arguments, cwd=CHECKOUT, env=self.environ(login, **variables), timeout=300)

    def as_new(self) -> None:
        """Whatever other tests did to Azure and the sandbox: a healthy cluster that trusts its tokens."""
        self.azure.kubeconfig = as_azure_gives_it(self.sandbox)
        self.azure.properties = properties()
        self.azure.seconds = 3600.0
        self.azure.free_addresses = {INGRESS_ADDRESS}
        self.azure.instead.clear()
        self.azure.asked.clear()
        let_in(self.azure, self.sandbox)

    def refused(self, *arguments: str, login: Mapping[str, str] = PRINCIPAL, **variables: str) -> str:
        """What a run says that is refused (exit 3) before anything is written."""
        before = self.sandbox.writes(USER)
        done = self.run(*arguments, login=login, **variables)
        assert done.returncode == 3, done.stdout + done.stderr
        assert self.sandbox.writes(USER) == before
        assert "Traceback" not in done.stderr
        for secret in self.azure.secrets():
            assert secret not in done.stdout + done.stderr
        return done.stderr

    # the kinds of login

    def pipelines(self) -> dict[str, str]:
        return {"TF_BUILD": "True", "SYSTEM_ACCESSTOKEN": PIPELINE_TOKEN} | pipeline_login(self.azure)

    def workload_identity(self) -> dict[str, str]:
        path = self.folder / "federated-token"
        path.write_text(self.azure.federated_token("system:serviceaccount:ci:installer"))
        return {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_FEDERATED_TOKEN_FILE": str(path)}

    def azure_cli(self, *, logged_in: bool = True) -> dict[str, str]:
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        session = self.folder / ("az-session" if logged_in else "no-session")
        if logged_in:
            session.touch()
        values = {
            "python": sys.executable,
            "session": str(session),
            "url": self.azure.url,
            "authority": str(self.azure.authority_file),
        }
        script = folder / "az"
        script.write_text(_AZ.format(**values))
        script.chmod(0o755)
        return {"PATH": f"{folder}:/usr/bin:/bin"}


@contextmanager
def aks_cluster(sandbox: Sandbox, folder: Path) -> Iterator[Aks]:
    """The sandbox as an AKS cluster, until the block ends."""
    (folder / "home").mkdir()
    with Azure(folder) as azure:
        aks = Aks(sandbox, azure, folder)
        _write_environments(aks)
        yield aks


def properties(**changed: Any) -> dict[str, Any]:
    """A healthy cluster's properties, as the resource manager has them."""
    subnet = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/aks"
    )
    pool = {"name": "system", "count": 3, "vmSize": "Standard_D8s_v3", "mode": "System", "vnetSubnetID": subnet}
    grows = {"enableAutoScaling": True, "minCount": 5, "maxCount": 10}
    return {
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
        "currentKubernetesVersion": "1.35.4",
        "fqdn": "127.0.0.1",
        "agentPoolProfiles": [pool, pool | grows | {"name": "apps", "mode": "User", "count": 6}],
    } | changed


def pipeline_login(azure: Azure) -> dict[str, str]:
    """The variables that the task AzureCLI@2 sets for its service connection, and the agent's own."""
    return {
        "SYSTEM_OIDCREQUESTURI": f"{azure.url}/org/project/_apis/distributedtask/hubs/build/oidctoken",
        "AZURESUBSCRIPTION_CLIENT_ID": CLIENT,
        "AZURESUBSCRIPTION_TENANT_ID": TENANT,
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": CONNECTION,
    }


def as_azure_gives_it(cluster: Cluster) -> str:
    """Its kubeconfig: the cluster's address, and a login by another program."""
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": ["get-token"]}
    document["users"][0]["user"] = {"exec": plugin}
    return yaml.safe_dump(document)


def _write_environments(aks: Aks) -> None:
    shutil.copytree(CHECKOUT / "environments", aks.environments)
    path = aks.environments / "qa" / "environment.yaml"
    document = yaml.safe_load(path.read_text())
    cloud = {"authority": aks.azure.url, "resourceManager": aks.azure.url, "instanceDiscovery": False}
    document["cluster"]["aks"]["cloud"] = cloud
    document["gateways"] = {"loadBalancerDelay": "0s"}  # a sandbox's know at once
    path.write_text(yaml.safe_dump(document))


def let_in(azure: Azure, cluster: Cluster) -> None:
    """Let the API server trust the tokens, for everything. It takes it some seconds to read who signs them."""
    _let_it_do_everything(cluster.api)
    if _is_trusted(azure, cluster):
        return
    issuer = {
        "url": azure.signer.issuer,
        "audiences": [AKS_APPLICATION],
        "certificateAuthority": azure.authority_file.read_text(),
    }
    mappings = {"username": {"claim": "oid", "prefix": "aad:"}}
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [{"issuer": issuer, "claimMappings": mappings}],
    }
    path = cluster.kubeconfig.parent / "authentication.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document))
    fresh.replace(path)
    deadline = time.monotonic() + 60
    while not _is_trusted(azure, cluster):
        assert time.monotonic() < deadline, "the API server does not trust the tokens"
        time.sleep(0.2)


def _is_trusted(azure: Azure, cluster: Cluster) -> bool:
    file = kubeconfig_for(cluster, azure.folder, azure.access_token(AKS_APPLICATION))
    try:
        KubeApi(KubeTarget(file, cluster.context)).get("/api/v1/namespaces/default")
    except KubeError as error:
        if error.status != 401:
            raise
        return False
    finally:
        file.unlink()
    return True


def _let_it_do_everything(api: KubeApi) -> None:
    group = "rbac.authorization.k8s.io"
    path = f"/apis/{group}/v1/clusterrolebindings"
    if api.get(f"{path}/azure") is None:
        api.create(
            path,
            {
                "apiVersion": f"{group}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "azure"},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"apiGroup": group, "kind": "User", "name": USER}],
            },
        )


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)

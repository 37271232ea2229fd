"""Two regions as AKS clusters: Azure on loopback in front of both, and a pipeline's login to it."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from aks import as_azure_gives_it, let_in, pipeline_login, properties
from azure_agent import Cloud
from azure_server import PIPELINE_TOKEN, Answer, Azure, Request, Route, managed
from regions import Region, Regions


@contextmanager
def aks_regions(regions: Regions, folder: Path) -> Iterator[Cloud]:
    """The regions' environments name AKS clusters, and a pipeline's agents reach these, until the block ends."""
    with Azure(folder) as azure:
        for region in regions.regions.values():
            azure.routes[:0] = list(_routes(region))
            let_in(azure, region)
        environments = folder / "environments"
        shutil.copytree(regions.environments, environments)
        cloud = {"authority": azure.url, "resourceManager": azure.url, "instanceDiscovery": False}
        for name in regions.regions:
            path = environments / name / "environment.yaml"
            document = yaml.safe_load(path.read_text())
            place = {
                "subscription": "${SOHISTIO_SUBSCRIPTION}",
                "resourceGroup": f"rg-aks-{name}",
                "name": f"aks-{name}",
            }
            path.write_text(yaml.safe_dump(document | {"cluster": {"aks": place | {"cloud": cloud}}}))
        exports = regions.run("sandbox", "env", "--name", "prod").stdout
        mirror = next(line for line in exports.splitlines() if "SOHISTIO_ISTIO_MIRROR=" in line).partition("=")[2]
        given = regions.environ()
        variables = {
            "SOHISTIO_IP_PREFIX": given["SOHISTIO_IP_PREFIX"],
            "SOHISTIO_SUBSCRIPTION": given["SOHISTIO_SUBSCRIPTION"],
            "SOHISTIO_ISTIO_MIRROR": mirror.strip("'\""),
            "REQUESTS_CA_BUNDLE": str(azure.authority_file),
            "XDG_CACHE_HOME": given.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        }
        yield Cloud(pipeline_login(azure), {"System.AccessToken": PIPELINE_TOKEN}, variables, environments)


def _routes(region: Region) -> Iterator[Route]:
    """What the resource manager answers about one region's cluster."""
    name = f"/managedClusters/aks-{region.name}"

    def cluster(_: Azure, request: Request) -> Answer:
        known = {"id": request.path, "name": f"aks-{region.name}", "location": "eastus", "properties": properties()}
        return Answer(200, known)

    def credentials(_: Azure, __: Request) -> Answer:
        value = base64.b64encode(as_azure_gives_it(region).encode()).decode()
        return Answer(200, {"kubeconfigs": [{"name": "clusterUser", "value": value}]})

    found: tuple[tuple[str, str, str, Callable[[Azure, Request], Answer]], ...] = (
        ("credentials", "POST", f"{name}/listClusterUserCredential", credentials),
        ("cluster", "GET", name, cluster),
    )
    for kind, method, path, route in found:
        yield kind, method, path, managed(route)

"""Whether a cluster is the one that is meant, and in a state to be worked on. Pure; each rule has a name.

Sources: AKS's provisioning and power states; its add-on "Istio-based service mesh", which is another Istio.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sohistio.model.fault import Fault, Severity
from sohistio.model.managed_cluster import ManagedCluster

IDENTITY = "cluster-identity"
RUNNING = "cluster-running"
ADD_ON = "managed-add-on"
ENVIRONMENT = "cluster-environment"

# While these go on nodes and the API server come and go, or it changes its certificate authority.
_AT_WORK = frozenset(
    {
        "Creating",
        "Deleting",
        "Migrating",
        "ReconcilingClusterETCDCertificates",
        "RotatingClusterCertificates",
        "Starting",
        "Stopping",
        "Upgrading",
        "UpgradingNodeImageVersion",
    }
)


def cluster_faults(managed: ManagedCluster, server: str) -> tuple[Fault, ...]:
    """What is wrong with working on the API server at `server` (a URL) as the AKS cluster `managed`."""
    faults: list[Fault] = []
    host = (urlsplit(server).hostname or server).lower()
    if host not in {known.lower() for known in managed.hosts}:
        hosts = " or ".join(managed.hosts) or "no host at all"
        message = f"the kubeconfig leads to {server}, the AKS cluster {managed.name} is {hosts}"
        todo = "Leave --context and --kubeconfig out: sohistio logs in to the right cluster by itself."
        faults.append(Fault(message, todo, rule=IDENTITY))
    if managed.power not in ("", "Running"):
        message = f"the AKS cluster {managed.name} is {managed.power.lower()}"
        faults.append(Fault(message, "Start it: `az aks start`.", rule=RUNNING))
    faults += _at_work(f"the AKS cluster {managed.name}", managed.provisioning, "`az aks wait --updated`")
    for pool in managed.pools:
        subject = f"node pool {pool.name} of the AKS cluster {managed.name}"
        faults += _at_work(subject, pool.provisioning, "`az aks nodepool wait --updated`")
    if managed.add_on:
        message = f"the AKS cluster {managed.name} has the managed Istio add-on (service mesh profile Istio)"
        todo = "Two meshes do not share a cluster: keep the add-on, or `az aks mesh disable` first."
        faults.append(Fault(message, todo, rule=ADD_ON))
    return tuple(faults)


def _at_work(subject: str, provisioning: str, wait: str) -> list[Fault]:
    """Whether Azure is at work on the cluster or a pool; `Updating` (a tag, a setting, scaling)is only reported."""
    if provisioning in _AT_WORK:
        message = f"{subject} is being changed by Azure: {provisioning}"
        return [Fault(message, f"Wait for Azure to finish: {wait}.", rule=RUNNING)]
    if provisioning not in ("", "Succeeded"):
        message = f"Azure calls {subject} {provisioning}"
        return [Fault(message, "See its activity log in Azure.", Severity.WARNING, rule=RUNNING)]
    return []


def environment_faults(environment: str, recorded: str | None) -> tuple[Fault, ...]:
    """`recorded` is the environment of the record in the cluster, None where there is none."""
    if recorded in (None, environment):
        return ()
    message = f"the environment is {environment}, but this cluster is recorded as {recorded}"
    return (Fault(message, f"Check --env, and which cluster environment {environment} names.", rule=ENVIRONMENT),)

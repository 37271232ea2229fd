"""Whether a cluster is the one that is meant, and in a state to be worked on. Pure; each rule has a name.

Sources: AKS's provisioning and power states; its add-on "Istio-based service mesh", which is another Istio.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sohistio.model.managed_cluster import ManagedCluster

IDENTITY = "cluster-identity"
RUNNING = "cluster-running"
ADD_ON = "managed-add-on"
ENVIRONMENT = "cluster-environment"
# What may be given to --skip-check: it says that the person knows which cluster it is.
SKIPPABLE = (IDENTITY,)

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


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that does not hold. One that does not block is only told."""

    name: str
    message: str
    todo: str
    blocks: bool = True


def cluster_problems(managed: ManagedCluster, server: str) -> tuple[Problem, ...]:
    """What is wrong with working on the API server at `server` (a URL) as the AKS cluster `managed`."""
    problems: list[Problem] = []
    host = (urlsplit(server).hostname or server).lower()
    if host not in {known.lower() for known in managed.hosts}:
        hosts = " or ".join(managed.hosts) or "no host at all"
        message = f"the kubeconfig leads to {server}, the AKS cluster {managed.name} is {hosts}"
        todo = "Leave --context and --kubeconfig out: sohistio logs in to the right cluster by itself."
        problems.append(Problem(IDENTITY, message, todo))
    if managed.power not in ("", "Running"):
        message = f"the AKS cluster {managed.name} is {managed.power.lower()}"
        problems.append(Problem(RUNNING, message, "Start it: `az aks start`."))
    problems += _at_work(f"the AKS cluster {managed.name}", managed.provisioning, "`az aks wait --updated`")
    for pool in managed.pools:
        subject = f"node pool {pool.name} of the AKS cluster {managed.name}"
        problems += _at_work(subject, pool.provisioning, "`az aks nodepool wait --updated`")
    if managed.add_on:
        message = f"the AKS cluster {managed.name} has the managed Istio add-on (service mesh profile Istio)"
        todo = "Two meshes do not share a cluster: keep the add-on, or `az aks mesh disable` first."
        problems.append(Problem(ADD_ON, message, todo))
    return tuple(problems)


def _at_work(subject: str, provisioning: str, wait: str) -> list[Problem]:
    """Whether Azure is at work on the cluster or a pool; `Updating` (a tag, a setting, scaling) is only told."""
    if provisioning in _AT_WORK:
        message = f"{subject} is being changed by Azure: {provisioning}"
        return [Problem(RUNNING, message, f"Wait for Azure to finish: {wait}.")]
    if provisioning not in ("", "Succeeded"):
        message = f"Azure calls {subject} {provisioning}"
        return [Problem(RUNNING, message, "See its activity log in Azure.", blocks=False)]
    return []


def environment_problems(environment: str, recorded: str | None) -> tuple[Problem, ...]:
    """`recorded` is the environment of the record in the cluster, None where there is none."""
    if recorded in (None, environment):
        return ()
    message = f"the environment is {environment}, but this cluster is recorded as {recorded}"
    return (Problem(ENVIRONMENT, message, f"Check --env, and which cluster environment {environment} names."),)

"""All checks, in the order in which they are shown. A new one is a line here, a function, and a section in docs/."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from sohistio.checks.preflight import (
    address,
    analysis,
    basics,
    being_deleted,
    budgets,
    capacity,
    certificates,
    cluster,
    gateway_api,
    gateway_drain,
    hand_made,
    held,
    images,
    lock_out,
    mesh_pods,
    namespaces,
    pod_webhooks,
    pulls,
    rights,
    spread,
    webhooks,
)
from sohistio.checks.preflight.check import ISTIOCTL_SECONDS, Check, Stage
from sohistio.checks.preflight.context import Context
from sohistio.checks.readiness import READINESS
from sohistio.errors import UsageError
from sohistio.model.fault import Severity
from sohistio.model.nearest import did_you_mean
from sohistio.modes import application_routing, skew
from sohistio.planning import cluster_identity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

# fmt: off
CHECKS: tuple[Check, ...] = (
    Check("environment", _ERROR, "the environment's files are valid and every variable in them is set",
        "Correct the lines named; `sohistio env validate` checks all environments.",
        basics.environment, stage=Stage.CHECK),
    Check("api-server", _ERROR, f"the API server answers within {basics.SLOW_SECONDS * 1000:.0f} ms and may be read",
        "Check the network (VPN, private cluster), the kubeconfig and your login.",
        basics.api_server),
    Check("istioctl", _ERROR, "istioctl of every version the plan needs is there or can be downloaded",
        "Check the version and the mirror (SOHISTIO_ISTIO_MIRROR), or give --istioctl.",
        basics.istioctl, stage=Stage.CHECK),
    Check("plan", _ERROR, "what an install would do can be planned and is not refused",
        "See what `sohistio plan` says.",
        basics.plan, stage=Stage.CHECK),
    Check("lock", _ERROR, "no other run is at work",
        "Wait for it; `sohistio unlock` frees the lock of a run that is dead.",
        basics.lock, stage=Stage.CHECK),
    Check(cluster_identity.IDENTITY, _ERROR, "the kubeconfig leads to the AKS cluster that the environment names",
        "Leave --context and --kubeconfig out: sohistio logs in to the right cluster by itself.",
        partial(cluster.of_azure, name=cluster_identity.IDENTITY, fine="it is {cluster}"),
        stage=Stage.CHECK),
    Check(cluster_identity.RUNNING, _ERROR, "the AKS cluster runs, and Azure is not changing it",
        "Start it, or wait for Azure to finish.",
        partial(cluster.of_azure, name=cluster_identity.RUNNING, fine="{cluster} runs"),
        stage=Stage.CHECK),
    Check(cluster_identity.ADD_ON, _ERROR, "the managed Istio add-on of AKS is off",
        "Two meshes do not share a cluster: keep the add-on, or `az aks mesh disable` first.",
        partial(cluster.of_azure, name=cluster_identity.ADD_ON, fine="{cluster} has no managed Istio"),
        stage=Stage.CHECK),
    Check(application_routing.CHECK, _ERROR, "no Istio of AKS application routing would be broken",
        "Keep one of the two on a cluster.",
        gateway_api.application_routing),
    Check(cluster_identity.ENVIRONMENT, _ERROR, "the cluster is not recorded as another environment's",
        "Check --env, and which cluster the environment names.",
        cluster.of_record, stage=Stage.CHECK),
    Check("kubernetes-version", _ERROR, "the target Istio supports the cluster's Kubernetes",
        "Upgrade one of them first.",
        partial(basics.skew, name="kubernetes-version", fine="Istio {target} supports Kubernetes {kubernetes}"),
        stage=Stage.CHECK),
    Check("istio-minor-unknown", _ERROR, "it is known which Kubernetes versions the target Istio supports",
        "Add the minor to environments/kubernetes-support.yaml.",
        partial(basics.skew, name="istio-minor-unknown", fine="the Kubernetes versions of Istio {target} are known"),
        stage=Stage.CHECK),
    Check("prerelease", _ERROR, "the target is a release",
        "Choose a release, or skip this check if you want the pre-release.",
        partial(basics.skew, name="prerelease", fine="{target} is a release"),
        stage=Stage.CHECK),
    Check("one-minor-at-a-time", _ERROR, "an upgrade in place goes one minor at a time",
        "Give an intermediate version for each minor between with --via.",
        partial(basics.skew, name="one-minor-at-a-time", fine="{target} is not too far"),
        stage=Stage.CHECK),
    Check("proxy-skew", _ERROR, "no running sidecar is too old for the new istiod",
        "Restart these workloads first: `sohistio restart`; Jobs, bare pods and own proxy images yourself.",
        partial(basics.skew, name="proxy-skew", fine="no sidecar is too old for {target}"),
        stage=Stage.CHECK),
    Check(skew.GATEWAY_API, _ERROR, "istiod gets ready with the Gateway API's CRDs that the cluster has",
        "Take a patch that has the fix.",
        partial(basics.skew, name=skew.GATEWAY_API, fine="nothing is known against {target} with them"),
        stage=Stage.CHECK),
    Check("gateway-api-crds", _ERROR, "no CRD of the Gateway API is too old for the target Istio",
        "Upgrade the Gateway API's CRDs with what put them there.",
        gateway_api.gateway_api_crds, seconds=ISTIOCTL_SECONDS),
    Check("permissions", _ERROR, "you have every right that the plan uses",
        "Ask for the role in rbac/installer.yaml; docs/rbac.md says what each right is for.",
        rights.permissions, stage=Stage.ALWAYS),
    Check("being-deleted", _ERROR, "no CRD or custom resource of Istio is being deleted",
        "Wait until they are gone, install, then put them back from the backup.",
        being_deleted.being_deleted),
    Check(hand_made.NAME, _ERROR, "nobody made by hand what the environment's policy declares, or undoes",
        "Delete it where it was made, or take the part out of the policy.",
        hand_made.policy_hand_made),
    Check("certificate-authority", _ERROR, "the CA that signs in the mesh lasts, and one that is declared is sound",
        "Renew it in stages: docs/certificates.md.",
        certificates.certificate_authority, stage=Stage.CHECK),
    Check("certificate-expiry", _ERROR, "the certificates that Gateways name last, and workloads get theirs",
        "Renew them; `sohistio check --fail-if-expires-within 30d` fails in time.",
        certificates.certificate_expiry, stage=Stage.CHECK),
    Check("node-pools", _WARNING, "the cluster has the nodes that the environment is meant to have (cluster.nodes)",
        "Change the node pool, or cluster.nodes in environment.yaml.",
        capacity.node_pools),
    Check("capacity", _ERROR, "there is room on the nodes for istiod and the gateways",
        "Add nodes or free some: pods that find no room stay Pending and the run times out.",
        capacity.capacity),
    Check("gateway-address", _ERROR, "the gateways' addresses are free, or theirs already",
        "Free the address, or change ingressAddress in environment.yaml.",
        address.gateway_address),
    Check("gateway-drain", _WARNING, "gateways end without cutting requests (gateways.longestRequest)",
        "docs/gateways.md says how the figures fit one another.",
        gateway_drain.gateway_drain),
    Check("gateways-held", _ERROR, "no rollout of a gateway is held or paused",
        "`sohistio install` goes on with what a run has held; who has paused a Deployment by hand resumes it.",
        held.gateways_held),
    Check("mesh-spread", _WARNING, "no node and no zone has all pods of istiod or of a gateway",
        "Install: it spreads new pods. If it does, the other nodes have no room, or taints keep the pods away.",
        spread.mesh_spread),
    Check("application-namespaces", _WARNING, "the environment's application namespaces exist and are labelled",
        "Create them, or take them out of applicationNamespaces; docs/namespaces.md says what an install labels.",
        namespaces.application_namespaces),
    Check("system-namespaces", _ERROR, "no namespace of the system is labelled for injection",
        "Take the label off: a sidecar there can stop the cluster's own services.",
        namespaces.system_namespaces),
    Check("pull-secret", _ERROR, "the pull secret is in istio-system, and wherever gateways or injected pods are",
        "Create it there (kubectl create secret docker-registry): pods with a sidecar cannot start without it.",
        namespaces.pull_secret),
    Check("stale-webhooks", _ERROR, "every webhook of Istio leads to a Service with a ready pod",
        "Delete the configuration that another Istio has left.",
        webhooks.stale_webhooks),
    Check("pod-webhooks", _ERROR, "no dead webhook refuses pods of the mesh or of injected namespaces",
        "Bring back what answers there, or delete the configuration.",
        pod_webhooks.pod_webhooks),
    Check("mesh-pods", _ERROR, "new pods of istiod and of the gateways are taken, where the plan makes some",
        "Mend what the API server names (a webhook, a quota, a policy), or exempt the mesh's namespace from it.",
        mesh_pods.mesh_pods, stage=Stage.ALWAYS),
    Check("overlapping-budgets", _WARNING, "no pod of the mesh or of an injected namespace is under two budgets",
        "Delete one of them: under two budgets no pod can be evicted, and node drains hang.",
        budgets.overlapping_budgets),
    Check("blocking-budgets", _WARNING, "every disruption budget allows an eviction while all pods are healthy",
        "Lower minAvailable or raise the replicas: node drains hang, and such workloads are not restarted.",
        budgets.blocking_budgets),
    Check("image-hubs", _WARNING, "no running pod has an image of Istio's from a public registry that closes",
        "Set istio.hub to your own registry, install, and restart what still has the old image.",
        images.image_hubs),
    Check("images", _ERROR, "every image is in the hub, as it is pinned, and the pull Secret's own login can pull it",
        "Correct the Secret, or its source (istio.pullSecretSource): `sohistio install` writes it.",
        pulls.images, seconds=pulls.SECONDS),
    Check("image-platforms", _ERROR, "every image is for the architectures of the cluster's nodes",
        "Mirror it with all its platforms: `sohistio images mirror`.",
        pulls.image_platforms, seconds=pulls.SECONDS),
    Check("image-signatures", _ERROR, "every image is signed with the environment's key (images.cosignKey)",
        "Do not install it before you know who put it there.",
        pulls.image_signatures, seconds=pulls.SIGNATURE_SECONDS),
    Check("policy-lock-out", _ERROR, "the policy refuses nothing that is used today",
        "Give the clients what the policy asks of them, or let them in, before it is applied.",
        lock_out.policy_lock_out, seconds=lock_out.SECONDS),
    Check("policy-hosts", _ERROR, "no host is claimed by several Gateways at the same port of one gateway",
        "Leave each host to one Gateway.",
        lock_out.policy_hosts, seconds=lock_out.SECONDS),
    Check("policy-audit", _WARNING, "in stage audit: the policy would have refused nothing in the last day",
        "Add the rules that are missing before policy.stage becomes enforce.",
        lock_out.policy_audit),
    Check("istioctl-precheck", _ERROR, "`istioctl x precheck` finds nothing wrong",
        "See istioctl's message.",
        analysis.precheck, seconds=ISTIOCTL_SECONDS),
    Check("istioctl-analyze", _WARNING, "`istioctl analyze` finds nothing wrong",
        "It is in the applications' configuration: tell their owners.",
        analysis.analyze, seconds=ISTIOCTL_SECONDS),
    *READINESS,
)
# fmt: on


_OF_IMAGES = ("pull-secret", "image-hubs", "images", "image-platforms", "image-signatures")
_FIRST = ("environment", "api-server", "istioctl", "plan")


def image_checks(context: Context) -> tuple[Check, ...]:
    """Those of `sohistio images check`; what kept them from being made comes first."""
    names = (*(_FIRST if context.stops.reason else ()), *_OF_IMAGES)
    return tuple(check for check in CHECKS if check.name in names)


def checks_at(*stages: Stage) -> tuple[Check, ...]:
    """The checks of these stages."""
    return tuple(check for check in CHECKS if check.stage in stages)


def checks_for(context: Context) -> tuple[Check, ...]:
    """All that make sense for the environment: readiness is asked of a standby that says how traffic gets to it."""
    valid = context.stops.environment is None
    if valid and context.session.environment.failover is not None:
        return CHECKS
    return tuple(check for check in CHECKS if check not in READINESS)


def check_names(names: Iterable[str]) -> frozenset[str]:
    """The names given to --skip-check. Raises UsageError for one that is none, and for one that is mandatory."""
    asked = frozenset(names)
    skippable = [check.name for check in CHECKS if not check.mandatory]
    for name in sorted(asked.difference(skippable)):
        mandatory = any(check.name == name for check in CHECKS)
        what = "cannot be skipped" if mandatory else "is no check"
        meant = "" if mandatory else did_you_mean(name, skippable)
        todo = f"{meant} `sohistio check --list` lists them." if meant else f"Can be skipped: {', '.join(skippable)}."
        raise UsageError(f"--skip-check {name!r} {what}", todo=todo)
    return asked

"""AKS application routing beside a mesh of sohistio: what breaks, and why `istioctl uninstall` must not be used then.

Source: learn.microsoft.com, "Configure ingress with the Kubernetes Gateway API via the application routing add-on",
Limitations: its istiod fails to start while CRDs of istio.io exist, and deleting them deletes the custom resources.
"""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.model.state import ClusterState

CHECK = "application-routing"
_DISABLE = "`az aks update --disable-app-routing-istio`"
UNINSTALL_TODO = (
    "Go one minor at a time (--via), which uninstalls nothing; or `sohistio uninstall`, which then works without "
    "istioctl, and install again."
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a mesh of sohistio means for application routing. `breaks` where this run would be what breaks it, or would
    make its remedy cost custom resources; otherwise all that is so already.
    """

    message: str
    todo: str
    breaks: bool


def conflict(state: ClusterState, evidence: tuple[str, ...]) -> Conflict:
    """In words; `evidence` is what shows that application routing is on."""
    count = state.gateway_api.istio_definitions
    named = f"AKS application routing with the Gateway API is on ({', '.join(evidence)}); it is not the mesh add-on."
    if not count:
        message = (
            f"{named} An install creates CRDs of istio.io: with them application routing's istiod no longer starts, "
            "and the ingress through its Gateways breaks at its next restart at the latest"
        )
    else:
        message = (
            f"{named} {count} CRDs of istio.io exist already, so its istiod cannot start again; an install changes "
            "nothing about that"
        )
    remedy = "The remedy that Azure documents deletes the CRDs, and every custom resource of Istio with them"
    if state.istiods:
        return Conflict(message, f"{remedy}: do not use it while the mesh is needed. {_one_of_them()}", breaks=False)
    todo = f"{remedy}. {_one_of_them()} If its ingress may break: --skip-check {CHECK}."
    return Conflict(message, todo, breaks=True)


def _one_of_them() -> str:
    return f"Keep one of the two on a cluster: move its Gateways, then {_DISABLE}."


def notices(state: ClusterState) -> tuple[str, ...]:
    """For a plan."""
    evidence = state.gateway_api.application_routing.evidence
    if not evidence:
        return ()
    found = conflict(state, evidence)
    return (f"{found.message}. {found.todo}",)


def uninstall_refusal(state: ClusterState) -> str:
    """Why nothing may be uninstalled with istioctl; empty where it may.

    `istioctl uninstall --revision default` takes what has the charts' labels in any namespace
    (operator/pkg/uninstall/prune.go), and AKS's istiod comes from the same charts.
    """
    routing = state.gateway_api.application_routing
    if not routing.labelled:
        return ""
    named = ", ".join(routing.istiods)
    return f"`istioctl uninstall` would also take {named}, which is AKS application routing's: it has the same labels"

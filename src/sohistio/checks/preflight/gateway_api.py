"""Checks of the Kubernetes Gateway API: AKS application routing beside the mesh, and CRDs too old for this Istio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault, Severity
from sohistio.model.finding import Finding
from sohistio.model.gateway_api import AKS, ROUTING_CLASS, TOO_OLD, UNSERVED, Definition, listed
from sohistio.model.state import ClusterState
from sohistio.modes.application_routing import conflict

_AKS_HINT = "AKS brings newer ones with a newer Kubernetes: `az aks upgrade`."
_HINT = "Upgrade the Gateway API's CRDs (standard channel) with what put them there; sohistio does not install them."


def application_routing(context: Context) -> Iterator[Verdict]:
    """No Istio of application routing that a mesh of sohistio would break. Azure is asked where it can be."""
    managed = context.managed_cluster
    yield routing_verdict(context.state, managed.application_routing if managed else None)


def routing_verdict(state: ClusterState, azure: bool | None) -> Verdict:
    """`azure` is what the ingress profile says, None where Azure is not asked."""
    routing = state.gateway_api.application_routing
    if azure is False and not routing.istiods:
        left = f"; its GatewayClass {ROUTING_CLASS} is left over" if routing.gateway_class else ""
        return Good(f"off, as Azure's ingress profile says{left}")
    evidence = (*(("Azure's ingress profile",) if azure else ()), *routing.evidence)
    if not evidence:
        if routing.gateway_class is None:
            message = f"not known whether there is a GatewayClass {ROUTING_CLASS}: you lack permission to get it"
            return Fault(message, "Ask for the role in rbac/reader.yaml.", Severity.WARNING)
        return Good("the cluster shows nothing of it")
    found = conflict(state, evidence)
    return Fault(found.message, found.todo, None if found.breaks else Severity.WARNING)


def gateway_api_crds(context: Context) -> Iterator[Verdict]:
    """istioctl finds no CRD of the Gateway API too old for the target."""
    definitions = context.state.gateway_api.definitions
    if not definitions:
        yield NotAsked("the cluster has no CRDs of the Gateway API")
        return
    if context.unlisted():
        yield NotAsked("istioctl is not run, see istioctl-analyze")
        return
    managed = context.managed_cluster
    if managed is not None and managed.gateway_api:
        definitions = tuple(replace(item, owner=AKS) for item in definitions)
    findings = () if context.is_unserved() else context.findings()
    yield from too_old((*context.prechecked(), *findings), definitions)


def too_old(findings: Sequence[Finding], definitions: Sequence[Definition]) -> Iterator[Verdict]:
    """A fault for each CRD that istioctl names, with its release and whose it is."""
    named = [finding for finding in dict.fromkeys(findings) if finding.code in TOO_OLD]
    for finding in named:
        name = finding.origin.rpartition(" ")[2].rpartition("/")[2]
        own = [item for item in definitions if item.name == name]
        whose = f"; it is {listed(own)}" if own else ""
        hint = _AKS_HINT if any(item.owner == AKS for item in own) else _HINT
        unserved = finding.code in UNSERVED
        waits = "; istiod waits for that version and may never get ready" if unserved else ""
        yield Fault(f"{finding.line.rstrip('.')}{whose}{waits}", hint, None if unserved else Severity.WARNING)
    if not named:
        yield Good(listed(definitions))

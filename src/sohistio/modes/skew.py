"""Version skew: what Istio and Kubernetes allow together. Each rule has a name.

Sources: Istio's "Supported Releases" (Kubernetes versions) and "Canary/In-place upgrades" (one minor at a time; proxies
may be one minor older than istiod, never newer).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from sohistio.model.fault import Fault
from sohistio.model.gateway_api import Limits, limit_of, listed, newest
from sohistio.model.held_back import HeldBack
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version

# Istio minor ("1.31") → the oldest and newest Kubernetes 1.x minor it supports.
Support = Mapping[str, tuple[int, int]]
_NO_LIMITS: Limits = MappingProxyType({})
GATEWAY_API = "gateway-api-too-new"


RULES = ("kubernetes-version", "istio-minor-unknown", "prerelease", "one-minor-at-a-time", "proxy-skew", GATEWAY_API)
"""The names of the rules, as `--skip-check` takes those that can be skipped."""


def skew_faults(
    state: ClusterState,
    installed: Version | None,
    hops: Sequence[Version],
    support: Support,
    *,
    in_place: bool,
    limits: Limits = _NO_LIMITS,
) -> tuple[Fault, ...]:
    """What is wrong with going from `installed` over `hops`, the target last. `in_place` keeps sidecars running.

    Sidecars that are too old for the istiod which is there already stop nothing: a replacement that was interrupted
    leaves such, and to go on is what fixes them.
    """
    problems = [problem for hop in hops for problem in _release(state, hop, support)]
    problems += gateway_api_faults(state, hops, limits)
    if in_place and installed is not None:
        problems += _steps_too_long(installed, hops)
        if hops[0] != installed:
            problems += old_proxies(state, hops[0])
    return tuple(problems)


def gateway_api_faults(state: ClusterState, hops: Sequence[Version], limits: Limits) -> tuple[Fault, ...]:
    """Versions whose istiod does not get ready with the Gateway API CRDs that are there (istio/istio#59443)."""
    definitions = state.gateway_api.definitions
    found = newest(definitions)
    if found is None or found.release is None:
        return ()
    problems = []
    for hop in hops:
        limit = limit_of(limits, hop.major, hop.minor)
        if limit is None or found.release < limit.release:
            continue
        if limit.fixed_in is None:
            fixed = "no release of that minor has the fix"
        elif hop.patch < limit.fixed_in:
            fixed = f"fixed in {hop.major}.{hop.minor}.{limit.fixed_in}"
        else:
            continue
        release = ".".join(map(str, limit.release))
        named = listed([item for item in definitions if item.release is not None and item.release >= limit.release])
        problems.append(
            Fault(
                f"istiod {hop} may never get ready with Gateway API CRDs of v{release} or newer "
                f"(istio/istio#59443; {fixed}); the cluster has {named}",
                rule=GATEWAY_API,
            )
        )
    return tuple(problems)


def _release(state: ClusterState, hop: Version, support: Support) -> Iterator[Fault]:
    if hop.suffix:
        yield Fault(f"{hop} is a pre-release", rule="prerelease")
    supported = support.get(f"{hop.major}.{hop.minor}")
    if supported is None:
        known = ", ".join(sorted(support))
        what = f"no Kubernetes versions are known for Istio {hop} (known: {known})"
        yield Fault(what, rule="istio-minor-unknown")
        return
    kubernetes = Version.from_tag(state.kubernetes_version)
    if kubernetes is not None and not supported[0] <= kubernetes.minor <= supported[1]:
        yield Fault(
            f"Istio {hop} supports Kubernetes 1.{supported[0]} to 1.{supported[1]}, "
            f"the cluster runs {state.kubernetes_version}",
            rule="kubernetes-version",
        )


def _steps_too_long(installed: Version, hops: Sequence[Version]) -> Iterator[Fault]:
    for before, after in zip([installed, *hops], hops, strict=False):
        if abs(after.minors_ahead_of(before)) > 1:
            what = f"{before} to {after} is more than one minor; in place it must be one"
            yield Fault(what, rule="one-minor-at-a-time")


def old_proxies(state: ClusterState, istiod: Version) -> Iterator[Fault]:
    """Sidecars of this mesh, wherever they run, that an istiod of this version finds too old.

    Its gateways are none: an install rolls them itself.
    """
    seen: dict[Version, set[str]] = {}
    own = {deployment.ref for deployment in state.mesh_deployments}
    proxies = [(workload.ref, pod) for workload in state.carriers if workload.ref not in own for pod in workload.pods]
    for ref, pod in (*proxies, *state.unowned_carriers.items()):
        version = Version.from_image(pod.proxy_image)
        if version is not None and pod.revision == state.revision:
            seen.setdefault(version, set()).add(str(ref))
    for version, refs in sorted(seen.items()):
        if istiod.minors_ahead_of(version) > 1:
            names = ", ".join(sorted(refs))
            yield Fault(f"istiod {istiod} does not support sidecars of {version}: {names}", rule="proxy-skew")


def left_behind(state: ClusterState, istiod: Version, held_back: Mapping[ObjectRef, HeldBack]) -> Iterator[Fault]:
    """Sidecars that an istiod of this version finds too old, as their workloads may not be restarted now."""
    for workload in state.carriers:
        item = held_back.get(workload.ref)
        if item is None:
            continue
        for fault in old_proxies(replace(state, carriers=(workload,), unowned_carriers={}), istiod):
            yield replace(fault, message=f"{fault.message}, which is not restarted now: {item.words}")


def newer_proxies(state: ClusterState, istiod: Version, held_back: Iterable[HeldBack]) -> list[ObjectRef]:
    """Workloads that may not be restarted now, with sidecars newer than this istiod: Istio does not support that."""
    kept = {item.ref for item in held_back}
    return [
        workload.ref
        for workload in state.workloads
        if workload.ref in kept
        and any((found := Version.from_image(pod.proxy_image)) and istiod < found for pod in workload.pods)
    ]

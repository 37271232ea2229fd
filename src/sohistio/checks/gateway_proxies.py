"""Whether the mesh's own gateways run the proxies of its control plane. Pure.

An interrupted replacement leaves them at the old version, with istiod at the new one: they serve, and no other check
tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sohistio.checks.held_gateways import HELD_TODO
from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.model.desired import DesiredDeployment, DesiredMesh
from sohistio.model.state import ClusterState, MeshDeployment
from sohistio.model.versions import Version


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway, the versions of its running proxies, those of them that it should not have, and what changes that."""

    name: str
    versions: tuple[Version, ...]
    others: tuple[Version, ...]
    rolling: bool
    held: bool
    todo: str


def gateway_proxies(state: ClusterState, desired: DesiredMesh) -> Iterator[CheckResult]:
    """One result for each gateway whose proxies' versions are known."""
    name, istiods = "gateway-proxies", ", ".join(istiod.image_version for istiod in state.istiods)
    for gateway in gateways(state, desired):
        if not gateway.others:
            yield passed(name, f"{gateway.name} runs {', '.join(map(str, gateway.versions))}")
            continue
        message = f"{gateway.name} runs proxies of {', '.join(map(str, gateway.others))}, istiod is {istiods}"
        if gateway.held:
            yield failed(name, f"{message}: it is held until its turn, and its old pods serve", HELD_TODO)
        elif gateway.rolling:
            yield warned(name, f"{message}: its rollout is under way", "`sohistio verify` looks again.")
        else:
            yield failed(name, message, gateway.todo)


def gateways(state: ClusterState, desired: DesiredMesh) -> Iterator[Gateway]:
    """The manifest's gateways whose proxies' versions are known; none of one that is off, or without istiod.

    Its own image counts where the manifest names one of another version: that is the environment's decision. One
    without a version in its tag says nothing.
    """
    istiods = {version for istiod in state.istiods if (version := Version.from_tag(istiod.image_version))}
    seen = {item.ref: item for item in state.mesh_deployments}
    for item in desired.gateways:
        live, right = seen.get(item.ref), _right(item, desired, istiods)
        found = _versions(live) if live is not None else set()
        if live is not None and found and right and not item.is_off:
            others = tuple(sorted(found - right))
            yield Gateway(item.ref.short, tuple(sorted(found)), others, live.rolling, live.held, _todo(item))


def _versions(live: MeshDeployment) -> set[Version]:
    return {version for image in live.proxy_images if (version := Version.from_image(image))}


def _right(item: DesiredDeployment, desired: DesiredMesh, istiods: set[Version]) -> set[Version]:
    """The versions that it may run; none where that is not known."""
    if not item.proxy_image:
        return istiods
    own = Version.from_image(item.proxy_image)
    if own is None:
        return set()
    return istiods if own == desired.version else {own}


def _todo(item: DesiredDeployment) -> str:
    """An install changes its image where the manifest has that, and the injector does where it starts anew."""
    if item.proxy_image:
        return "Run `sohistio install`: it gives the gateway its new image."
    return f"kubectl -n {item.ref.namespace} rollout restart deployment {item.ref.name}"

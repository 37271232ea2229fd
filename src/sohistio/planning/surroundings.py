"""Reads what a policy would meet in a cluster: what runs there, what leads to it, what traffic there was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.mesh_config import mesh_config
from sohistio.adapters.kubernetes.policy import policy_objects
from sohistio.errors import RefusedError
from sohistio.model.policy import Stage
from sohistio.plan.steps import RestartWorkloads
from sohistio.planning.planned import Planned
from sohistio.planning.traffic import prometheus_of, traffic_of
from sohistio.policy.hand_made import OBSERVED
from sohistio.policy.render import rendered
from sohistio.policy.running import running
from sohistio.policy.surroundings import Surroundings

_NETWORKING = "/apis/networking.k8s.io/v1"
_INGRESSES, _CLASSES = f"{_NETWORKING}/ingresses", f"{_NETWORKING}/ingressclasses"
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class LookedAround:
    """What was found; `unread` says what could not be read, `unasked` why Prometheus gave no answer."""

    seen: Surroundings
    unread: tuple[str, ...] = ()
    unasked: RefusedError | None = None


def look_around(planned: Planned, pods: Sequence[Object], services: Sequence[Object]) -> LookedAround:
    """In stage audit it is the policy as it would refuse that is looked at. Raises KubeError."""
    session = planned.session
    environment, api = session.environment, session.api
    policy = environment.mesh_policy()
    steps = [step for step in planned.plan.steps if isinstance(step, RestartWorkloads) and not step.without_sidecar]
    unread: list[str] = []
    ingresses, classes = _listed(api, _INGRESSES, unread), _listed(api, _CLASSES, unread)
    seen = Surroundings(
        policy,
        rendered(replace(policy, stage=Stage.ENFORCE), environment.name).objects,
        # Planning has read them, unless nothing is declared that is applied at this stage.
        planned.policy.live or policy_objects(api, OBSERVED, managed_only=False),
        frozenset(item.ref for item in planned.policy.comparison.surplus),
        running(pods),
        services,
        ingresses,
        {item["metadata"]["name"]: item["spec"].get("controller", "") for item in classes},
        frozenset(item.name for item in planned.state.namespaces if item.injected),
        frozenset(ref for step in steps for ref in step.workloads),
        outside_is_closed(api),
    )
    try:
        prometheus = prometheus_of(environment)
        traffic = traffic_of(prometheus, {item.namespace for item in policy.workloads}) if prometheus else None
    except RefusedError as error:
        return LookedAround(seen, tuple(unread), error)
    return LookedAround(replace(seen, traffic=traffic), tuple(unread))


def outside_is_closed(api: KubeApi) -> bool:
    """Whether the mesh refuses external hosts that no registry has, by its configuration today. Raises KubeError."""
    policy = mesh_config(api).get("outboundTrafficPolicy")
    return isinstance(policy, dict) and policy.get("mode") == "REGISTRY_ONLY"


def _listed(api: KubeApi, path: str, unread: list[str]) -> list[Object]:
    """A list of what few have; without the right to read it the rest is worth a look all the same."""
    try:
        return api.items(path)
    except KubeError as error:
        if error.status != _FORBIDDEN:
            raise
        unread.append(path.rpartition("/")[2])
        return []

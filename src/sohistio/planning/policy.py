"""Reads how the cluster's policy objects compare with what the environment declares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.custom_resources import resource_ref
from sohistio.adapters.kubernetes.policy import policy_objects
from sohistio.environments.load import Environment
from sohistio.model.policy import Policy, policy_label
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.words import first_names
from sohistio.modes.planner import OwnPhases
from sohistio.planning.owned import left_alone, somebody_elses
from sohistio.planning.reads import or_refused
from sohistio.planning.session import Session
from sohistio.policy.compare import Comparison, compared
from sohistio.policy.planner import policy_phase, ways_out_phase
from sohistio.policy.render import Rendered, rendered
from sohistio.policy.transition import is_guard

if TYPE_CHECKING:
    from sohistio.policy.hand_made import HandMade

_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class DeclaredPolicy:
    """What an environment declares, and the objects made of it."""

    environment: str = ""
    policy: Policy = field(default_factory=Policy)
    wanted: Rendered = field(default_factory=Rendered)


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What the environment declares, and how the cluster compares.

    `live` are all objects of the kinds in which a policy is made or undone; empty where none is declared. `blinded` are
    live guards that let callers in by address, where the gateways would stop seeing addresses.
    """

    declared: DeclaredPolicy = field(default_factory=DeclaredPolicy)
    comparison: Comparison = field(default_factory=Comparison)
    hand_made: tuple[HandMade, ...] = ()
    paths: Mapping[ObjectRef, str] = field(default_factory=dict)
    live: Mapping[ObjectRef, Object] = field(default_factory=dict)
    blinded: tuple[ObjectRef, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether there is an object of one, or will be."""
        return bool(self.declared.wanted.objects or self.comparison.surplus)

    @property
    def phases(self) -> OwnPhases:
        """What a plan takes of it."""
        return OwnPhases(
            ways_out_phase(self.comparison),
            policy_phase(self.comparison, self.declared.environment, self.paths),
            self.comparison.changes,
            self._refusal,
            self._todo,
            self._notices,
        )

    @property
    def _refusal(self) -> str:
        if self.blinded:
            return (
                f"{first_names(list(map(str, self.blinded)), _MOST_NAMED)} lets callers in by address, and the "
                "gateways would stop seeing addresses before that rule is gone"
            )
        return somebody_elses(self.comparison.foreign, "a policy object")

    @property
    def _todo(self) -> str:
        if self.blinded:
            return (
                "First change what is let in (monitoring.expose) and install; externalTrafficPolicy and "
                "gatewayTopology in another run after that. Nothing was changed."
            )
        label = f"sohistio/policy={self.declared.environment}"
        return (
            f"Delete it where it was made. Or hand it over: `kubectl label KIND -n NAMESPACE NAME {label}`; then "
            "sohistio makes it what the environment declares. Nothing was changed."
        )

    @property
    def _notices(self) -> tuple[str, ...]:
        found = [f"made by hand: {item}" for item in self.hand_made]
        found += [
            f"namespace {name} does not exist and is not created: once it exists, install applies its policy"
            for name in self.comparison.waiting
        ]
        found += left_alone(self.comparison.unowned)
        if self.declared.wanted.objects and self.declared.policy.is_audit:
            found.append("policy.stage is audit: nothing is refused yet; set enforce when nothing is reported any more")
        return tuple(found)


def declared_policy(environment: Environment) -> DeclaredPolicy:
    """The policy of an environment, rendered."""
    policy = environment.mesh_policy()
    return DeclaredPolicy(environment.name, policy, rendered(policy, environment.name))


def look_at_policy(session: Session, labelled: Collection[ObjectRef], state: ClusterState) -> PolicyFacts:
    """Compare the policy's objects with the cluster's. Raises RefusedError.

    Without a policy the objects of an earlier one alone are read: `labelled` are the resources with its label.
    """
    declared = declared_policy(session.environment)
    if not declared.wanted.objects and not labelled:
        return PolicyFacts(declared)
    from sohistio.policy.hand_made import hand_made

    live = or_refused("the mesh's policy could not be read", lambda: read_policy(session.api, declared))
    comparison = compared(declared.wanted, live, declared.environment, there(state))
    paths = {item.ref: session.api.path_of(dict(item.live)) for item in comparison.surplus}
    others = hand_made(declared.policy, live, declared.environment)
    blinded = () if session.environment.sees_callers else tuple(sorted(filter(None, map(_by_address, live.items()))))
    return PolicyFacts(declared, comparison, others, paths, live if declared.wanted.objects else {}, blinded)


def _by_address(item: tuple[ObjectRef, Object]) -> ObjectRef | None:
    """The guard, where it lets callers in by their addresses."""
    ref, live = item
    sources = [
        origin.get("source") or {}
        for rule in (live.get("spec") or {}).get("rules") or ()
        for origin in rule.get("from") or ()
    ]
    by_address = is_guard(ref.kind, ref.namespace, ref.name) and any("ipBlocks" in source for source in sources)
    return ref if by_address and policy_label(live) is not None else None


def there(state: ClusterState) -> frozenset[str]:
    """The namespaces in which objects can be made."""
    return frozenset(seen.name for seen in state.namespaces if not seen.ending)


def read_policy(api: KubeApi, declared: DeclaredPolicy) -> Mapping[ObjectRef, Object]:
    """The live objects to compare with: all of the kinds, or those with the label where nothing is declared.

    Raises KubeError.
    """
    from sohistio.policy.hand_made import OBSERVED

    return policy_objects(api, OBSERVED, managed_only=not declared.wanted.objects)


def labelled_in(resources: Iterable[Object]) -> frozenset[ObjectRef]:
    """Those that carry the label of a policy."""
    return frozenset(resource_ref(item) for item in resources if policy_label(item) is not None)

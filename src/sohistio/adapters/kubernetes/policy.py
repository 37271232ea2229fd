"""Adapter: the objects that a policy is made of: read, applied, deleted."""

from __future__ import annotations

from collections.abc import Collection

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.apply import apply_object
from sohistio.adapters.kubernetes.custom_resources import resource_ref
from sohistio.adapters.kubernetes.prune import prune_owned
from sohistio.adapters.kubernetes.served_kinds import ServedKind, served_kinds
from sohistio.model.policy import POLICY_LABEL
from sohistio.model.state import ObjectRef
from sohistio.plan.ownership import POLICY_MANAGER
from sohistio.plan.policy_steps import is_policys
from sohistio.system.parallel import side_by_side


def policy_objects(api: KubeApi, kinds: Collection[str], *, managed_only: bool) -> dict[ObjectRef, Object]:
    """The live objects of these kinds of Istio's, with managedFields; none of kinds that the cluster does not serve.

    With `managed_only` those that carry sohistio's label alone. Raises KubeError.
    """

    def listed(kind: ServedKind) -> list[Object]:
        found = api.items(f"/apis/{kind.group_version}/{kind.plural}", labels=POLICY_LABEL if managed_only else "")
        return [{"apiVersion": kind.group_version, "kind": kind.kind} | item for item in found]

    wanted = [kind for kind in served_kinds(api) if kind.is_istios and kind.kind in kinds]
    return {resource_ref(item): item for items in side_by_side(listed, wanted) for item in items}


def apply_policy_object(api: KubeApi, obj: Object) -> str:
    """Apply one, as `apply_object` does, and own its fields."""
    return apply_object(api, obj, resource_ref(obj), POLICY_MANAGER, force=True)


def prune_policy_object(api: KubeApi, ref: ObjectRef, path: str, environment: str) -> bool:
    """Delete an object of an environment's policy, as `prune_owned` does."""
    return prune_owned(api, ref, path, "policy", lambda live: is_policys(live, environment))

"""Steps of the mesh's policy: Istio's objects applied as the environment declares them, and taken away again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.model.policy import POLICY_LABEL
from sohistio.plan.owned_steps import ApplyOwned, PruneOwned, is_owned
from sohistio.plan.ownership import POLICY_MANAGER


@dataclass(frozen=True, slots=True)
class ApplyPolicy(ApplyOwned):
    """Of policy objects: `effects` says what is refused from then on, or no longer."""


@dataclass(frozen=True, slots=True)
class PrunePolicy(PruneOwned):
    """Of policy objects, with effects as of `ApplyPolicy`."""


def is_policys(live: Mapping[str, Any], environment: str) -> bool:
    """Whether sohistio made it from this environment's policy."""
    return is_owned(live, POLICY_LABEL, environment, POLICY_MANAGER)

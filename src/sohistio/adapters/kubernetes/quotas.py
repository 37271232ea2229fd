"""Adapter: ResourceQuotas, read where a restart adds to what pods take, and only there."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.model.quota_room import Amounts, quotas_in, without_room
from sohistio.model.refused_pod import Refusal
from sohistio.model.state import ObjectRef

_QUOTAS = "/api/v1/resourcequotas"


def short_of_room(api: KubeApi, needs: Sequence[tuple[ObjectRef, Amounts]]) -> dict[ObjectRef, Refusal]:
    """Which workloads do not fit any more, and why; none where the quotas may not be read."""
    if not any(need for _, need in needs):
        return {}
    try:
        return without_room(needs, quotas_in(api.items(_QUOTAS)))
    except KubeError:
        return {}

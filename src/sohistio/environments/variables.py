"""The variables of an environment: those of its own before those that all share. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def variables_for(name: str, variables: Mapping[str, str]) -> Mapping[str, str]:
    """The variables as the environment `name` has them: SOHISTIO_IP_PREFIX_DR is dr's own SOHISTIO_IP_PREFIX.

    A failover loads two environments at once.
    """
    suffix = f"_{name.upper().replace('-', '_')}"
    own = {
        key.removesuffix(suffix): value
        for key, value in variables.items()
        if value and key.startswith("SOHISTIO_") and key.endswith(suffix)
    }
    return {**variables, **own}

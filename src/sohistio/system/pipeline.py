"""Whether this process is a step of a pipeline of Azure DevOps."""

from __future__ import annotations

from collections.abc import Mapping


def on_an_agent(variables: Mapping[str, str]) -> bool:
    """Whether these are the variables of a step: its agent sets `TF_BUILD` to `True`, and nobody else does."""
    return variables.get("TF_BUILD", "").strip().lower() == "true"

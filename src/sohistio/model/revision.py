"""The revision: the name of one control plane among those of a cluster (Istio, "Canary Upgrades")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NewType

Revision = NewType("Revision", str)

LABEL = "istio.io/rev"
"""The label of a control plane's objects, the annotation of the pods it injected, and the choice of a namespace."""
TAG_LABEL = "istio.io/tag"
"""The label of what makes a revision tag: another name for a revision."""
DEFAULT_REVISION = Revision("default")
"""The control plane that sohistio installs. Istio calls one without a revision so."""


def revision_of(labels: Mapping[str, str]) -> Revision:
    """The revision that labels or annotations name; what names none belongs to the default one."""
    return Revision(labels.get(LABEL) or DEFAULT_REVISION)

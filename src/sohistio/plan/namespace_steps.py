"""Steps on namespaces: their injection label, and the Secret that images are pulled with. Frozen data, as all steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sohistio.model.state import ObjectRef
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class MakeNamespace:
    """Make the mesh's own namespace. Taking the lock does it, as the lock is in there; then nothing is left to do."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    object: ObjectRef


@dataclass(frozen=True, slots=True)
class WritePullSecrets:
    """Create or update these Secrets. The credential itself is no part of a plan: whoever carries it out holds it."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    objects: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class LabelNamespaces:
    """Label namespaces `istio-injection=enabled`, so that new pods get a sidecar."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    objects: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class UnlabelNamespaces:
    """Take the label that sohistio had set off again: new pods get no sidecar, running ones keep theirs."""

    risk: ClassVar[Risk] = Risk.DISRUPT
    id: str
    summary: str
    objects: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class VerifyNamespaces:
    """Look again: the namespaces `listed` are labelled, and these pull Secrets are as their source has them. With
    `add_only` no label has to be gone, and none to be there that waits for istiod.
    """

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    listed: tuple[str, ...]
    secrets: tuple[ObjectRef, ...]
    add_only: bool = False


NamespaceStep = MakeNamespace | WritePullSecrets | LabelNamespaces | UnlabelNamespaces

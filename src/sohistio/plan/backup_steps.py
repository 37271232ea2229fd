"""Steps on backups: what is copied to this machine, and put back. Frozen data, as in steps.py."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sohistio.model.versions import Version
from sohistio.plan.risk import DIGESTED, Risk


@dataclass(frozen=True, slots=True)
class TakeBackup:
    """Write custom resources, the CA's reference and what is installed (`version`) to a folder of this machine.

    `include_ca` adds the CA's key, encrypted; without `authority` the CA's Secret is not even read.
    """

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    include_ca: bool = False
    version: Version | None = None
    authority: bool = True


@dataclass(frozen=True, slots=True)
class CheckBackup:
    """See that this run's backup holds every custom resource as it is now: what comes next deletes them."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str


@dataclass(frozen=True, slots=True)
class ObjectsStep:
    """A step that applies objects: `documents` are JSON, one an object."""

    id: str
    summary: str
    documents: tuple[str, ...] = field(metadata=DIGESTED)

    @property
    def parsed(self) -> list[dict[str, Any]]:
        """The objects."""
        return [json.loads(document) for document in self.documents]


@dataclass(frozen=True, slots=True)
class RestoreObjects(ObjectsStep):
    """Put objects of a backup back by server-side apply."""

    risk: ClassVar[Risk] = Risk.CHANGE


@dataclass(frozen=True, slots=True)
class RestoreAuthority:
    """Put the CA's Secret back from the encrypted file of the backup in `folder`; one that is there is left alone."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    folder: str

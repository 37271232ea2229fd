"""What of a standby's configuration is not as the other environment has it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sohistio.environments.values import Part, Text
from sohistio.model.sync import Substitution


class SubstitutionPart(Part):
    """A text that stands for another one."""

    before: Text = Field(alias="from", description="As the other environment has it")
    after: Text = Field(alias="to", description="As this environment has it")


class Sync(Part):
    """How objects of the other environment are made this one's."""

    substitutions: Annotated[tuple[SubstitutionPart, ...], Field(strict=False)] = Field(
        (), description="Texts to replace in every value of a spec, the longest first: hosts, addresses"
    )

    def all(self) -> tuple[Substitution, ...]:
        """The same as plain data, the longest text first."""
        found = (Substitution(item.before, item.after) for item in self.substitutions)
        return tuple(sorted(found, key=lambda item: len(item.before), reverse=True))

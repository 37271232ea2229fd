"""The key `sync` of a standby: what differs between the two regions by intention."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.values import Part, Text
from sohistio.model.sync import Exclusion, Substitution, SyncRules


class SubstitutionKeys(Part):
    """A text of the source, and the standby's in its place."""

    old: Text = Field(alias="from", description="Text as the source has it: a host, a domain, an address")
    new: Text = Field(alias="to", description="What the standby has in its place")


class ExclusionKeys(Part):
    """Which objects are not compared; patterns such as payments-* are possible."""

    kind: Text | None = Field(None, description="Such as VirtualService; Secret for the certificates of gateways")
    namespace: Text | None = None
    name: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ExclusionKeys:
        if (self.kind, self.namespace, self.name) == (None, None, None):
            raise ValueError("expected at least one of kind, namespace and name")
        return self


def _each_once(values: tuple[SubstitutionKeys, ...]) -> tuple[SubstitutionKeys, ...]:
    texts = [value.old for value in values]
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        raise ValueError(f"expected each text once, {twice[0]} is given twice")
    return values


class Sync(Part):
    """How `sohistio sync` compares this standby with the environment that it stands by for."""

    substitutions: Annotated[
        tuple[SubstitutionKeys, ...],
        Field(strict=False, description="Texts that differ in the two regions, replaced in every text of a spec"),
        AfterValidator(_each_once),
    ] = ()
    exclude: Annotated[tuple[ExclusionKeys, ...], Field(strict=False, description="Objects that are not compared")] = ()

    def rules(self) -> SyncRules:
        """The same as plain data."""
        return SyncRules(
            tuple(Substitution(item.old, item.new) for item in self.substitutions),
            tuple(Exclusion(item.kind or "*", item.namespace or "*", item.name or "*") for item in self.exclude),
        )

"""The key `sync` of a standby: what differs between the two regions by intention."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase, translate
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.values import Part, Text
from sohistio.model.nearest import nearest
from sohistio.model.sync import COMPARED_KINDS, Exclusion, Substitution, SyncRules

# One character of a pattern that is a choice: `[abc]`, `[!a-c]`.
_CHOICE = re.compile(r"\[!?[^]]+\]")
# What fnmatch makes of a choice that nothing is in, such as `[z-a]`.
_NOTHING = "(?!)"


def _literal(value: str) -> str:
    if value != value.strip() or not value.isprintable() or not any(letter.isalnum() for letter in value):
        raise ValueError("expected a text such as prod.example.com, without blanks around it, in one line")
    return value


def _pattern(value: str) -> str:
    """Of names in Kubernetes: DNS subdomains in lower case (RFC 1123)."""
    if not re.fullmatch(r"[a-z0-9.*?-]+", _CHOICE.sub("?", value)) or _NOTHING in translate(value):
        raise ValueError("expected a name, or a pattern with *, ? or [abc] such as payments-*, in lower case")
    return value


def _kind(value: str) -> str:
    """A kind that sync compares, or a pattern of some; those of the Gateway API with their group or without."""
    if any(fnmatchcase(name, value) for name in COMPARED_KINDS):
        return value
    names = sorted({name.partition(".")[0] for name in COMPARED_KINDS})
    # Kinds are typed as resources, too: in lower case, in the plural, with a group.
    found = nearest(value.partition(".")[0], names)
    more = f"did you mean {found}?" if found else f"known kinds: {', '.join(names)}"
    raise ValueError(f"is no kind that sync compares; {more}")


Literal = Annotated[Text, AfterValidator(_literal)]
Pattern = Annotated[Text, AfterValidator(_pattern)]
Kind = Annotated[Text, AfterValidator(_kind)]


class SubstitutionKeys(Part):
    """A text of the source, and the standby's in its place."""

    old: Literal = Field(alias="from", description="Text as the source has it: a host, a domain, an address")
    new: Literal = Field(alias="to", description="What the standby has in its place")

    @model_validator(mode="after")
    def _changes_something(self) -> SubstitutionKeys:
        if self.old == self.new:
            raise ValueError(f"expected two different texts, both are {self.old}")
        return self


class ExclusionKeys(Part):
    """Which objects are not compared; patterns such as payments-* are possible."""

    kind: Kind | None = Field(None, description="Such as VirtualService; Secret for the certificates of gateways")
    namespace: Pattern | None = None
    name: Pattern | None = None

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

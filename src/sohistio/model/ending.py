"""Istio's objects that are being deleted, in words: they are still there, and nothing may count on them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sohistio.model.state import Ending, ObjectRef
from sohistio.model.words import counted, first_lines

MOST_NAMED = 6
TODO = (
    "What is being deleted is gone for good once its finalizers are, and every custom resource with its CRD. Let what "
    "set the finalizers finish, or take them off the custom resources yourself (`kubectl patch … --type merge -p "
    '\'{"metadata":{"finalizers":null}}\'`), not off the CRDs. When all are gone: `sohistio install`, then `sohistio '
    "restore --backup DIR`; `sohistio history` names the backups."
)


def is_definition(item: Ending) -> bool:
    """Whether it is a CRD: with it goes every object of its kind."""
    return item.ref.kind == "CustomResourceDefinition"


def described(item: Ending) -> str:
    """`VirtualService shop/web (held by example.com/guard)`."""
    return f"{item.ref} ({held_by(item.finalizers)})"


def held_by(finalizers: Sequence[str]) -> str:
    """`held by example.com/guard`."""
    return f"held by {', '.join(finalizers)}" if finalizers else "no finalizer: gone in a moment"


def how_lost(ref: ObjectRef, found: Collection[Ending]) -> str:
    """What became of a custom resource that is no longer among those that last."""
    return "is being deleted" if any(item.ref == ref for item in found) else "is gone"


def lines(found: Sequence[Ending], most: int = MOST_NAMED) -> tuple[str, ...]:
    """One for each, the custom resources first: it is they that hold their CRD."""
    shown = sorted(found, key=lambda item: (is_definition(item), item.ref))
    return first_lines([described(item) for item in shown], most)


def sentence(found: Sequence[Ending]) -> str:
    """What is being deleted, counted and named."""
    definitions = sum(map(is_definition, found))
    counts = ((len(found) - definitions, "custom resource"), (definitions, "CRD"))
    parts = [counted(count, noun) for count, noun in counts if count]
    verb = "is" if len(found) == 1 else "are"
    return f"{' and '.join(parts)} of Istio {verb} being deleted: {', '.join(lines(found))}"

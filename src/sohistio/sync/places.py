"""What has to be in the standby before objects can be applied: their namespaces, and the CRDs of their kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.sync.differences import Difference, Subject

_MOST_NAMED = 4


def waiting(
    refs: Iterable[tuple[ObjectRef, str]], namespaces: AbstractSet[str], kinds: AbstractSet[str]
) -> Iterator[tuple[ObjectRef, tuple[Subject, str]]]:
    """The objects that cannot be applied, each with what is missing. `refs` come with their kind as `Kind.group`."""
    for ref, kind in refs:
        if kind not in kinds:
            yield ref, (Subject.KIND, kind)
        elif ref.namespace and ref.namespace not in namespaces:
            yield ref, (Subject.NAMESPACE, ref.namespace)


def missing_places(found: Mapping[ObjectRef, tuple[Subject, str]], source: str, target: str) -> Iterator[Difference]:
    """A difference for each namespace and each kind that the target lacks, with the objects that wait for it."""
    by_place: dict[tuple[Subject, str], list[ObjectRef]] = {}
    for ref, place in found.items():
        by_place.setdefault(place, []).append(ref)
    for (subject, name), refs in sorted(by_place.items()):
        count = f"{len(refs)} object{'' if len(refs) == 1 else 's'} of {source}"
        not_applied = (
            f"{count} {'is' if len(refs) == 1 else 'are'} not applied: {first_names(sorted(refs), _MOST_NAMED)}"
        )
        if subject is Subject.NAMESPACE:
            what = f"there is no namespace {name} in {target}; {not_applied}"
            todo = f"Create it as in {source} (labels included), then sync again."
        else:
            what = f"{target} does not know the kind {name}; {not_applied}"
            todo = (
                f"Istio's kinds come with `sohistio install --env {target}`, the Gateway API's with what installs its "
                "CRDs; then sync again."
            )
        yield Difference(subject, name, what, todo, objects=len(refs))

"""What has to be in the standby before objects can be applied: their namespaces, and the CRDs of their kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sohistio.model.state import ObjectRef
from sohistio.model.words import counted, first_names
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.side import Side

_MOST_NAMED = 4


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """What is missing: a namespace (`ending` where it is there, and being deleted), or a kind as `Kind.group`.

    Where the kind is there, but not in the source's `version`, `served` are the versions in which it is.
    """

    subject: Subject
    name: str
    ending: bool = False
    version: str = ""
    served: tuple[str, ...] = ()


def waiting(refs: Iterable[tuple[ObjectRef, str, str]], target: Side) -> Iterator[tuple[ObjectRef, Place]]:
    """The objects that cannot be applied, each with what is missing. `refs` come with kind and version."""
    for ref, kind, version in refs:
        served = target.kinds.get(kind)
        if served is None:
            yield ref, Place(Subject.KIND, kind)
        elif version not in served:
            yield ref, Place(Subject.KIND, kind, version=version, served=tuple(sorted(served)))
        elif ref.namespace and ref.namespace not in target.namespaces:
            yield ref, Place(Subject.NAMESPACE, ref.namespace, ref.namespace in target.ending)


def missing_places(found: Mapping[ObjectRef, Place], source: str, target: str) -> Iterator[Difference]:
    """A difference for each namespace and each kind that the target lacks, with the objects that wait for it."""
    by_place: dict[Place, list[ObjectRef]] = {}
    for ref, place in found.items():
        by_place.setdefault(place, []).append(ref)
    for place, refs in sorted(by_place.items()):
        count = f"{counted(len(refs), 'object')} of {source}"
        not_applied = (
            f"{count} {'is' if len(refs) == 1 else 'are'} not applied: {first_names(sorted(refs), _MOST_NAMED)}"
        )
        what, todo = _words(place, source, target)
        yield Difference(place.subject, place.name, f"{what}; {not_applied}", todo, objects=len(refs))


def _words(place: Place, source: str, target: str) -> tuple[str, str]:
    """What is missing, and what to do about it."""
    if place.ending:
        what = f"the namespace {place.name} of {target} is being deleted"
        todo = f"Once it is gone, create it as in {source} (labels included), then sync again."
        return what, f"`kubectl get namespace {place.name} -o yaml` names what holds it. {todo}"
    if place.subject is Subject.NAMESPACE:
        what = f"there is no namespace {place.name} in {target}"
        return what, f"Create it as in {source} (labels included), then sync again."
    if place.served:
        what = f"{target} does not serve {place.name} in version {place.version}, only in {', '.join(place.served)}"
        todo = f"install the version that {source} has, then sync again."
    else:
        what = f"{target} does not know the kind {place.name}"
        todo = "then sync again."
    come = f"Istio's kinds come with `sohistio install --env {target}`, the Gateway API's with what installs its CRDs"
    return what, f"{come}; {todo}"

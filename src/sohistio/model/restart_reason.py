"""Why workloads are restarted, grouped: many share one reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sohistio.model.injected import Change
from sohistio.model.sidecar import SidecarTemplate
from sohistio.model.staleness import lacking
from sohistio.model.state import ObjectRef, Workload

_MOST_CHANGES = 4


@dataclass(frozen=True, slots=True)
class RestartReason:
    """What a restart changes in the sidecars of these workloads: `limits.memory 512Mi → 1024Mi`."""

    because: str
    workloads: tuple[ObjectRef, ...]

    @property
    def of_image(self) -> bool:
        """Whether the image, or the whole sidecar, is among it: what a restart was always for."""
        return self.because.startswith(("image ", "sidecar "))


def reasons_of(workloads: Iterable[Workload], sidecar: SidecarTemplate | None) -> tuple[RestartReason, ...]:
    """The reasons of these workloads' restarts, each once; none for those that are current as yet."""
    found: dict[str, list[ObjectRef]] = {}
    for workload in workloads:
        if sidecar is not None and (because := _because(workload, sidecar)):
            found.setdefault(because, []).append(workload.ref)
    return tuple(RestartReason(because, tuple(refs)) for because, refs in found.items())


def _because(workload: Workload, sidecar: SidecarTemplate) -> str:
    pods = (*workload.pods, *workload.arriving)
    return words_of(next(filter(None, (lacking(workload, pod, sidecar) for pod in pods)), ()))


def words_of(changes: tuple[Change, ...]) -> str:
    """The first few changes, and how many more there are."""
    words = ", ".join(item.words for item in changes[:_MOST_CHANGES])
    more = len(changes) - _MOST_CHANGES
    return f"{words} and {more} more settings" if more > 1 else f"{words} and 1 more setting" if more > 0 else words

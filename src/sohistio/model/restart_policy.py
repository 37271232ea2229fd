"""Whether a workload may be restarted now, and in which order: what its environment and its people say. Pure.

An opt-out is never overridden. Of windows the nearest word decides: the workload's annotation, else its namespace's,
else the environment's. Freezes add up.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sohistio.model.restart_annotations import OwnRules, UnreadableError, own_rules
from sohistio.model.restart_times import Freeze, Moment, Window, moment_text, moment_words, next_chance, to_the_minute
from sohistio.model.state import ClusterState, ObjectRef, Workload

_IN_WINDOW = "`sohistio restart` takes it once it may be."
_ANNOTATIONS = "Its people decide: docs/restarts.md has the annotations."
_FIX = "Correct or remove the annotation: kubectl annotate."


@dataclass(frozen=True, slots=True)
class OptOut:
    """What the environment says must never be restarted: a namespace, or namespace/name; and why, if that is said."""

    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """What an environment says of restarts. `canary` are namespaces, or namespace/name; `also_injected` whether what
    asks for a sidecar by itself is restarted in namespaces that are none of `application_namespaces`.
    """

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    opted_out: tuple[OptOut, ...] = ()
    canary: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    also_injected: bool = True
    application_namespaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Share:
    """How many workloads a run may restart: `percent` of all that the mesh injects, or a `count` of those that need it.

    Which ones is decided by a hash of their names: always the same.
    """

    percent: int = 0
    count: int = 0

    def __str__(self) -> str:
        return f"{self.percent} %" if self.percent else str(self.count)


@dataclass(frozen=True, slots=True)
class Restraint:
    """What holds restarts back in a run: the policy, and what the command line says of it."""

    policy: RestartPolicy = field(default_factory=RestartPolicy)
    outside_windows: bool = False
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A workload that needs a restart and gets none now, why, and from when it may have one (ISO 8601 in UTC; empty
    where no time alone changes that).
    """

    ref: ObjectRef
    reason: str
    opens: str = ""
    todo: str = _IN_WINDOW


NO_RESTRAINT = Restraint()


def held(
    restraint: Restraint,
    workload: Workload,
    namespace: Mapping[str, str],
    now: Moment,
    *,
    labelled: bool = True,
) -> HeldBack | None:
    """Why the workload may not be restarted at `now`; None where it may. A share of all workloads is not considered.

    `namespace` are its namespace's annotations, `labelled` whether that is injected by the label `istio-injection`.
    """
    policy, ref = restraint.policy, workload.ref
    try:
        own, around = own_rules(workload.annotations), _of_namespace(ref, namespace)
    except UnreadableError as error:
        return HeldBack(ref, str(error), todo=_FIX)
    if reason := _opted_out(policy, ref, own, around):
        return HeldBack(ref, reason, todo=_ANNOTATIONS)
    by_itself = workload.opted_in and not labelled and ref.namespace not in policy.application_namespaces
    if by_itself and not policy.also_injected:
        reason = "asks for its sidecar by itself, and restarts.alsoInjected is false"
        return HeldBack(ref, reason, todo="Restart it yourself when it suits.")
    if restraint.outside_windows:
        return None
    windows = next((found for found in (own.windows, around.windows) if found is not None), policy.windows)
    return _by_time(ref, windows, (*policy.freezes, *around.freezes, *own.freezes), now)


def _of_namespace(ref: ObjectRef, annotations: Mapping[str, str]) -> OwnRules:
    try:
        return own_rules(annotations)
    except UnreadableError as error:
        raise UnreadableError(f"its namespace {ref.namespace}: {error}") from None


def _opted_out(policy: RestartPolicy, ref: ObjectRef, own: OwnRules, around: OwnRules) -> str:
    said = [("its annotation", own.reason)] if own.never else []
    said += [(f"the annotation of namespace {ref.namespace}", around.reason)] if around.never else []
    said += [("restarts.optOut", item.reason) for item in policy.opted_out if names(item.name, ref)]
    if not said:
        return ""
    who, why = said[0]
    return f"opted out of restarts by {who}" + (f": {why}" if why else "")


def _by_time(ref: ObjectRef, windows: tuple[Window, ...], freezes: tuple[Freeze, ...], now: Moment) -> HeldBack | None:
    frozen = next((freeze for freeze in freezes if freeze.holds(now)), None)
    if frozen is None and (not windows or any(window.is_open(now) for window in windows)):
        return None
    chance = next_chance(windows, freezes, to_the_minute(now))
    opens = f"opens {moment_words(*chance)}" if chance else "does not open within two weeks"
    if frozen is not None:
        what = f"frozen ({frozen.text}{f': {frozen.reason}' if frozen.reason else ''})"
    else:
        what = "outside its window" if len(windows) == 1 else "outside its windows"
    return HeldBack(ref, f"{what}; {opens}", moment_text(chance[0]) if chance else "")


def names(name: str, ref: ObjectRef) -> bool:
    """Whether a name of the environment means this workload: its namespace, or namespace/name."""
    return name in (ref.namespace, f"{ref.namespace}/{ref.name}")


def split(
    restraint: Restraint | None, state: ClusterState, stale: Sequence[Workload], now: Moment | None
) -> tuple[list[Workload], list[HeldBack]]:
    """Of those that need a restart: the ones that may have one now, and the ones held back; without a restraint all."""
    if restraint is None or now is None:
        return list(stale), []
    there = {seen.name: seen for seen in state.namespaces}
    allowed: list[Workload] = []
    back: list[HeldBack] = []
    for workload in stale:
        place = there.get(workload.ref.namespace)
        annotations = place.annotations if place else {}
        labelled = place is not None and place.injection == "enabled"
        found = held(restraint, workload, annotations, now, labelled=labelled)
        if found is None:
            allowed.append(workload)
        else:
            back.append(found)
    return allowed, back


def picked(
    share: Share | None, everything: Iterable[Workload], stale: Sequence[Workload]
) -> tuple[list[Workload], list[HeldBack]]:
    """Those of the stale workloads that are within the share, and the others; a larger share has all of a smaller."""
    if share is None:
        return list(stale), []
    among = sorted((w.ref for w in (everything if share.percent else stale)), key=_rank)
    most = math.ceil(len(among) * share.percent / 100) if share.percent else share.count
    taken = set(among[:most])
    what = f"not in this {share.percent} % (--limit)" if share.percent else f"not among these {share.count} (--limit)"
    rest = [HeldBack(w.ref, what, todo="`sohistio restart` takes it.") for w in stale if w.ref not in taken]
    return [w for w in stale if w.ref in taken], rest


def _rank(ref: ObjectRef) -> str:
    return hashlib.sha256(f"{ref.namespace}/{ref.kind}/{ref.name}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Stage:
    """Workloads that are restarted before the next stage begins. `name` is the end of its step's id, `what` of its
    summary; both are empty for the rest.
    """

    name: str
    what: str
    workloads: tuple[Workload, ...]


def stages(policy: RestartPolicy, state: ClusterState, workloads: Sequence[Workload]) -> list[Stage]:
    """The canary first, then the namespaces as they are listed, then the rest; those that have a workload."""
    around = {seen.name for seen in state.namespaces if _is_canary(seen.annotations)}
    first = [
        w
        for w in workloads
        if w.ref.namespace in around or _is_canary(w.annotations) or any(names(n, w.ref) for n in policy.canary)
    ]
    found = [Stage("-canary", "canary: ", tuple(first))]
    early = {w.ref for w in first}
    rest = [w for w in workloads if w.ref not in early]
    for name in policy.namespaces:
        found.append(Stage(f"-in-{name}", f"namespace {name}: ", tuple(w for w in rest if w.ref.namespace == name)))
    listed = set(policy.namespaces)
    found.append(Stage("", "", tuple(w for w in rest if w.ref.namespace not in listed)))
    return [stage for stage in found if stage.workloads]


def _is_canary(annotations: Mapping[str, str]) -> bool:
    try:
        return own_rules(annotations).canary
    except UnreadableError:
        return False

"""Whether a workload may be restarted at a time: what its environment and its people say. Pure.

An opt-out is never overridden. Of windows the nearest word decides: the workload's annotation, else its namespace's,
else the environment's. Freezes add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sohistio.model.held_back import HeldBack, Why
from sohistio.model.restart_annotations import OwnRules, UnreadableError, own_rules
from sohistio.model.restart_times import Freeze, Moment, Window, moment_text, moment_words, next_chance, to_the_minute
from sohistio.model.state import ClusterState, ObjectRef, Workload


@dataclass(frozen=True, slots=True)
class OptOut:
    """What the environment says must never be restarted: a namespace, or namespace/name; and why."""

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


@dataclass(frozen=True, slots=True)
class Restraint:
    """What holds restarts back: the policy, what the command line says of it, and when that is asked (None: nothing is
    held back).
    """

    policy: RestartPolicy = field(default_factory=RestartPolicy)
    now: Moment | None = None
    outside_windows: bool = False
    share: Share | None = None


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
        return HeldBack(ref, Why.ANNOTATION, str(error))
    if out := _opted_out(policy, ref, own, around):
        return out
    by_itself = workload.opted_in and not labelled and ref.namespace not in policy.application_namespaces
    if by_itself and not policy.also_injected:
        return HeldBack(ref, Why.INJECTION, "asks for its sidecar by itself, and restarts.alsoInjected is false")
    if restraint.outside_windows:
        return None
    windows = next((found for found in (own.windows, around.windows) if found is not None), policy.windows)
    return _by_time(ref, windows, (*policy.freezes, *around.freezes, *own.freezes), now)


def _of_namespace(ref: ObjectRef, annotations: Mapping[str, str]) -> OwnRules:
    try:
        return own_rules(annotations)
    except UnreadableError as error:
        raise UnreadableError(f"its namespace {ref.namespace}: {error}") from None


def _opted_out(policy: RestartPolicy, ref: ObjectRef, own: OwnRules, around: OwnRules) -> HeldBack | None:
    said = [("its annotation", own.reason)] if own.never else []
    said += [(f"the annotation of namespace {ref.namespace}", around.reason)] if around.never else []
    said += [("restarts.optOut", item.reason) for item in policy.opted_out if names(item.name, ref)]
    if not said:
        return None
    who, why = said[0]
    return HeldBack(ref, Why.OPT_OUT, f"opted out of restarts by {who}" + (f": {why}" if why else ""), text=why)


def _by_time(ref: ObjectRef, windows: tuple[Window, ...], freezes: tuple[Freeze, ...], now: Moment) -> HeldBack | None:
    frozen = next((freeze for freeze in freezes if freeze.holds(now)), None)
    if frozen is None and (not windows or any(window.is_open(now) for window in windows)):
        return None
    chance = next_chance(windows, freezes, to_the_minute(now))
    opens = f"opens {moment_words(*chance)}" if chance else "no time is foreseen at which it opens"
    at = moment_text(chance[0]) if chance else ""
    if frozen is not None:
        because = f": {frozen.reason}" if frozen.reason else ""
        return HeldBack(ref, Why.FREEZE, f"frozen ({frozen.text}{because}); {opens}", at, frozen.reason)
    return HeldBack(ref, Why.WINDOW, f"outside its window{'s' if len(windows) > 1 else ''}; {opens}", at)


def names(name: str, ref: ObjectRef) -> bool:
    """Whether a name of the environment means this workload: its namespace, or namespace/name."""
    return name in (ref.namespace, f"{ref.namespace}/{ref.name}")


def held_in(restraint: Restraint, state: ClusterState, workloads: Sequence[Workload]) -> dict[ObjectRef, HeldBack]:
    """Those of the workloads that may not be restarted at the restraint's time."""
    if restraint.now is None:
        return {}
    there = {seen.name: seen for seen in state.namespaces}
    found: dict[ObjectRef, HeldBack] = {}
    for workload in workloads:
        place = there.get(workload.ref.namespace)
        annotations = place.annotations if place else {}
        labelled = place is not None and place.injection == "enabled"
        item = held(restraint, workload, annotations, restraint.now, labelled=labelled)
        if item is not None:
            found[workload.ref] = item
    return found

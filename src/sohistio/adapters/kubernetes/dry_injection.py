"""Adapter: what the mesh's own webhook gives to new pods now, by dry runs, beside what runs.

Asked only of pods that are in doubt: they were injected before the injector's configuration settled, or have another
image than its text says. One dry run serves all pods of one template in a namespace; where images alone differ, one
serves the namespace, unless something there rewrites images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.new_pod import dry_run
from sohistio.adapters.kubernetes.quotas import short_of_room
from sohistio.adapters.kubernetes.record_store import read_record
from sohistio.errors import SohistioError
from sohistio.model.injected import compared, has_sidecar, injected_view
from sohistio.model.quota_room import Amounts, added
from sohistio.model.refused_pod import Refusal
from sohistio.model.sidecar import is_same_image
from sohistio.model.sidecar_doubt import Doubt, doubts_of
from sohistio.model.sidecars_compared import SidecarsCompared
from sohistio.model.staleness import expected_image
from sohistio.model.state import ClusterState, ObjectRef, ObservedPod, Workload
from sohistio.model.words import first_names
from sohistio.system.parallel import side_by_side

_MOST_NAMED = 5
# Once so many namespaces in a row cannot be asked, for whatever reason but a right or a quota, no other one is.
_MOST_SILENT = 3
_AGAIN = "again "
_NO_ISTIOD = "istiod is not ready"


def with_dry_runs(api: KubeApi, state: ClusterState, pods: Iterable[Object], settled: str) -> ClusterState:
    """The state with the pods in doubt compared; `settled` is since when the injector's configuration is in force.

    Nothing is written. What cannot be asked stays as it was, and `not_compared` says why.
    """
    doubts = list(doubts_of(state, settled))
    if doubts and not state.has_ready_istiod:
        refs = frozenset(doubt.workload.ref for doubt in doubts)
        return replace(state, not_compared=(_NO_ISTIOD,), uncompared=refs)
    if not all(doubt.text_only for doubt in doubts):
        known = _known(api)
        doubts = [doubt for doubt in doubts if doubt.text_only or not _is_known(doubt, known)]
    if not doubts:
        return state
    asked = _Asked(api, {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in pods})
    asked.ask(doubt for doubt in doubts if not doubt.text_only)
    texts = [doubt for doubt in doubts if doubt.text_only]
    first = {doubt.place: doubt for doubt in reversed(texts)}
    asked.ask(first.values())
    # What takes old pods down before new ones are there is asked about in any case.
    asked.ask(
        doubt
        for doubt in texts
        if doubt.workload.max_unavailable or asked.says_nothing_of_others(first[doubt.place], state)
    )
    asked.ask_again(doubts)
    refused = {doubt.workload.ref: refusal for doubt in doubts if (refusal := asked.why_not(doubt))}
    needs = [
        (doubt.workload.ref, asked.added(doubt, first.get(doubt.place)))
        for doubt in doubts
        if doubt.workload.ref not in refused
    ]
    found = {doubt.workload.ref: asked.told(doubt) for doubt in doubts}
    return replace(
        state,
        workloads=tuple(_with(workload, found.get(workload.ref, {})) for workload in state.workloads),
        not_compared=asked.notes(doubts),
        uncompared=frozenset(ref for ref, pods in found.items() if not pods),
        passed_over=frozenset(
            doubt.workload.ref
            for doubt in doubts
            if asked.is_passed_over(doubt) and not all(pod.opted_out for pod in doubt.pods)
        ),
        refused=refused | short_of_room(api, needs),
    )


def _known(api: KubeApi) -> SidecarsCompared | None:
    """What the record has of an earlier look; None where it has nothing, or cannot be read."""
    try:
        record = read_record(api)
    except SohistioError:
        return None
    return record.sidecars if record else None


def _is_known(doubt: Doubt, known: SidecarsCompared | None) -> bool:
    return known is not None and all(known.covers(pod, doubt.under) for pod in doubt.pods)


def _with(workload: Workload, found: Mapping[str, ObservedPod]) -> Workload:
    return replace(workload, pods=tuple(found.get(pod.name, pod) for pod in workload.pods)) if found else workload


def _has_other_settings(pod: ObservedPod) -> bool:
    return pod.compared is not None and any(not item.of_image for item in pod.compared.changes)


class _Asked:
    """The dry runs so far: the answers by their templates, and what was refused: a template, or all of a namespace."""

    def __init__(self, api: KubeApi, raw: Mapping[tuple[str, str], Object]) -> None:
        self._api = api
        self._raw = raw
        self._failed: dict[str, Refusal] = {}
        self._refused: dict[str, Refusal] = {}
        self._silent: dict[str, Refusal] = {}
        self._passed_over: set[str] = set()

    def ask(self, doubts: Iterable[Doubt]) -> None:
        """Ask about every template that has no answer yet, side by side."""
        self._ask_each({doubt.key: doubt for doubt in doubts})

    def ask_again(self, doubts: Iterable[Doubt]) -> None:
        """Ask a second time about each template whose settings differ: what comes out otherwise then is none."""
        differing = (doubt for doubt in doubts if any(map(_has_other_settings, self.told(doubt).values())))
        self._ask_each({f"{_AGAIN}{doubt.key}": doubt for doubt in differing})

    def _ask_each(self, keys: Mapping[str, Doubt]) -> None:
        answered = self._api.dry_runs.keys() | self._refused.keys() | self._passed_over
        side_by_side(self._ask, [(key, doubt) for key, doubt in keys.items() if key not in answered])

    def _ask(self, asked: tuple[str, Doubt]) -> None:
        key, doubt = asked
        if doubt.place in self._failed:
            return
        if len(self._silent) >= _MOST_SILENT:
            real = any(refusal.real for refusal in self._silent.values())
            self._failed[doubt.place] = Refusal("the namespaces before it gave no answer", real)
            return
        new = dry_run(self._api, doubt.workload, self._raw[doubt.place, doubt.pods[0].name])
        if isinstance(new, Refusal):
            if new.of_all:
                self._failed[doubt.place] = new
            else:
                self._refused[key] = new
            if not new.known:
                self._silent[doubt.place] = new
        elif has_sidecar(new):
            self._api.dry_runs[key] = new
        else:
            self._passed_over.add(key)

    def is_passed_over(self, doubt: Doubt) -> bool:
        """Whether a new pod of it came back without a sidecar."""
        return doubt.key in self._passed_over

    def says_nothing_of_others(self, doubt: Doubt, state: ClusterState) -> bool:
        """Whether all workloads of its namespace are to be asked about: a new pod of it is refused, gets no sidecar, or
        another image than the injector's text says, so that something there rewrites images.
        """
        if self.is_passed_over(doubt) or doubt.key in self._refused:
            return True
        new, sidecar = self._api.dry_runs.get(doubt.key), state.sidecar
        if new is None or sidecar is None:
            return False
        image = injected_view(new).get("image", "")
        return not is_same_image(image, expected_image(doubt.workload, doubt.pods[0], sidecar))

    def told(self, doubt: Doubt) -> dict[str, ObservedPod]:
        """The pods in doubt, compared, by their names; none where there was no answer."""
        new = self._api.dry_runs.get(doubt.key)
        if new is None:
            return {}
        raw = ((pod, self._raw[doubt.place, pod.name]) for pod in doubt.pods)
        again = self._api.dry_runs.get(f"{_AGAIN}{doubt.key}")
        return {pod.name: replace(pod, compared=compared(running, new, again)) for pod, running in raw}

    def why_not(self, doubt: Doubt) -> Refusal | None:
        """Why a restart would not bring all its pods up; None where it would, as far as the answers tell."""
        refusal = self._refusal(doubt)
        return refusal if refusal and refusal.stops(doubt.workload.max_unavailable) else None

    def _refusal(self, doubt: Doubt) -> Refusal | None:
        return self._failed.get(doubt.place) or self._refused.get(doubt.key)

    def added(self, doubt: Doubt, alike: Doubt | None) -> Amounts:
        """What its pods take more once they are new ones; by the answer about another template of the namespace where
        there is none about its own.
        """
        keys = [doubt.key, *([alike.key] if alike else [])]
        new = next((self._api.dry_runs[key] for key in keys if key in self._api.dry_runs), None)
        return added(new, (self._raw[doubt.place, pod.name] for pod in doubt.pods)) if new else {}

    def notes(self, doubts: Iterable[Doubt]) -> tuple[str, ...]:
        """Of which namespaces only images could be compared, once a reason; not where images alone are in doubt, and
        nothing is restarted for that reason, as it is said then.
        """
        reasons: dict[str, dict[str, None]] = {}
        for doubt in sorted(doubts, key=lambda doubt: doubt.place):
            if (refusal := self._refusal(doubt)) and not (doubt.text_only and self.why_not(doubt)):
                reasons.setdefault(refusal.words, {})[doubt.place] = None
        return tuple(
            f"{first_names([ObjectRef('Namespace', '', place) for place in places], _MOST_NAMED)}: {reason}"
            for reason, places in reasons.items()
        )

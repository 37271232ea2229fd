"""Plans `sohistio sync`: a standby compared with the environment that it stands by for, and what would make them equal.

The source is only read. The plan is the target's, like any other: its lock, its record, its approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sohistio.adapters.kubernetes.sync import Tried, try_objects
from sohistio.errors import RefusedError, UsageError
from sohistio.model.ending import TODO, sentence
from sohistio.model.record import Record
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.modes.uninstall import installed_version
from sohistio.plan.changes import Changes
from sohistio.planning.libraries import load_libraries
from sohistio.planning.planned import Planned, Refused
from sohistio.planning.reads import or_refused, recorded
from sohistio.planning.session import Session
from sohistio.planning.standby import standby_rule
from sohistio.planning.sync_reads import (
    Observed,
    Seen,
    certificates,
    exclusion_differences,
    file_differences,
    naming,
    observed,
)
from sohistio.planning.target_cluster import check_right_cluster
from sohistio.sync.certificates import root_difference
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.files import installed_difference
from sohistio.sync.objects import ObjectComparison, changed_fields, compare_objects
from sohistio.sync.planner import TargetFacts, sync_plan
from sohistio.sync.report import Comparison, lag
from sohistio.system.parallel import side_by_side

_MOST_FIELDS = 4


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What was compared, and the plan of the target that follows from it."""

    comparison: Comparison
    planned: Planned


def plan_sync(source: Session, target: Session, *, seen: Mapping[str, Seen] | None = None) -> SyncPlan:
    """Read both clusters and plan. Writes nothing. `seen` is what was read just now, by environment.

    Raises UsageError where the target does not stand by for the source, RefusedError where one of them cannot be read.
    """
    check_standby(source, target)
    with naming(source):
        check_right_cluster(source)
    load_libraries((source, target))
    just_now = seen or {}
    of_source, of_target = side_by_side(
        lambda session: observed(session, just_now.get(session.environment.name)), (source, target)
    )
    if of_source.uid == of_target.uid:
        raise RefusedError(
            f"{of_source.side.name} and {of_target.side.name} are the same cluster: {of_target.state.server}",
            todo="Correct the key cluster in one of the two environment.yaml. Nothing was changed.",
        )
    for one in (of_source, of_target):  # objects vanish with their CRD: in the source each would look deleted by hand
        if one.state.ending:
            what = f"{one.side.name}: {sentence(one.state.ending)}"
            raise RefusedError(what, todo=f"What is applied or compared would vanish. {TODO} Nothing was changed.")
    target.say(f"comparing {len(of_source.side.objects)} objects of {of_source.side.name}")
    found = compare_objects(of_source.side, of_target.side, target.environment.sync_rules)
    what = f"the changes could not be tried in {of_target.side.name}"
    tried = or_refused(what, lambda: try_objects(target.api, [item.document for item in found.wanted]))
    found = _after_dry_runs(found, tried, of_target.side.name)
    record = recorded(target)
    comparison = _comparison((source, of_source), (target, of_target), found, record)
    rule = standby_rule(target, of_target.state, record)
    facts = TargetFacts(
        of_target.state,
        installed_version(of_target.state),
        rule.reasons,
        tuple(target.api.path_of(item.document) for item in found.surplus),
        tried.not_asked,
        rule.dns_silent,
    )
    decided = sync_plan(comparison, found, facts)
    planned = Planned(
        session=target,
        plan=decided.plan,
        state=of_target.state,
        again=lambda: plan_sync(source, target).planned,
        record=record,
        refused=Refused(decided.todo, decided.details),
    )
    return SyncPlan(comparison, planned)


def check_standby(source: Session, target: Session) -> None:
    """Raises UsageError where the target's environment does not stand by for the source's."""
    name, of = target.environment.name, target.environment.standby_of
    if of != source.environment.name:
        stands = f"stands by for {of}" if of else "is no standby"
        raise UsageError(
            f"{name} {stands}: it is not kept the same as {source.environment.name}",
            todo=f"Give --from {of} with --to {name}." if of else "Give --to an environment with standbyOf.",
        )


def _after_dry_runs(found: ObjectComparison, tried: Tried, target: str) -> ObjectComparison:
    """With what only the server knows: conflicts, and objects that would not become as they are in the source."""
    wanted = {item.ref: item.document for item in found.wanted}
    more = [_conflict(ref, words, target) for ref, words in tried.conflicts]
    for ref, applied in tried.applied.items():
        if left := changed_fields(applied, wanted[ref]):
            fields = first_names([field.path for field in left], _MOST_FIELDS)
            more.append(_conflict(ref, f"the API server keeps or changes {fields}", target))
    for ref, words in tried.denied:
        todo = "Fix it in the source, or exclude it (sync.exclude)."
        more.append(
            Difference(Subject.DENIED, str(ref), f"the API server of {target} would not take {ref}: {words}", todo)
        )
    for ref, words in tried.undeclared:
        what = f"{ref} has a field that the CRD of {target} does not know: {words}"
        todo = (
            f"That CRD is another than the source's: Istio's come with `sohistio install --env {target}`, the Gateway "
            "API's with what installs its CRDs. Install the source's version; or exclude the object (sync.exclude)."
        )
        more.append(Difference(Subject.DENIED, str(ref), what, todo))
    if tried.failing:
        what = f"the changes could not be tried in {target}: {tried.failing}"
        todo = f"A webhook that has a say does not answer: is istiod ready there? `sohistio verify --env {target}`."
        more.append(Difference(Subject.DENIED, "admission", what, todo, counts=False))
    return replace(found, reported=(*found.reported, *more))


def _conflict(ref: ObjectRef, words: str, target: str) -> Difference:
    todo = f"Change it where that tool has it, or delete it in {target} and sync again; or exclude it (sync.exclude)."
    return Difference(Subject.CONFLICT, str(ref), f"{ref} cannot be made the same in {target}: {words}", todo)


def _comparison(
    source: tuple[Session, Observed], target: tuple[Session, Observed], found: ObjectComparison, record: Record | None
) -> Comparison:
    (from_session, of_source), (to_session, of_target) = source, target
    names = (of_source.side.name, of_target.side.name)
    roots = (of_source.state.ca_root, of_target.state.ca_root)
    versions = [str(installed_version(state) or "") for state in (of_source.state, of_target.state)]
    pairs, of_certificates = certificates(source, target)
    differences = (
        *file_differences(from_session, to_session),
        *installed_difference(versions[0], versions[1], names),
        *found.reported,
        *of_certificates,
        *root_difference(*roots, names),
        *exclusion_differences(of_source, of_target, to_session.environment.sync_rules),
    )
    changes = Changes(found.changes)
    return Comparison(
        source=names[0],
        target=names[1],
        servers=(of_source.state.server, of_target.state.server),
        changes=changes,
        differences=differences,
        certificates=pairs,
        roots=roots,
        compared=found.compared,
        lag=lag(changes, differences, record),
    )

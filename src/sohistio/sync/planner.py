"""The planner of a sync: what makes a standby's configuration what its source has. Pure: facts in, a plan out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sohistio.model.mode import Mode
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState
from sohistio.model.versions import Version
from sohistio.model.words import counted, first_lines, first_names
from sohistio.plan.backup_steps import TakeBackup
from sohistio.plan.changes import Action
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import Step
from sohistio.plan.sync_steps import PruneSynced, RecordSync, SyncObjects
from sohistio.sync.objects import ObjectComparison
from sohistio.sync.report import Comparison

_MOST_LISTED = 12
_MOST_NAMED = 4
# What a gateway that runs survives, and a new one perhaps does not: a broken filter, a module that cannot be fetched.
_UNPROVEN = ("EnvoyFilter", "WasmPlugin")


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """The standby's cluster; the version that runs there; why it may be serving, by the standby rule; the REST paths of
    the objects to prune; the resources that the user lacks permission to patch; and why DNS could not be asked, empty
    where it could.
    """

    state: ClusterState
    installed: Version | None
    serving: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    dns_silent: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """The target's plan; of one that is refused what to do, and the details."""

    plan: Plan
    todo: str = ""
    details: tuple[str, ...] = ()


def sync_plan(comparison: Comparison, found: ObjectComparison, facts: TargetFacts) -> Decided:
    """What a sync does to the target, or why it is refused; no steps where there is nothing to apply."""
    refused = _refused(comparison, found, facts)
    installed = str(facts.installed or "")
    plan = Plan(
        environment=comparison.target,
        cluster=facts.state.server,
        mode=Mode.SYNC,
        installed_version=installed,
        target_version=installed,
        reasons=tuple(_reasons(comparison)),
        phases=() if refused else tuple(_phases(comparison, found, facts)),
        changes=comparison.changes,
        notices=tuple(_notices(comparison, facts)),
        refusal=refused.what if refused else "",
    )
    return Decided(plan, refused.todo, refused.details) if refused else Decided(plan)


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a plan must not be carried out."""

    what: str
    todo: str
    details: tuple[str, ...]


def _refused(comparison: Comparison, found: ObjectComparison, facts: TargetFacts) -> _Refused | None:
    """A standby that serves is refused even where there is nothing to apply: sooner or later there is."""
    source, target = comparison.source, comparison.target
    if facts.serving:
        todo = (
            f"What serves is not overwritten with what {source} had. Changes that {target} got meanwhile belong into "
            f"{source}; after `sohistio failback --to {source}`, sync again. `--check` compares at any time."
        )
        return _Refused(f"{target} may be serving", _unchanged(todo), facts.serving)
    if stopping := comparison.stopping:
        todo = " ".join(dict.fromkeys(item.todo for item in stopping))
        details = _first(item.what for item in stopping)
        return _Refused(f"the configuration of {source} cannot be applied to {target}", _unchanged(todo), details)
    if found.surplus and not found.compared:
        what = f"{source} has no configuration at all: {len(found.surplus)} synced objects of {target} are not deleted"
        todo = f"See whether {source} lost its configuration. If it is meant to be empty, delete them yourself."
        return _Refused(what, _unchanged(todo), _first(str(item.ref) for item in found.surplus))
    return None


def _unchanged(todo: str) -> str:
    return f"{todo} Nothing was changed."


def _first(lines: Iterable[str]) -> tuple[str, ...]:
    return first_lines(list(lines), _MOST_LISTED)


def _reasons(comparison: Comparison) -> Iterator[str]:
    yield f"compared with {comparison.source} ({comparison.servers[0]}), which is only read"
    if comparison.left:
        yield f"{_differences(comparison.left)} not sync's to change"


def _differences(count: int) -> str:
    return f"{count or 'no'} difference{'' if count == 1 else 's'}"


def _phases(comparison: Comparison, found: ObjectComparison, facts: TargetFacts) -> Iterator[Phase]:
    """What is only created is lost to nobody: then there is no backup."""
    steps = tuple(_steps(comparison, found, facts))
    if any(change.action is not Action.CREATED for change in comparison.changes.objects):
        summary = "back up custom resources and what is installed"
        yield Phase("backup", (TakeBackup("backup/take", summary, version=facts.installed, authority=False),))
    if steps:
        yield Phase("sync", steps)
        left = comparison.left
        summary = f"record that {_differences(left)} {'is' if left == 1 else 'are'} left"
        yield Phase("record", (RecordSync("sync/record", summary, left),))


def _steps(comparison: Comparison, found: ObjectComparison, facts: TargetFacts) -> Iterator[Step]:
    changes, source = comparison.changes, comparison.source
    if found.wanted:
        created, changed = (changes.count(action) for action in (Action.CREATED, Action.CHANGED))
        parts = [f"{verb} {count}" for verb, count in (("create", created), ("change", changed)) if count]
        noun = "object" if created + changed == 1 else "objects"
        yield SyncObjects(
            "sync/apply",
            f"{' and '.join(parts)} {noun} as in {source}",
            tuple(json.dumps(item.document, sort_keys=True) for item in found.wanted),
            source,
        )
    if count := len(found.surplus):
        summary = f"delete {counted(count, 'synced object')} that {source} no longer has"
        yield PruneSynced("sync/prune", summary, source, tuple(item.ref for item in found.surplus), facts.paths)


def _notices(comparison: Comparison, facts: TargetFacts) -> Iterator[str]:
    if facts.dns_silent:
        yield f"whether DNS leads to {comparison.target} is not known: {facts.dns_silent}"
    if facts.not_asked:
        resources = ", ".join(facts.not_asked)
        yield f"not tried, as you lack permission to patch {resources}: what admission says is not known"
    places = {ISTIO_NAMESPACE, *(item.ref.namespace for item in facts.state.mesh_deployments)}
    applied = [change.ref for change in comparison.changes.objects if change.action is not Action.REMOVED]
    if risky := [ref for ref in applied if ref.kind in _UNPROVEN and ref.namespace in places]:
        yield (
            f"only new gateway pods show whether they start with {first_names(risky, _MOST_NAMED)}: rehearse "
            f"(`sohistio failover --to {comparison.target} --rehearse`)"
        )
    created = (change.ref for change in comparison.changes.objects if change.action is Action.CREATED)
    if made := [ref for ref in created if ref.kind.startswith("Gateway.")]:  # of the Gateway API
        names = first_names(made, _MOST_NAMED)
        yield f"istiod makes a Deployment and a Service for {names}: they serve at once, standby or not"

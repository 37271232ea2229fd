"""What speaks for a promotion, and what against it: judgements over what was read of the source and the hub. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.images.pulls import Pull, pull_faults
from sohistio.model.ages import CLOCKS_DIFFER, lasting, waiting
from sohistio.model.durations import duration_of
from sohistio.model.mode import Mode
from sohistio.model.record import Record, RunEntry
from sohistio.model.versions import Version
from sohistio.model.words import first_names
from sohistio.plan.plan import Plan

VERSION, CLUSTER, INSTALLED, RUNS, SOAK, DRIFT, VERIFIED, IMAGES = (
    "version",
    "source-cluster",
    "installed",
    "last-run",
    "soak",
    "no-drift",
    "verified",
    "images",
)
_MOST_NAMED = 4


def version_check(source: Version, target: Version, names: tuple[str, str]) -> CheckResult:
    """Whether the target goes forward, by a step that an upgrade in place can take."""
    from_name, to_name = names
    if source < target:
        message = f"{from_name} has {source}, {to_name} has {target} already: that would be a downgrade"
        return failed(VERSION, message, f"Bring {from_name} to {target} first.")
    if source.minors_ahead_of(target) > 1:
        message = f"{target} → {source} is more than one minor: an install would reinstall"
        return warned(VERSION, message, f"Promote each minor, or `sohistio plan --env {to_name}` shows the ways.")
    return passed(VERSION, f"{target} → {source}" if source != target else f"both have {source}")


def installed_check(wanted: Version, installed: str, name: str) -> CheckResult:
    """Whether the source runs what its files say."""
    if installed == str(wanted):
        return passed(INSTALLED, f"{name} runs {installed}")
    what = f"runs {installed}" if installed else "has no Istio"
    return failed(INSTALLED, f"{name} {what}, its files say {wanted}", f"`sohistio install --env {name}` first.")


def installing_run(record: Record | None) -> RunEntry | None:
    """The run that put there what runs now, None where the record knows of none.

    Where it ended badly, an install after it that found all in place and verified it (mode none) stands for it.
    """
    found: RunEntry | None = None
    for run in record.runs if record else ():
        put_there = run.mode.installs or run.mode in (Mode.ROLLBACK, Mode.ADOPT)
        badly = found is not None and not found.ended_well
        if put_there or (badly and run.mode is Mode.NONE and run.ended_well):
            found = run
    return found


def run_checks(record: Record | None, version: Version, name: str, holder: str) -> Iterator[CheckResult]:
    """Whether the record says who installed it, and that no run is at work or ended badly. `holder` has the lock."""
    again = f"`sohistio history --env {name}` shows the runs; run `sohistio install --env {name}` until one ends well."
    run, last = installing_run(record), record.last_run if record else None
    if holder:
        yield failed(RUNS, f"a run is at work: {holder}", "Wait until it has ended.")
    elif last is not None and not last.ended_well:
        yield failed(RUNS, last.how_it_ended(), again)
    elif run is None or run.to_version != str(version):
        yield failed(RUNS, f"the record does not say who installed {version}, and when", again)
    elif not run.ended_well:
        ended = f"the run that installed it ({run.mode}, begun {run.started}) ended badly: {run.outcome}"
        yield failed(RUNS, ended, f"`sohistio install --env {name} --mode reinstall` applies and verifies it again.")
    else:
        yield passed(RUNS, f"installed on {run.ended} by {run.who} ({run.mode}), and no run has failed since")


def soak_check(seconds_since: float | None, soak: int | None) -> CheckResult:
    """For how long it has run there: long enough, where that is asked for."""
    if seconds_since is None:
        return failed(SOAK, "the record does not say since when it has run there", "It needs a run that ended well.")
    if seconds_since < -CLOCKS_DIFFER:
        hint = "The clock of the machine that ran it, or this one's, is wrong, or somebody edited the record."
        return failed(SOAK, f"by the record it will have been installed in {waiting(-seconds_since)}", hint)
    if soak is not None and seconds_since < soak:
        hint = f"Wait; in {waiting(soak - seconds_since)} it is long enough."
        return failed(SOAK, f"it has run there for {lasting(seconds_since)}, less than {duration_of(soak)}", hint)
    return passed(SOAK, f"it has run there for {lasting(seconds_since)}")


def drift_check(plan: Plan) -> CheckResult:
    """Whether an install would change nothing in the source: what was tried there is what its files say."""
    todo = f"`sohistio plan --env {plan.environment}` shows it; install it, or change the files, then look again."
    if plan.refusal:
        return failed(DRIFT, f"an install would be refused: {plan.refusal}", todo)
    if plan.mode is Mode.NONE and not plan.changes_pending:
        return passed(DRIFT, f"{plan.environment} is as its files say; an install would change nothing")
    what = f" ({plan.changes.summary()})" if plan.changes else ""
    steps = first_names([step.summary for step in plan.steps], _MOST_NAMED)
    return failed(DRIFT, f"an install would do something: {plan.mode}{what}: {steps}", todo)


def verified_check(checks: Sequence[CheckResult], name: str) -> CheckResult:
    """What `sohistio verify` finds in the source now."""
    broken = [f"{check.name}: {check.message}" for check in checks if check.breaks]
    if broken:
        return failed(VERIFIED, first_names(broken, _MOST_NAMED), f"`sohistio verify --env {name}` says what to do.")
    return passed(VERIFIED, f"{len(checks)} results of verify looked at just now, none failed")


def image_checks(pulls: Sequence[Pull], unpinned: Sequence[str], hub: str, mirror: str) -> Iterator[CheckResult]:
    """Whether all images are in the target's hub, and pinned where they must be; `mirror` is the command to do both."""
    found = [failed(IMAGES, fault.message, fault.hint) for fault in pull_faults(pulls, None, mirror)]
    if unpinned:
        found.append(failed(IMAGES, f"not in images.lock: {first_names(unpinned, _MOST_NAMED)}", f"Run `{mirror}`."))
    names = ", ".join(dict.fromkeys(f"{pull.image.name}:{pull.image.tag}" for pull in pulls))
    yield from found or [passed(IMAGES, f"{names} are in {hub}")]

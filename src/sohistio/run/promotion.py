"""Gathers the evidence for a promotion, and judges it. Clusters and registries are only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sohistio.checks import promotion as judged
from sohistio.checks.result import CheckResult, Result, failed
from sohistio.environments.promotion_edit import PromotionEdit
from sohistio.errors import SohistioError
from sohistio.model.fault import Severity
from sohistio.model.record import Record
from sohistio.planning.promotion import SourceLook, look_at_hub, look_at_source, unpinned
from sohistio.planning.session import Session
from sohistio.run.verify_now import verified_now
from sohistio.system.parallel import within
from sohistio.system.times import seconds_since_1970

_LOOK_SECONDS = 180.0
"""For all that is asked of the source; istioctl's analysis alone may take two minutes."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What is asked for: both sessions, the edit, for how long the source must have run (seconds; None for any time)
    and the time now."""

    source: Session
    target: Session
    edit: PromotionEdit
    soak: int | None
    now: datetime


def evidence_of(asked: Promotion) -> tuple[CheckResult, ...]:
    """Every check, in the order in which they are explained. What cannot be read is a check that does not hold."""
    edit = asked.edit
    names = (edit.source.name, edit.target.name)
    return (
        judged.version_check(edit.source.istio.version, edit.target.istio.version, names),
        *_in_time(lambda: tuple(_of_source(asked))),
        *_or_failed(judged.IMAGES, lambda: _images(asked)),
    )


def _in_time(look: Callable[[], tuple[CheckResult, ...]]) -> tuple[CheckResult, ...]:
    """What is known of the source: a login that hangs, or a server that drips, keeps nobody waiting for ever."""

    def answer() -> tuple[CheckResult, ...] | Exception:
        try:
            return look()
        except Exception as error:  # noqa: BLE001 — it is raised where it is waited for
            return error

    late = failed(judged.CLUSTER, f"no answer within {_LOOK_SECONDS:.0f} s", "Look at its login and its network.")
    found = within(_LOOK_SECONDS, answer, (late, *_not_looked_at()))
    if isinstance(found, Exception):
        raise found
    return found


def _not_looked_at() -> Iterator[CheckResult]:
    reason = "not looked at: the source's cluster could not be read"
    for name in (judged.INSTALLED, judged.RUNS, judged.SOAK, judged.DRIFT, judged.VERIFIED):
        yield CheckResult(name, Severity.ERROR, Result.SKIPPED, reason)


def _of_source(asked: Promotion) -> Iterator[CheckResult]:
    try:
        look = look_at_source(asked.source)
    except SohistioError as error:
        yield _unread(judged.CLUSTER, error)
        yield from _not_looked_at()
        return
    name, version = asked.edit.source.name, asked.edit.source.istio.version
    plan, record = look.planned.plan, look.planned.record
    yield judged.installed_check(version, plan.installed_version, name)
    yield from judged.run_checks(record, version, name, look.holder.line(asked.now) if look.holder else "")
    yield judged.soak_check(_seconds_since(record, asked.now), asked.soak)
    yield judged.drift_check(plan)
    yield from _or_failed(judged.VERIFIED, lambda: _verified(asked, look))


def _verified(asked: Promotion, look: SourceLook) -> Iterator[CheckResult]:
    asked.source.say("verifying the mesh")
    checks = verified_now(asked.source, look.planned.state, look.planned.record)
    yield judged.verified_check(checks, asked.edit.source.name)


def _images(asked: Promotion) -> Iterator[CheckResult]:
    version, target = asked.edit.source.istio.version, asked.edit.proposed
    pulls = look_at_hub(asked.target, version, pinned=target.istio.pin_digests)
    if not pulls:
        yield CheckResult(judged.IMAGES, Severity.ERROR, Result.SKIPPED, "the sandbox pulls no images")
        return
    mirror = f"sohistio images mirror --env {target.name} --version {version}"
    missing = unpinned(pulls) if target.istio.pin_digests else ()
    yield from judged.image_checks(pulls, missing, target.istio.hub, mirror)


def _seconds_since(record: Record | None, now: datetime) -> float | None:
    """How long ago the run ended well that installed what runs; None where that is not known."""
    run = judged.installing_run(record)
    ended = seconds_since_1970(run.ended) if run and run.ended_well else None
    return None if ended is None else now.timestamp() - ended


def _or_failed(name: str, read: Callable[[], Iterator[CheckResult]]) -> tuple[CheckResult, ...]:
    try:
        return tuple(read())
    except SohistioError as error:
        return (_unread(name, error),)


def _unread(name: str, error: SohistioError) -> CheckResult:
    """A check whose evidence cannot be had."""
    return failed(name, error.brief(2), error.todo)

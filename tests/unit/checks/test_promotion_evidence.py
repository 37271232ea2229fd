"""Evidence for a promotion: what speaks for it and what against, in tables."""

from __future__ import annotations

import pytest

from runs import run
from sohistio.checks.promotion import (
    drift_check,
    image_checks,
    installed_check,
    run_checks,
    soak_check,
    verified_check,
    version_check,
)
from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.images.pulls import Pull, PullOutcome
from sohistio.model.image import Image
from sohistio.model.mode import Mode
from sohistio.model.record import Record
from sohistio.model.versions import Version
from sohistio.plan.plan import Plan

NOW = Version(1, 31, 1)
DAY = 86_400


def word(check: CheckResult) -> str:
    if check.result.value != "failed":
        return check.result.value
    return "error" if check.breaks else "warning"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ((1, 31, 1), "passed"),
        ((1, 31, 0), "passed"),
        ((1, 30, 5), "passed"),
        ((1, 29, 8), "warning"),
        ((1, 31, 2), "error"),
        ((1, 32, 0), "error"),
    ],
)
def test_a_version_goes_forward(target: tuple[int, int, int], expected: str) -> None:
    assert word(version_check(NOW, Version(*target), ("qa", "prod"))) == expected


@pytest.mark.parametrize(
    ("installed", "message"),
    [
        ("1.31.1", "qa runs 1.31.1"),
        ("1.30.5", "qa runs 1.30.5, its files say 1.31.1"),
        ("", "qa has no Istio, its files say 1.31.1"),
    ],
)
def test_what_runs_is_what_the_files_say(installed: str, message: str) -> None:
    check = installed_check(NOW, installed, "qa")
    assert (check.message, check.breaks) == (message, installed != "1.31.1")


DONE = run(mode=Mode.UPGRADE, to_version="1.31.1", outcome="done", ended="2026-11-20T05:01:00+00:00")
RESTART = run(id="2", mode=Mode.RESTART, to_version="", outcome="done")
UNVERIFIED = run(id="4", mode=Mode.UPGRADE, to_version="1.31.1", outcome="verificationFailed")
VERIFIED_LATER = run(id="5", mode=Mode.NONE, to_version="1.31.1", outcome="done")
NAMESPACES = run(id="6", mode=Mode.NAMESPACES, to_version="", outcome="done")
BAD = run(id="3", mode=Mode.RESTART, outcome="failed", last_step="restart")


@pytest.mark.parametrize(
    ("runs", "holder", "expected", "words"),
    [
        ((DONE,), "", "passed", "installed on 2026-11-20T05:01:00+00:00 by"),
        ((DONE, RESTART), "", "passed", "no run has failed since"),
        ((DONE,), "ada@agent, since …", "error", "a run is at work: ada@agent"),
        ((DONE, BAD), "", "error", "failed at step restart"),
        ((UNVERIFIED, RESTART), "", "error", "the run that installed it (upgrade, begun"),
        ((UNVERIFIED, NAMESPACES), "", "error", "ended badly: verificationFailed"),
        ((UNVERIFIED, VERIFIED_LATER, RESTART), "", "passed", "no run has failed since"),
        ((RESTART,), "", "error", "does not say who installed 1.31.1"),
        ((run(mode=Mode.INSTALL, to_version="1.30.5", outcome="done"),), "", "error", "does not say who installed"),
        ((), "", "error", "does not say who installed"),
    ],
)
def test_the_record_says_who_and_when(runs: tuple, holder: str, expected: str, words: str) -> None:  # type: ignore[type-arg]
    (check,) = run_checks(Record("qa", runs=runs), NOW, "qa", holder)
    assert word(check) == expected
    assert words in check.message


@pytest.mark.parametrize(
    ("seconds", "soak", "expected", "message"),
    [
        (30, None, "passed", "it has run there for less than 1 min"),
        (90, None, "passed", "it has run there for 1 min"),
        (25 * 3600, None, "passed", "it has run there for 1 d"),
        (5 * DAY, 3 * DAY, "passed", "it has run there for 5 d"),
        (3 * 3600, 3 * DAY, "error", "it has run there for 3 h, less than 72h"),
        (-20, None, "passed", "it has run there for less than 1 min"),
        (-2 * DAY, None, "error", "by the record it will have been installed in 2 d"),
        (None, None, "error", "the record does not say since when it has run there"),
    ],
)
def test_how_long_it_has_run(seconds: float | None, soak: int | None, expected: str, message: str) -> None:
    check = soak_check(seconds, soak)
    assert (word(check), check.message) == (expected, message)
    assert soak_check(3 * 3600, 3 * DAY).hint == "Wait; in 3 d it is long enough."


@pytest.mark.parametrize(
    ("mode", "refusal", "expected"),
    [(Mode.NONE, "", "passed"), (Mode.REINSTALL, "", "error"), (Mode.NONE, "nobody may", "error")],
)
def test_drift(mode: Mode, refusal: str, expected: str) -> None:
    assert word(drift_check(Plan("qa", "c", mode, "1.31.1", "1.31.1", (), refusal=refusal))) == expected


def test_what_verify_finds() -> None:
    assert word(verified_check([passed("a", "b"), warned("c", "d", "e")], "qa")) == "passed"
    check = verified_check([failed("pods-ready", "istiod 0/3 ready", "x")], "qa")
    assert (word(check), check.message) == ("error", "pods-ready: istiod 0/3 ready")


PILOT = Image.parse("hub.example.com/istio/pilot:1.31.1")
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("pull", "unpinned", "message"),
    [
        (Pull(PILOT, (), PullOutcome.THERE, digest=DIGEST), (), "pilot:1.31.1 are in hub.example.com/istio"),
        (Pull(PILOT, (), PullOutcome.MISSING), (), "hub.example.com/istio/pilot:1.31.1 is not there"),
        (Pull(PILOT, (), PullOutcome.UNKNOWN, said="no route"), (), "hub.example.com could not be asked from here: no"),
        (
            Pull(PILOT, (), PullOutcome.THERE, pin=f"sha256:{'b' * 64}", digest=DIGEST),
            (),
            "bbbbbbbbbbbb in images.lock",
        ),
        (Pull(PILOT, (), PullOutcome.THERE, digest=DIGEST), ("pilot:1.31.1",), "not in images.lock: pilot:1.31.1"),
    ],
)
def test_images_in_the_hub(pull: Pull, unpinned: tuple[str, ...], message: str) -> None:
    (check,) = image_checks([pull], unpinned, "hub.example.com/istio", "sohistio images mirror --env prod")
    assert message in check.message
    assert check.breaks is ("are in" not in check.message)

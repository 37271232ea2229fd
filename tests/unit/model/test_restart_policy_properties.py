"""What holds a restart back: an opt-out always does, the nearest word decides of windows, and nonsense is no leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from any_times import freezes, moments, windows
from observed import workload
from sohistio.model.held_back import HeldBack, Why
from sohistio.model.restart_annotations import ANNOTATIONS, FREEZES, NEVER, RESTART, WINDOWS
from sohistio.model.restart_policy import OptOut, RestartPolicy, Restraint, held
from sohistio.model.restart_times import freeze_of, window_of

_WRITTEN = st.one_of(windows(), freezes(), st.text(max_size=20), st.sampled_from([NEVER, "canary", "", ";", "a;b"]))
NOTES = st.dictionaries(st.sampled_from([*ANNOTATIONS, "sohistio.io/restart-window", "x"]), _WRITTEN, max_size=4)
POLICIES = st.builds(
    RestartPolicy,
    windows=st.lists(windows().map(window_of), max_size=2).map(tuple),
    freezes=st.lists(freezes().map(freeze_of), max_size=2).map(tuple),
    opted_out=st.lists(st.builds(OptOut, st.sampled_from(["shop", "shop/web", "shop/db", "other"])), max_size=1).map(
        tuple
    ),
    also_injected=st.booleans(),
)


def judged(
    policy: RestartPolicy, own: dict[str, str], around: dict[str, str], now: datetime, *, outside: bool = False
) -> HeldBack | None:
    restraint = Restraint(policy, now, outside_windows=outside)
    return held(restraint, workload("web", annotations=own), around, now)


@given(POLICIES, NOTES, NOTES, moments(), st.booleans())
def test_whatever_is_written_there_is_an_answer_with_its_reason(
    policy: RestartPolicy, own: dict[str, str], around: dict[str, str], now: datetime, outside: bool
) -> None:
    found = judged(policy, own, around, now, outside=outside)
    assert found is None or (found.reason and found.ref == workload("web").ref)


@given(POLICIES, NOTES, NOTES, moments(), st.booleans())
def test_an_opt_out_is_never_overridden(
    policy: RestartPolicy, own: dict[str, str], around: dict[str, str], now: datetime, outside: bool
) -> None:
    for notes, others in ((own | {RESTART: NEVER}, around), (own, around | {RESTART: NEVER})):
        assert judged(policy, notes, others, now, outside=outside) is not None
    out = replace(policy, opted_out=(OptOut("shop"),))
    assert judged(out, own, around, now, outside=outside) is not None


@given(freezes(), st.sampled_from(["environment", "namespace", "workload"]), st.integers(1, 3 * 24 * 60))
def test_a_freeze_of_anybody_beats_every_window_until_it_ends(text: str, whose: str, minutes: int) -> None:
    freeze, always = freeze_of(text), "daily 00:00-24:00 UTC"
    policy = RestartPolicy((window_of(always),), (freeze,) if whose == "environment" else ())
    own, around = ({WINDOWS: always} | ({FREEZES: text} if whose == who else {}) for who in ("workload", "namespace"))
    within = freeze.ends - timedelta(minutes=minutes)
    found = judged(policy, own, around, within)
    assert (found is not None and found.why is Why.FREEZE) is freeze.holds(within)
    assert judged(policy, own, around, freeze.ends) is None
    assert judged(policy, own, around, within, outside=True) is None, "which somebody has asked for"


@given(POLICIES, NOTES, NOTES, moments())
def test_outside_of_windows_neither_they_nor_freezes_hold_back(
    policy: RestartPolicy, own: dict[str, str], around: dict[str, str], now: datetime
) -> None:
    found = judged(policy, own, around, now, outside=True)
    assert found is None or found.why not in (Why.WINDOW, Why.FREEZE)


@given(POLICIES, st.lists(windows(), min_size=1, max_size=3), NOTES, moments())
def test_of_windows_the_nearest_word_decides(
    policy: RestartPolicy, texts: list[str], around: dict[str, str], now: datetime
) -> None:
    without = replace(policy, freezes=(), opted_out=())
    around = {key: value for key, value in around.items() if key == WINDOWS}
    found = judged(without, {WINDOWS: ";".join(texts)}, around, now)
    if found is None or found.why is Why.WINDOW:
        assert (found is None) is any(window_of(text).is_open(now) for text in texts)
    else:  # what the namespace says cannot be read
        assert found.why is Why.ANNOTATION


@given(POLICIES, st.text(), moments())
def test_what_cannot_be_read_is_no_leave_to_restart(policy: RestartPolicy, text: str, now: datetime) -> None:
    try:
        for part in text.split(";"):
            window_of(part)
    except ValueError:
        found = judged(policy, {WINDOWS: text}, {}, now, outside=True)
        assert found is not None, "not even outside of windows"

"""Windows and freezes against a slow oracle: a clock on the wall there, looked at every minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from any_times import DAYS, STARTS, ZONES, freezes, moments, windows
from sohistio.model.restart_times import (
    Freeze,
    Window,
    freeze_of,
    moment_of,
    moment_words,
    next_chance,
    window_of,
)

MINUTE = timedelta(minutes=1)


def is_open(text: str, now: datetime) -> bool:
    """The oracle of a window: day and minute are read off the clock, and looked for among those that it names."""
    days, times, zone = text.split(" ")
    there = now.astimezone(ZoneInfo(zone))
    opening, closing = times.split("-")
    clock = f"{there:%H:%M}"
    today, yesterday = DAYS[there.weekday()], DAYS[there.weekday() - 1]
    if opening < closing:
        return today in named(days) and opening <= clock < closing
    return (today in named(days) and clock >= opening) or (yesterday in named(days) and clock < closing)


def named(days: str) -> set[str]:
    """The days that a window names, counted on fingers."""
    found: set[str] = set()
    for part in (days if days != "daily" else "Mon-Sun").split(","):
        first, _, last = part.partition("-")
        at = DAYS.index(first)
        while DAYS[at % 7] != (last or first):
            found.add(DAYS[at % 7])
            at += 1
        found.add(DAYS[at % 7])
    return found


def holds(text: str, now: datetime) -> bool:
    """The oracle of a freeze: dates in ISO 8601 compare as text."""
    days, zone = text.split(" ")
    first, _, last = days.partition("..")
    return first <= f"{now.astimezone(ZoneInfo(zone)):%Y-%m-%d}" <= (last or first)


def minutes_after(now: datetime, days: int) -> Iterator[datetime]:
    """Whole minutes later than now."""
    first = now.replace(second=0, microsecond=0) + MINUTE
    return (first + number * MINUTE for number in range(days * 24 * 60))


@given(windows(), moments())
def test_a_window_is_open_when_the_clock_there_says_so(text: str, now: datetime) -> None:
    assert window_of(text).is_open(now) is is_open(text, now)


@settings(max_examples=40)
@given(windows(), moments())
@example("Sun 02:30-03:30 Europe/Berlin", datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
@example("Sun 02:15-02:30 Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
@example("Sun 02:00-02:30 Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
def test_the_next_opening_is_the_first_minute_at_which_it_opens(text: str, now: datetime) -> None:
    """It is open then and closed the minute before, and no minute between now and then is like that."""
    found = window_of(text).next_opening(now)
    slow = (at for at in minutes_after(now, 8) if is_open(text, at) and not is_open(text, at - MINUTE))
    expected = next(slow, None)
    if expected is None:  # always open, or only in an hour that is skipped this week
        assert found is None or found > now + timedelta(days=7)
    else:
        assert found == expected


@settings(max_examples=30)
@given(st.lists(windows(), max_size=2), st.lists(freezes(), max_size=3), moments())
def test_a_freeze_beats_a_window_and_the_next_chance_is_the_first_one(
    opening: list[str], frozen: list[str], now: datetime
) -> None:
    def allowed(at: datetime) -> bool:
        return not any(holds(text, at) for text in frozen) and (
            not opening or any(is_open(text, at) for text in opening)
        )

    found = next_chance(tuple(map(window_of, opening)), tuple(map(freeze_of, frozen)), now)
    expected = now if allowed(now) else next(filter(allowed, minutes_after(now, 12)), None)
    if expected is None:
        assert found is None or found[0] > now + timedelta(days=11)
    else:
        assert found is not None
        assert found[0] == expected


@given(freezes(), moments())
def test_a_freeze_ends_at_the_first_instant_after_its_days(text: str, now: datetime) -> None:
    freeze = freeze_of(text)
    assert freeze.holds(now) is holds(text, now)
    assert not freeze.holds(freeze.ends)
    assert freeze.holds(freeze.ends - MINUTE)


# What an annotation may hold, beside nonsense: the calendar's ends, where a zone's offset leads out of it.
_DATES = st.one_of(st.dates(), st.sampled_from([date.min, date(1, 1, 2), date(9999, 12, 30), date.max]))
_CLOCKS = st.sampled_from(["00:00", "00:30", "02:00", "23:59", "24:00", "2:00", "29:00"])
_ZONES = st.sampled_from([*ZONES, "Etc/GMT+12", "Etc/GMT-14", "localtime", "../UTC", "posixrules", "Factory"])
_TEXTS = st.one_of(
    st.builds("{} {}-{} {}".format, st.sampled_from([*DAYS, "daily", "Fri-Mon"]), _CLOCKS, _CLOCKS, _ZONES),
    st.builds("{}..{} {}".format, _DATES, _DATES, _ZONES),
    st.builds("{} {}".format, _DATES, _ZONES),
    st.builds("{} {} {}".format, _DATES, _CLOCKS, _ZONES),
    st.text(),
)


@settings(max_examples=200)
@given(_TEXTS)
@example("0001-01-01 00:30 Pacific/Kiritimati")
@example("9999-12-31 23:59 Etc/GMT+12")
def test_what_anybody_writes_is_understood_or_says_what_was_expected(text: str) -> None:
    said = []
    for read in (window_of, freeze_of, moment_of):
        try:
            found: object = read(text)
        except ValueError as error:
            said.append(str(error))
            continue
        now = found if isinstance(found, datetime) else STARTS[0]
        opening = found if isinstance(found, Window) else window_of("Sat 02:00-04:00 Europe/Berlin")
        frozen = (found,) if isinstance(found, Freeze) else ()
        chance = next_chance((opening,), frozen, now)
        assert chance is None or (chance[0] >= now and moment_words(*chance))
    assert all(words.startswith("expected ") for words in said)


@pytest.mark.parametrize("zone", ZONES)
def test_the_clocks_of_these_zones_are_known_here(zone: str) -> None:
    assert ZoneInfo(zone).utcoffset(STARTS[0].replace(tzinfo=None)) is not None

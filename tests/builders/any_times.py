"""Strategies: windows and freezes as people write them, and moments around changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import assume
from hypothesis import strategies as st

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Changes by an hour, by half of one, at midnight, back over midnight, twice around Ramadan, never; odd offsets.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Beirut",
    "America/Scoresbysund",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "UTC",
)
# A Friday before clocks change in most of them, each way, and one on which nothing happens.
STARTS = tuple(datetime(2026, *day, tzinfo=UTC) for day in ((3, 6), (3, 27), (10, 23), (10, 30), (11, 27)))


@st.composite
def windows(draw: st.DrawFn) -> str:
    """As people write them."""
    names = st.sampled_from(DAYS)
    part = st.one_of(names, st.builds("{}-{}".format, names, names))
    days = draw(st.one_of(st.just("daily"), st.lists(part, min_size=1, max_size=3).map(",".join)))
    quarter = st.integers(0, 24 * 4 - 1).map(lambda number: f"{number // 4:02}:{number % 4 * 15:02}")
    start, end = draw(quarter), draw(st.one_of(quarter, st.just("24:00")))
    assume(start != end)
    return f"{days} {start}-{end} {draw(st.sampled_from(ZONES))}"


@st.composite
def freezes(draw: st.DrawFn) -> str:
    """Some days around STARTS."""
    first = draw(st.sampled_from(STARTS)).date() + timedelta(days=draw(st.integers(-3, 9)))
    last = first + timedelta(days=draw(st.integers(0, 4)))
    return f"{first}..{last} {draw(st.sampled_from(ZONES))}"


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """A second within the week after one of STARTS."""
    return draw(st.sampled_from(STARTS)) + timedelta(seconds=draw(st.integers(0, 7 * 86_400)))

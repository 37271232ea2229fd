"""Windows and freezes: by the clock on a wall there, over midnight, over the week's end, over a change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from sohistio.model.restart_times import freeze_of, moment_words, next_chance, window_of, zone_of

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone_of(zone), fold=fold).astimezone(UTC)


# 2026-11-27 is a Friday. In Berlin clocks go on at 02:00 on 2026-03-29 and back at 03:00 on 2026-10-25, both Sundays.
@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-28T02:00", BERLIN), True),
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-28T01:59", BERLIN), False),
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-29T03:59", BERLIN), True),
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-29T04:00", BERLIN), False),
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-30T03:00", BERLIN), False),
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-28T01:30"), True),  # 02:30 in Berlin
        ("Mon 22:00-02:00 UTC", at("2026-11-23T22:00"), True),
        ("Mon 22:00-02:00 UTC", at("2026-11-24T01:59"), True),
        ("Mon 22:00-02:00 UTC", at("2026-11-24T02:00"), False),
        ("Mon 22:00-02:00 UTC", at("2026-11-23T01:00"), False),  # Monday's first hours are Sunday's window
        ("Sun 22:00-02:00 UTC", at("2026-11-30T01:00"), True),  # Sunday's runs into Monday
        ("Fri-Mon 10:00-11:00 UTC", at("2026-11-30T10:30"), True),  # over the week's end
        ("Fri-Mon 10:00-11:00 UTC", at("2026-11-27T10:30"), True),
        ("Fri-Mon 10:00-11:00 UTC", at("2026-11-26T10:30"), False),
        ("Mon,Wed,Fri-Sat 10:00-11:00 UTC", at("2026-11-28T10:30"), True),
        ("Mon,Wed,Fri-Sat 10:00-11:00 UTC", at("2026-11-24T10:30"), False),
        ("daily 01:00-05:00 Europe/Berlin", at("2026-11-25T04:59", BERLIN), True),
        ("daily 00:00-24:00 UTC", at("2026-11-25T23:59"), True),
        ("sun 02:00-03:00 Europe/Berlin", at("2026-03-29T01:30", BERLIN), False),
        ("sun 02:00-03:00 Europe/Berlin", at("2026-03-29T03:00", BERLIN), False),  # 02:00 to 03:00 is not there
        ("Sun 01:00-04:00 Europe/Berlin", at("2026-03-29T03:30", BERLIN), True),
        ("Sun 02:00-02:30 Europe/Berlin", at("2026-10-25T02:15", BERLIN), True),  # 02:15 comes twice
        ("Sun 02:00-02:30 Europe/Berlin", at("2026-10-25T02:15", BERLIN, fold=1), True),
        ("Sun 02:00-02:30 Europe/Berlin", at("2026-10-25T02:45", BERLIN), False),
        ("Sun 02:30-03:30 Europe/Berlin", at("2026-10-25T02:15", BERLIN, fold=1), False),
    ],
)
def test_a_window_is_read_off_a_clock_there(window: str, moment: datetime, is_open: bool) -> None:
    assert window_of(window).is_open(moment) is is_open


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-27T22:17"), "Sat 2026-11-28 02:00 Europe/Berlin"),
        ("Sat-Sun 02:00-04:00 Europe/Berlin", at("2026-11-28T04:00", BERLIN), "Sun 2026-11-29 02:00 Europe/Berlin"),
        ("Sat 02:00-04:00 Europe/Berlin", at("2026-11-28T03:00", BERLIN), "Sat 2026-12-05 02:00 Europe/Berlin"),
        ("Mon 22:00-02:00 UTC", at("2026-11-24T02:00"), "Mon 2026-11-30 22:00 UTC"),
        ("Sun 02:00-03:00 Europe/Berlin", at("2026-03-28T12:00"), "Sun 2026-04-05 02:00 Europe/Berlin"),  # skipped
        ("Sun 02:30-03:30 Europe/Berlin", at("2026-03-28T12:00"), "Sun 2026-03-29 03:00 Europe/Berlin"),  # what is left
        ("Sun 02:00-04:00 Europe/Berlin", at("2026-10-24T12:00"), "Sun 2026-10-25 02:00 Europe/Berlin"),
        (
            "Sun 02:00-02:30 Europe/Berlin",
            at("2026-10-25T02:30", BERLIN),
            "Sun 2026-10-25 02:00 Europe/Berlin",
        ),  # again
    ],
)
def test_the_next_opening(window: str, now: datetime, opens: str) -> None:
    found = window_of(window).next_opening(now)
    assert found is not None
    assert found > now
    assert moment_words(found, window_of(window).zone) == opens


@pytest.mark.parametrize("start", [at("2026-03-27T00:00"), at("2026-10-23T00:00"), at("2026-11-27T00:00")])
@pytest.mark.parametrize(
    "text",
    [
        "Sat-Sun 02:00-04:00 Europe/Berlin",
        "Sun 02:30-03:30 Europe/Berlin",
        "Sat 22:00-02:30 Europe/Berlin",
        "Fri,Sun 00:00-24:00 America/New_York",
        "daily 23:45-00:15 Asia/Kathmandu",
        "Sun 01:30-02:15 Australia/Lord_Howe",
    ],
)
def test_the_next_opening_is_when_looking_every_minute_finds_it_open(text: str, start: datetime) -> None:
    window = window_of(text)
    minutes = [start + timedelta(minutes=number) for number in range(4 * 24 * 60)]
    opening = [after for before, after in pairwise(minutes) if window.is_open(after) and not window.is_open(before)]
    for number in range(0, len(minutes), 397):
        later = [moment for moment in opening if moment > minutes[number]]
        if later:
            assert window.next_opening(minutes[number]) == later[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sat",
        "Sat 02:00-04:00",
        "02:00-04:00 UTC",
        "Sat 2:00-4:00 UTC",
        "Sat 02:00-25:00 UTC",
        "Sat 24:00-02:00 UTC",
        "Sat 02:00-02:00 UTC",
        "Sa-So 02:00-04:00 UTC",
        "Sat-Sun-Mon 02:00-04:00 UTC",
        "Sat, 02:00-04:00 UTC",
        "Sat 02:00-04:00 Mars/Base",
        "Sat 02:00-04:00 ../etc",
        "Sat 02:00-04:00 Europe",
        "Sat 02:00-04:00 UTC" * 99,
    ],
)
def test_what_is_no_window_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        window_of(text)


@pytest.mark.parametrize(
    ("freeze", "moment", "holds"),
    [
        ("2026-12-20..2027-01-06 Europe/Berlin", at("2026-12-19T23:59", BERLIN), False),
        ("2026-12-20..2027-01-06 Europe/Berlin", at("2026-12-20T00:00", BERLIN), True),
        ("2026-12-20..2027-01-06 Europe/Berlin", at("2027-01-06T23:59", BERLIN), True),
        ("2026-12-20..2027-01-06 Europe/Berlin", at("2027-01-07T00:00", BERLIN), False),
        ("2026-12-24 UTC", at("2026-12-24T12:00"), True),
        ("2026-12-24 UTC", at("2026-12-25T00:00"), False),
    ],
)
def test_a_freeze_is_days_of_a_calendar(freeze: str, moment: datetime, holds: bool) -> None:
    assert freeze_of(freeze).holds(moment) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-12-20",
        "2026-12-20..2027-01-06",
        "2026-02-30 UTC",
        "2027-01-06..2026-12-20 UTC",
        "20.12.2026 UTC",
        "2026-12-20..2027-01-06 Middle/Earth",
        "9999-12-31 UTC",
        "2026-12-20 .. 2027-01-06 UTC",
    ],
)
def test_what_is_no_freeze_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        freeze_of(text)


@pytest.mark.parametrize(
    ("windows", "freezes", "chance"),
    [
        ((), (), "Fri 2026-11-27 22:00 UTC"),
        ((), ("2026-11-20..2026-11-30 Europe/Berlin",), "Tue 2026-12-01 00:00 Europe/Berlin"),
        (("Sat 02:00-04:00 UTC",), ("2026-11-28 UTC",), "Sat 2026-12-05 02:00 UTC"),
        (("Sat 02:00-04:00 UTC",), ("2026-11-28 UTC", "2026-12-01..2026-12-31 UTC"), "Sat 2027-01-02 02:00 UTC"),
        (("Sat 22:00-02:00 UTC",), ("2026-11-28 UTC",), "Sun 2026-11-29 00:00 UTC"),  # what is left of the window
        (("Wed 02:00-04:00 UTC", "Mon 01:00-02:00 UTC"), (), "Mon 2026-11-30 01:00 UTC"),
    ],
)
def test_the_next_chance(windows: tuple[str, ...], freezes: tuple[str, ...], chance: str) -> None:
    found = next_chance(tuple(map(window_of, windows)), tuple(map(freeze_of, freezes)), at("2026-11-27T22:00"))
    assert found is not None
    assert moment_words(*found) == chance

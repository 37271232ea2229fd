"""When workloads may be restarted: windows that come back every week, and days on which nothing is. Pure.

Both name their time zone and are read off a clock on a wall there. So an hour that comes twice in autumn is within a
window twice, and one that is skipped in spring is not there: no restart begins at a time that the window does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Moment = datetime
"""An instant, with a time zone. Planners are given it: they read no clock."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WINDOW_EXAMPLE = "`Sat-Sun 02:00-04:00 Europe/Berlin` or `daily 22:00-02:00 UTC`"
MOMENT_EXAMPLE = "`2030-11-30 02:30 Europe/Berlin`"
FREEZE_EXAMPLE = "`2026-12-20..2027-01-06 Europe/Berlin` or `2026-12-24 UTC`"

_ZONE = r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_WINDOW = re.compile(rf"(?P<days>[A-Za-z,-]+) +(?P<start>{_CLOCK})-(?P<end>{_CLOCK}|24:00) +(?P<zone>{_ZONE})")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FREEZE = re.compile(rf"(?P<first>{_DATE})(?:\.\.(?P<last>{_DATE}))? +(?P<zone>{_ZONE})")
_MOMENT = re.compile(rf"(?P<local>{_DATE} {_CLOCK}) +(?P<zone>{_ZONE})")
_LONGEST = 200
"""Characters of one window or freeze: what an annotation holds may be 256 KiB."""
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
# A window of one day a week that a change of clocks skips opens the week after.
_AHEAD = 16
# Beyond, two weeks more or the offset of a zone lead out of the calendar.
_FIRST, _LAST = date(1970, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class Window:
    """A time that comes back every week. `start` and `end` are minutes of the day; an `end` that is not later than the
    start is on the next day. `days` are those on which it opens, 0 is Monday; `text` is what somebody wrote.
    """

    text: str
    days: frozenset[int]
    start: int
    end: int
    zone: str

    def is_open(self, now: datetime) -> bool:
        """Whether it is open at this instant, by the clock of its zone."""
        there = now.astimezone(zone_of(self.zone))
        minute, weekday = there.hour * 60 + there.minute, there.weekday()
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        yesterday = (weekday - 1) % len(DAYS)
        return (weekday in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)

    def next_opening(self, now: datetime) -> datetime | None:
        """The first instant after `now` at which it opens, in UTC; None within the next two weeks."""
        found = [
            moment
            for moment in self._moments(now)
            if moment > now and self.is_open(moment) and not self.is_open(moment - _MINUTE)
        ]
        return min(found, default=None)

    def _moments(self, now: datetime) -> Iterator[datetime]:
        """When it may open: as the clock comes to its start, and where the clock is changed."""
        zone = zone_of(self.zone)
        today = now.astimezone(zone).date()
        for ahead in range(-1, _AHEAD):
            day = today + timedelta(days=ahead)
            local = datetime.combine(day, time(self.start // 60, self.start % 60), zone)
            yield from {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
            yield from _change_of_clocks(datetime.combine(day, time(), UTC), zone)


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days on which nothing is restarted, the last one included, by the calendar of their zone."""

    text: str
    first: date
    last: date
    zone: str
    reason: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is one of these days there."""
        return self.first <= now.astimezone(zone_of(self.zone)).date() <= self.last

    @property
    def ends(self) -> datetime:
        """The first instant after it, in UTC."""
        return datetime.combine(self.last + _DAY, time(), zone_of(self.zone)).astimezone(UTC)


def _change_of_clocks(start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The minute within 24 hours at which the zone's offset changes."""

    def offset(minutes: int) -> timedelta | None:
        return (start + minutes * _MINUTE).astimezone(zone).utcoffset()

    low, high = 0, 24 * 60
    if offset(low) == offset(high):
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
    yield start + high * _MINUTE


# Names that are no place: what they stand for differs from machine to machine.
_OF_THIS_MACHINE = frozenset({"localtime", "posixrules", "Factory"})


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises ValueError where there is none such, or this machine knows none at all."""
    try:
        if name not in _OF_THIS_MACHINE:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    try:
        ZoneInfo("Europe/Berlin")
    except (ZoneInfoNotFoundError, OSError):
        what = "expected a database of time zones on this machine: install the Python package tzdata"
        raise ValueError(what) from None
    raise ValueError(f"expected a time zone such as Europe/Berlin or UTC, there is no {name}")


def window_of(text: str) -> Window:
    """Read a window. Raises ValueError, which begins with *expected*."""
    match = _WINDOW.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(f"expected a window such as {WINDOW_EXAMPLE}")
    start, end = _minutes(match["start"]), _minutes(match["end"])
    if start == end:
        raise ValueError("expected a window with an end other than its start; a whole day is 00:00-24:00")
    zone_of(match["zone"])
    return Window(text.strip(), _days(match["days"]), start, end, match["zone"])


def freeze_of(text: str, reason: str = "") -> Freeze:
    """Read a freeze. Raises ValueError, which begins with *expected*."""
    match = _FREEZE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(f"expected days and their time zone such as {FREEZE_EXAMPLE}")
    try:
        first, last = _day(match["first"]), _day(match["last"] or match["first"])
    except ValueError:
        raise ValueError("expected days of the years 1970 to 9998 that the calendar has, such as 2026-12-24") from None
    if last < first:
        raise ValueError("expected a last day that is not before the first one")
    zone_of(match["zone"])
    return Freeze(text.strip(), first, last, match["zone"], reason)


def moment_of(text: str) -> datetime:
    """Read a time such as MOMENT_EXAMPLE. Raises ValueError, which begins with *expected*."""
    match = _MOMENT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    try:
        if match is None:
            raise ValueError(text)
        there = datetime.fromisoformat(match["local"])
        _day(match["local"][:10])
    except ValueError:
        raise ValueError(f"expected a time such as {MOMENT_EXAMPLE}") from None
    return there.replace(tzinfo=zone_of(match["zone"])).astimezone(UTC)


def _day(text: str) -> date:
    found = date.fromisoformat(text)
    if not _FIRST <= found <= _LAST:
        raise ValueError(text)
    return found


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _days(text: str) -> frozenset[int]:
    """`daily`, `Mon`, `Fri-Mon` (over the week's end), and lists of them."""
    if text.lower() == "daily":
        return frozenset(range(len(DAYS)))
    found: set[int] = set()
    for part in text.split(","):
        names = [name.title() for name in part.split("-")]
        if len(names) > 2 or any(name not in DAYS for name in names):
            raise ValueError(f"expected days such as Mon, Mon-Fri, Sat,Sun or daily, not {text}")
        first, last = DAYS.index(names[0]), DAYS.index(names[-1])
        found.update((first + ahead) % len(DAYS) for ahead in range((last - first) % len(DAYS) + 1))
    return frozenset(found)


@lru_cache(maxsize=256)
def next_chance(windows: tuple[Window, ...], freezes: tuple[Freeze, ...], now: datetime) -> tuple[datetime, str] | None:
    """When a restart may begin next, in UTC, with the zone of what opens then; None where that is not foreseeable.

    Without windows any time is one, but for the freezes.
    """
    moment, zone = now, "UTC"
    for _ in range(len(freezes) * 2 + len(windows) + 2):
        if holding := [freeze for freeze in freezes if freeze.holds(moment)]:
            last = max(holding, key=lambda freeze: freeze.ends)
            moment, zone = last.ends, last.zone
        elif not windows or any(window.is_open(moment) for window in windows):
            return moment, zone
        else:
            found = _first_opening(windows, moment)
            if found is None:
                return None
            moment, zone = found
    return None


def _first_opening(windows: Iterable[Window], now: datetime) -> tuple[datetime, str] | None:
    openings = [(opening, window.zone) for window in windows if (opening := window.next_opening(now)) is not None]
    return min(openings, default=None)


def to_the_minute(moment: datetime) -> datetime:
    """All that is judged at about the same time has the same next chance."""
    return moment.replace(second=0, microsecond=0)


def moment_text(moment: datetime) -> str:
    """ISO 8601 in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment_words(moment: datetime, zone: str) -> str:
    """`Sat 2030-11-30 02:00 Europe/Berlin`."""
    there = moment.astimezone(zone_of(zone))
    return f"{DAYS[there.weekday()]} {there:%Y-%m-%d %H:%M} {zone}"

"""What each column says of an environment: short for a table, longer for a page and for details. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sohistio.fleet.row import EnvironmentStatus, LastRun
from sohistio.fleet.state import Level, state_of
from sohistio.model.ages import age, ago, left, since
from sohistio.model.mode import Mode
from sohistio.model.state import MeshDeployment
from sohistio.model.words import counted

_NOTHING = "-"
_MOST_GATEWAYS = 2
_FAR = 1e12
"""Sorted after all ages: what never was, or is not known."""


class Column(StrEnum):
    """In their order; the values are the headings of a table."""

    ENVIRONMENT = "environment"
    STATE = "state"
    VERSION = "version"
    MODE = "mode"
    DRIFT = "drift"
    SIDECARS = "stale"
    GATEWAYS = "gateways"
    ADDRESS = "address"
    CERTIFICATE = "cert"
    LAST_RUN = "last run"
    SYNCED = "synced"
    REHEARSED = "rehearsed"

    @property
    def heading(self) -> str:
        """Where there is room for it."""
        return _HEADINGS.get(self, self.value)


_HEADINGS = {
    Column.SIDECARS: "stale sidecars",
    Column.CERTIFICATE: "certificate",
    Column.SYNCED: "standby synced",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is short, `long` says all of it; `order` sorts a column, numbers before what is not known."""

    text: str
    long: str = ""
    level: Level = Level.PLAIN
    order: float | str = ""

    @property
    def words(self) -> str:
        """The long form, where there is one."""
        return self.long or self.text


OF_STANDBYS = (Column.SYNCED, Column.REHEARSED)


def columns_of(rows: Sequence[EnvironmentStatus]) -> tuple[Column, ...]:
    """Those that say something of these rows: what is of standbys only where there is one."""
    return tuple(column for column in Column if column not in OF_STANDBYS or any(row.standby for row in rows))


def cells_of(row: EnvironmentStatus, now: float) -> Mapping[Column, Cell]:
    """All cells of a row; `now` is in seconds since 1970. Of what is not known the cell has a dash."""
    return {column: make(row, now) for column, make in _MAKE.items()}


def _environment(row: EnvironmentStatus, _now: float) -> Cell:
    return Cell(row.environment, order=row.environment)


def _state(row: EnvironmentStatus, _now: float) -> Cell:
    state = state_of(row)
    return Cell(state.words, level=state.level, order=float(state.rank))


def _version(row: EnvironmentStatus, _now: float) -> Cell:
    if not row.installed:
        what = "not known" if row.mode in ("", Mode.UNKNOWN.value) else "none"
        return Cell(_NOTHING, f"{what}, wanted {row.target}" if row.target else "")
    if row.target in ("", row.installed):
        return Cell(row.installed, order=row.installed)
    return Cell(f"{row.installed}→{row.target}", f"{row.installed}, wanted {row.target}", order=row.installed)


def _mode(row: EnvironmentStatus, _now: float) -> Cell:
    return Cell(row.mode or _NOTHING, order=row.mode)


def _drift(row: EnvironmentStatus, _now: float) -> Cell:
    found = row.drift
    if found is None:
        return Cell(_NOTHING, order=-1.0)
    if not found:
        return Cell("none", order=0.0)
    long = f"{counted(found.objects, 'object')}, {counted(found.fields, 'field')}"
    if not found.by_hand:
        return Cell(str(found.objects), long, Level.ATTENTION, found.objects)
    long += f"; {found.by_hand} set by {', '.join(found.editors)}"
    return Cell(f"{found.objects} ({found.by_hand} hand)", long, Level.ATTENTION, found.objects)


def _sidecars(row: EnvironmentStatus, _now: float) -> Cell:
    found = row.sidecars
    if found is None:
        return Cell(_NOTHING, order=-1.0)
    level = Level.ATTENTION if found.stale or found.left_alone else Level.PLAIN
    total = float(found.stale + found.left_alone)
    if not found.left_alone:
        return Cell(str(found.stale), level=level, order=total)
    return Cell(f"{found.stale}+{found.left_alone}", f"{found.stale}, and {found.left_alone} left alone", level, total)


def _gateways(row: EnvironmentStatus, _now: float) -> Cell:
    if not row.gateways:
        return Cell(_NOTHING, order=-1.0)
    counts = [(item.ready, item.desired) for item in row.gateways]
    if len(counts) > _MOST_GATEWAYS:
        counts = [(sum(ready for ready, _ in counts), sum(desired for _, desired in counts))]
    text = " ".join(f"{ready}/{desired}" for ready, desired in counts)
    long = ", ".join(_gateway(item) for item in row.gateways)
    silent = any(item.ready == 0 < item.desired for item in row.gateways)
    lacking = any(item.ready < item.desired or item.held for item in row.gateways)
    level = Level.BAD if silent else Level.ATTENTION if lacking else Level.PLAIN
    return Cell(text, long, level, float(sum(item.ready for item in row.gateways)))


def _gateway(item: MeshDeployment) -> str:
    held = " (held)" if item.held else ""
    return f"{item.ref.short.removeprefix('istio-')} {item.ready}/{item.desired}{held}"


def _address(row: EnvironmentStatus, _now: float) -> Cell:
    found = row.ingress
    if found is None:
        return Cell(_NOTHING)
    actual = " ".join(found.actual)
    if not actual:
        wanted = f", wanted {found.wanted}" if found.wanted else ""
        return Cell("none", f"none{wanted}", Level.BAD if row.installed else Level.PLAIN)
    if found.is_right:
        return Cell(actual, order=actual)
    return Cell(f"{actual} !", f"{actual}, wanted {found.wanted}", Level.BAD, actual)


def _certificate(row: EnvironmentStatus, now: float) -> Cell:
    found = row.certificates
    if found is None:
        return Cell(_NOTHING, order=_FAR)
    unread = f" ({len(found.unread)} not read)" if found.unread else ""
    if found.expires is None:
        return Cell("?" if found.unread else _NOTHING, unread.strip(" ()"), order=_FAR)
    seconds = found.expires - now
    level = Level.BAD if seconds <= 0 else Level.ATTENTION if found.soon else Level.PLAIN
    # A question mark: one of those that were not read may end sooner.
    return Cell(left(seconds) + "?" * bool(unread), f"{left(seconds)}: {found.name}{unread}", level, seconds)


def _last_run(row: EnvironmentStatus, now: float) -> Cell:
    found = row.last_run
    if found is None:
        return Cell(_NOTHING, order=_FAR)
    run, seconds = found.entry, since(now, found.at)
    outcome = "" if run.ended_well else f" {run.outcome}"
    long = f"{run.mode} {run.outcome} by {run.who}, {ago(seconds)}"
    level = Level.PLAIN if run.ended_well else Level.ATTENTION
    return Cell(f"{age(seconds)}{outcome} {run.who}", long, level, _FAR if seconds is None else seconds)


def _synced(row: EnvironmentStatus, now: float) -> Cell:
    if row.standby is None or not row.standby.stands_by:
        return Cell(_NOTHING, order=_FAR)
    cell = _age_of(row.standby.synced, now)
    remaining = row.standby.left
    if row.standby.synced is None or not remaining:
        return cell
    long = f"{ago(since(now, row.standby.synced.at))} with {counted(remaining, 'difference')} left"
    return Cell(f"{cell.text}, {remaining} left", long, Level.ATTENTION, cell.order)


def _rehearsed(row: EnvironmentStatus, now: float) -> Cell:
    if row.standby is None or not row.standby.stands_by:
        return Cell(_NOTHING, order=_FAR)
    return _age_of(row.standby.rehearsed, now)


def _age_of(run: LastRun | None, now: float) -> Cell:
    if run is None:
        return Cell("never", level=Level.ATTENTION, order=_FAR)
    seconds = since(now, run.at)
    return Cell(age(seconds), ago(seconds), order=_FAR if seconds is None else seconds)


_MAKE: Mapping[Column, Callable[[EnvironmentStatus, float], Cell]] = {
    Column.ENVIRONMENT: _environment,
    Column.STATE: _state,
    Column.VERSION: _version,
    Column.MODE: _mode,
    Column.DRIFT: _drift,
    Column.SIDECARS: _sidecars,
    Column.GATEWAYS: _gateways,
    Column.ADDRESS: _address,
    Column.CERTIFICATE: _certificate,
    Column.LAST_RUN: _last_run,
    Column.SYNCED: _synced,
    Column.REHEARSED: _rehearsed,
}

"""The looks of `sohistio status`: one, or one after the other until Ctrl-C, and how each is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from sohistio.errors import ExitCode, FailedError, UsageError
from sohistio.fleet.row import EnvironmentStatus
from sohistio.planning.session import Where
from sohistio.planning.status import DEADLINE_SECONDS, status_of

LEAST_EVERY = 5
"""Seconds between two looks: each renders manifests and asks each cluster some fifty things."""
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Shown:
    """As JSON or for people, and as a page in the file `html` too; `single` shows one environment with all details."""

    json: bool
    html: Path | None
    single: bool = False


def look_once(places: Sequence[Where], deadline: float | None, shown: Shown) -> ExitCode:
    """Look, and show it. Raises UsageError where the page cannot be written."""
    from sohistio.output.console import console
    from sohistio.output.devops.found import tell_environments
    from sohistio.output.documents import print_answer
    from sohistio.output.environment_facts import details_view
    from sohistio.output.fleet_table import fleet_view
    from sohistio.output.status_document import status_document
    from sohistio.output.tables import show

    _check(shown.html)
    seconds = deadline or DEADLINE_SECONDS
    aside = console(stderr=True)
    rows = status_of(
        places,
        seconds,
        lambda late: aside.print(f"no answer yet from {', '.join(late)}; each has {seconds:.0f} s", style="dim"),
    )
    now = time.time()
    tell_environments(rows, now)
    if shown.json:
        print_answer("Status", status_document(rows, now))
    elif shown.single:
        show(console(), *(details_view(row, now) for row in rows))
    else:
        screen = console()
        show(screen, fleet_view(rows, now, screen.width if screen.is_terminal else None))
    _write(shown.html, rows, now)
    return ExitCode.FAILED if any(row.problem for row in rows) else ExitCode.OK


def watch_all(places: Sequence[Where], deadline: float | None, shown: Shown, every: int) -> None:
    """Look each `every` seconds, or as soon as the look before has ended, until Ctrl-C or SIGTERM.

    It ends, too, once nobody reads what is shown (`| head`), unless it goes on for the page.
    Raises UsageError where the page cannot be written at the beginning, FailedError where it cannot be later.
    """
    from sohistio.output.console import console
    from sohistio.output.fleet_watch import FleetLines, LiveFleet
    from sohistio.system.interruption import stop_event
    from sohistio.system.streams import is_stdout_lost

    _check(shown.html)
    screen = console()
    with stop_event() as stop, LiveFleet(screen, every) if screen.is_terminal else FleetLines() as display:
        while not stop.is_set():
            begun = time.monotonic()
            rows = _looked(places, deadline or DEADLINE_SECONDS, stop)
            if rows is None:
                return
            now = time.time()
            display.show(rows, now)
            if shown.html is None and is_stdout_lost():
                return
            try:
                _write(shown.html, rows, now, every)
            except UsageError as error:
                raise FailedError(error.what, details=error.details, todo=error.todo) from error
            stop.wait(max(0.0, every - (time.monotonic() - begun)))


def _looked(places: Sequence[Where], deadline: float, stop: threading.Event) -> Sequence[EnvironmentStatus] | None:
    """The rows; None where it is to stop: nobody waits for a cluster that hangs."""
    found: Future[Sequence[EnvironmentStatus]] = Future()

    def look() -> None:
        try:
            found.set_result(status_of(places, deadline))
        except BaseException as error:  # noqa: BLE001 — it is raised by who waits
            found.set_exception(error)

    threading.Thread(target=look, name="look", daemon=True).start()
    while not found.done():
        if stop.wait(_POLL_SECONDS):
            return None
    return None if stop.is_set() else found.result()


def _check(path: Path | None) -> None:
    """Before a look that takes a while. Raises UsageError."""
    if path is None:
        return
    import tempfile

    if str(path) == "-":
        raise _not_written(path, "a page does not go to stdout")
    try:
        target = path.resolve()
        if not target.parent.is_dir():
            raise _not_written(path, f"there is no folder {target.parent}")
        if target.exists() and not target.is_file():
            raise _not_written(path, "it is a folder" if target.is_dir() else "it is no ordinary file")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from error


def _write(path: Path | None, rows: Sequence[EnvironmentStatus], now: float, every: int | None = None) -> None:
    """Raises UsageError."""
    if path is None:
        return
    from sohistio.output.fleet_page import Look, fleet_page
    from sohistio.system.replaced_file import write_whole

    try:
        write_whole(path, fleet_page(Look(rows, now, every)))
    except OSError as error:
        raise _not_written(path, str(error)) from error


def _not_written(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the page could not be written to {path}",
        details=(why,),
        todo="Give --html a file in a folder that can be written and has room.",
    )

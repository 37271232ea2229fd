"""The entry point: runs the CLI; errors become four-part messages and exit codes, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from typing import NoReturn

from sohistio.errors import SohistioError
from sohistio.interruption import came, interrupt, stop_signals
from sohistio.output.error_text import print_error
from sohistio.paths import state_dir
from sohistio.printing import streams
from sohistio.printing.sanitize import inert, visible


def main() -> None:
    """Run sohistio; always ends by SystemExit."""
    streams.install()
    from sohistio.cli import app

    # Typer ends silently on KeyboardInterrupt, and SIGTERM and SIGHUP would skip every clean-up.
    for number in stop_signals():
        signal.signal(number, interrupt)
    try:
        app(prog_name="sohistio")
    except SohistioError as error:
        _end(came() or error)
    except Exception as error:  # noqa: BLE001 — the last line of defence between a bug and a user
        _end(came() or _bug(error))
    except SystemExit as end:
        if end.code and (interruption := came()):
            _end(interruption)
        # An answer that nobody got is none, whatever it was.
        if lost := streams.lost_answer():
            _end(lost)
        raise


def _end(error: SohistioError) -> NoReturn:
    print_error(error)
    sys.exit(int(error.exit_code))


def _bug(error: Exception) -> SohistioError:
    details = [f"{type(error).__name__}: {error}"]
    try:
        folder = state_dir() / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(inert(visible("".join(traceback.format_exception(error)))))
        details.append(f"the traceback is in {path}")
    except OSError:
        details += traceback.format_exception(error)
    return SohistioError(
        "sohistio has a bug and stopped", details=tuple(details), todo="Report it with that file, please."
    )


if __name__ == "__main__":
    main()

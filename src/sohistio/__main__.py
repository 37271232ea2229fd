"""The entry point: runs the CLI; errors become four-part messages and exit codes, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from sohistio.errors import SohistioError
from sohistio.output.asked import is_json_asked
from sohistio.system import streams
from sohistio.system.interruption import came, interrupt, stop_signals


def main() -> None:
    """Run sohistio; always ends by SystemExit."""
    streams.install()
    from sohistio.cli import app_for

    # Typer ends silently on KeyboardInterrupt, and SIGTERM and SIGHUP would skip every clean-up.
    for number in stop_signals():
        signal.signal(number, interrupt)
    try:
        # A shell that completes a word gives no arguments, and asks for all.
        arguments = None if "_SOHISTIO_COMPLETE" in os.environ else sys.argv[1:]
        app_for(arguments)(prog_name="sohistio")
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
    """With --output json an error is a document on stdout as well; its text still goes to stderr."""
    from sohistio.output.error_text import print_error

    if is_json_asked() and not streams.lost_answer():
        from sohistio.output.documents import error_answer, print_json

        print_json(error_answer(error))
    print_error(error)
    sys.exit(int(error.exit_code))


def _bug(error: Exception) -> SohistioError:
    from sohistio.system.crash_log import crash_log

    return SohistioError(
        "sohistio has a bug and stopped", details=crash_log(error), todo="Report it with that file, please."
    )


if __name__ == "__main__":
    main()

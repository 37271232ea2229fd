"""The entry point: runs the CLI; errors become four-part messages and exit codes, never a traceback."""

from __future__ import annotations

import gc
import os
import sys

# Until signals are held nothing is imported that takes time: `signal` is `_signal` with enums, typing's own is large.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn

    from sohistio.errors import SohistioError
else:
    import _signal as signal

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """Run sohistio; always ends by SystemExit."""
    # Ctrl-C in the first moments, too, ends in words: it waits until they can be said.
    before = _hold_signals()
    from sohistio.system.process_end import ends_with, watch_the_end

    watch_the_end()
    try:
        _run_in_words(before)
    except SystemExit as end:
        ends_with(end.code)
        raise


def _run_in_words(held_before: set[int | signal.Signals]) -> NoReturn:
    """Whatever goes wrong ends in words. Raises SystemExit."""
    from sohistio.errors import SohistioError
    from sohistio.output.asked import answer_in_json, asks_for_json
    from sohistio.system import streams
    from sohistio.system.interruption import Interruption, came, end_on_signals

    streams.install()
    if asks_for_json(sys.argv[1:], os.environ.get("SOHISTIO_OUTPUT", "")):
        answer_in_json()
    end_on_signals()  # Typer would end silently on KeyboardInterrupt
    try:
        _release_signals(held_before)
        _run_to_its_end()
    except Interruption as interruption:
        _end(interruption.error)
    except SohistioError as error:
        _end(came() or error)
    except OSError as error:
        asked = "--install-completion" in sys.argv
        _end(came() or (_not_installed(error) if asked else _bug(error)))
    except Exception as error:  # noqa: BLE001 — the last line of defence between a bug and a user
        _end(came() or _bug(error))


def _hold_signals() -> set[int | signal.Signals]:
    """Those that ask a program to end are heard later. Gives what was held before."""
    if sys.platform == "win32":
        return set()
    return signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))


def _release_signals(before: set[int | signal.Signals]) -> None:
    """One that came meanwhile raises Interruption here."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run_to_its_end() -> NoReturn:
    """All but an error's words. Raises SystemExit with the command's exit code, and what `_run` raises."""
    from sohistio.system import streams
    from sohistio.system.interruption import came, end_without_words

    try:
        _run()
    except SystemExit as end:
        if dropped := came():
            raise dropped from None
        # An answer that nobody got is none, whatever it was.
        if lost := streams.lost_answer():
            raise lost from None
        _tell_agent(end.code)
        end_without_words()
        raise


def _run() -> NoReturn:
    """What the command line says. Raises SohistioError, SystemExit."""
    from sohistio.errors import ExitCode
    from sohistio.system.interruption import came
    from sohistio.system.pipeline import on_an_agent

    # A command makes much that stays and ends soon: looking for garbage as often as usual is a tenth of its time.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    if on_an_agent(os.environ):
        from sohistio.output.devops.agent import begin
        from sohistio.output.devops.harmless import harmless

        with harmless():
            begin(sys.argv[1:], os.environ)
    from typer.exceptions import TyperException

    from sohistio.cli import app_for
    from sohistio.commands.wrong_usage import is_only_a_group, wrong_usage

    if dropped := came():
        raise dropped
    try:
        # A shell that completes a word gives no arguments, and asks for all.
        arguments = None if "_SOHISTIO_COMPLETE" in os.environ else sys.argv[1:]
        sys.exit(app_for(arguments)(prog_name="sohistio", standalone_mode=False) or 0)
    except TyperException as error:
        if is_only_a_group(error):
            error.show()  # type: ignore[attr-defined]  # Typer's help in place of a command that is not named
            sys.exit(int(ExitCode.USAGE))
        raise wrong_usage(error) from error


def _end(error: SohistioError) -> NoReturn:
    """With --output json an error is a document on stdout as well; its text still goes to stderr."""
    from sohistio.system import streams
    from sohistio.system.interruption import end_without_words

    end_without_words()
    from sohistio.output.asked import is_json_asked
    from sohistio.output.error_text import print_error

    if is_json_asked() and not streams.lost_answer():
        from sohistio.output.documents import error_answer, print_json

        print_json(error_answer(error))
    print_error(error)
    _tell_agent(int(error.exit_code))
    sys.exit(int(error.exit_code))


def _tell_agent(code: object) -> None:
    """Azure DevOps' agent, where a pipeline runs this. The exit code is that of the work, whatever goes wrong here."""
    from sohistio.errors import ExitCode
    from sohistio.system.pipeline import on_an_agent

    if not on_an_agent(os.environ):
        return
    from sohistio.output.devops.agent import end
    from sohistio.output.devops.harmless import harmless

    with harmless():
        end(code if isinstance(code, int) else 0 if code is None else int(ExitCode.FAILED))


def _not_installed(error: OSError) -> SohistioError:
    from sohistio.errors import UsageError

    todo = "Is HOME your home? `--show-completion` prints what to put into your shell's own files."
    return UsageError("completion could not be installed", details=(str(error),), todo=todo)


def _bug(error: Exception) -> SohistioError:
    from sohistio.errors import SohistioError
    from sohistio.system.crash_log import crash_log

    return SohistioError(
        "sohistio has a bug and stopped", details=crash_log(error), todo="Report it with that file, please."
    )


if __name__ == "__main__":
    main()

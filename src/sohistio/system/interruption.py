"""Ctrl-C, SIGTERM and SIGHUP: where nothing is being carried out they end the program, in a run they ask it to end.

What is raised is no Exception: libraries take those for a failed login (azure-identity's `az`, kubernetes' login
commands), and what is done ahead takes errors for something that is told later. Python itself drops what is raised
within a destructor: then it is raised once more.

Python runs a handler between two steps of the main thread. A signal that comes between the last step and a wait is
heard only when that wait ends, which may be a minute: with several threads at work, about one in a hundred does. So a
thread interrupts the main thread's wait again, by a signal that means nothing else.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sohistio.errors import ExitCode, InterruptedRunError


class Interruption(BaseException):
    """A signal asked the program to end where nothing is being carried out. `error` is what to say then."""

    def __init__(self, error: InterruptedRunError) -> None:
        super().__init__(error.what)
        self.error = error
        self.at = time.monotonic()


_came: list[Interruption] = []
_dropped: list[Interruption] = []
# Seconds after a signal in which another one changes nothing: the end that it asks for is under way.
_PATIENCE = 2.0
_KNOCKS = 5
# Seconds from the signal to the first knock, and between two.
_BETWEEN = 0.1


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask a program to end. A SIGHUP that is ignored stays so: that is what `nohup` is for."""
    asked = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asked.append(signal.SIGHUP)
    return tuple(asked)


def end_on_signals() -> None:
    """From now on the signals that ask a program to end raise Interruption, whatever the main thread waits for.

    SIGTERM and SIGHUP would skip every clean-up otherwise.
    """
    for number in stop_signals():
        signal.signal(number, interrupt)
    sys.unraisablehook = _note_dropped
    if sys.platform != "win32":
        signal.signal(signal.SIGURG, _raise_dropped)
        heard, noted = os.pipe()
        os.set_blocking(noted, False)
        signal.set_wakeup_fd(noted, warn_on_full_buffer=False)
        threading.Thread(target=_knock, args=(heard,), name="signals", daemon=True).start()


def _note_dropped(unraisable: sys.UnraisableHookArgs) -> None:
    if isinstance(unraisable.exc_value, Interruption):
        _dropped.append(unraisable.exc_value)
    else:
        sys.__unraisablehook__(unraisable)


def _raise_dropped(_number: int, _frame: FrameType | None) -> None:
    if _dropped:
        raise _dropped.pop()


def end_without_words() -> None:
    """From now on they end the program without any: it has its last words, and ends anyway."""
    _dropped.clear()
    for number in stop_signals():
        signal.signal(number, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    if not _is_under_way():
        sys.exit(int(ExitCode.INTERRUPTED))


def _is_under_way() -> bool:
    return bool(_came) and time.monotonic() - _came[-1].at < _PATIENCE


def _knock(heard: int) -> None:
    asked = set(stop_signals())
    main = threading.main_thread().ident
    while numbers := os.read(heard, 1024):
        if asked.isdisjoint(numbers):
            continue  # our own knock, or a signal that nobody waits for
        for _ in range(_KNOCKS):
            time.sleep(_BETWEEN)
            if sys.platform != "win32" and main is not None:
                signal.pthread_kill(main, signal.SIGURG)


def interrupt(number: int, _frame: FrameType | None) -> None:
    """A handler for signals; raises Interruption. One that follows another at once does not: it would tear clean-up."""
    if _is_under_way():
        return
    error = InterruptedRunError(f"interrupted by {signal.Signals(number).name}", todo="Run it again whenever you like.")
    _came.append(Interruption(error))
    raise _came[-1]


def came() -> InterruptedRunError | None:
    """The interruption, where there was one: what went wrong after it is of no interest."""
    return _came[0].error if _came else None


class _Stop(threading.Event):
    """An event that a signal's handler may set: the usual one hangs where the handler comes upon its own lock."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = False
        self._token: queue.SimpleQueue[None] = queue.SimpleQueue()

    def is_set(self) -> bool:
        return self._asked

    def set(self) -> None:
        self._asked = True
        self._token.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._asked:
            try:
                self._token.get(timeout=None if timeout is None else max(0.0, timeout))
            except queue.Empty:
                return self._asked
            self._token.put(None)  # for whoever else waits
        return True


@contextmanager
def stop_event() -> Iterator[threading.Event]:
    """Within the block, Ctrl-C, SIGTERM and SIGHUP set the event instead of tearing apart what is under way.

    Raises InterruptedRunError where one came before and was dropped: nothing is begun after it.
    """
    stop = _Stop()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    with _handled_by(set_stop):
        if interruption := came():
            raise interruption
        yield stop


@contextmanager
def ending_at_once(what: str) -> Iterator[None]:
    """While somebody is asked, these signals end the question at once: there is nothing under way to stop cleanly.

    Raises InterruptedRunError that says `what`.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(what, todo="Nothing was changed.")

    with _handled_by(end):
        yield


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in stop_signals()}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)

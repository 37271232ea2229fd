"""Asks by name, beside the run, from the moment the DNS record is switched: when did clients have their first answer?

The run itself may have to wait then: for its lock, or for an API server that does not answer. Clients wait for neither.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from sohistio.errors import SohistioError

_PAUSE_SECONDS = 0.25


class FirstAnswer:
    """Asks several questions, each in a thread of its own, until one has a good answer, or until it is ended."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._counting = threading.Lock()
        self._begun = False

    def begin(self, questions: Iterable[Callable[[], bool]], answered: Callable[[], None], seconds: float) -> None:
        """Ask for at most `seconds`; `answered` is called once, at the first that is true. Begun once.

        An error of sohistio's that a question raises is no good answer.
        """
        if self._begun:
            return
        self._begun = True
        end = time.monotonic() + seconds
        for question in questions:
            threading.Thread(target=self._ask, args=(question, answered, end), name="first answer", daemon=True).start()

    def end(self) -> None:
        """Ask no more. A question that is under way is not waited for: its answer does not count any more."""
        with self._counting:
            self._ended.set()

    def _ask(self, question: Callable[[], bool], answered: Callable[[], None], end: float) -> None:
        while not self._ended.is_set() and time.monotonic() < end:
            try:
                good = question()
            except SohistioError:
                good = False
            if good:
                with self._counting:
                    if not self._ended.is_set():
                        self._ended.set()
                        answered()
                return
            self._ended.wait(_PAUSE_SECONDS)

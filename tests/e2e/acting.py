"""A failover that something happens to: acts beside it, timed by what it says."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from killing import await_said
from regions import Regions
from sandboxes import CHECKOUT
from warm import WARM

# In seconds.
_LONGEST = 120.0


class WarmRegions(Regions):
    """The regions of the demo, with commands that start warm."""

    def process(
        self, arguments: Sequence[str], env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        return WARM.run(arguments, cwd=CHECKOUT, env=env, timeout=timeout)


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    document: str
    said: str


def acting(regions: Regions, command: tuple[str, ...], at: str, *acts: tuple[float, Callable[[], object]]) -> Done:
    """Run it for its document; once it has said `at`, do each act so many seconds later, beside it."""
    with tempfile.TemporaryFile("w+") as document, tempfile.NamedTemporaryFile("w+") as said:
        words = (*command, "-o", "json")
        with WARM.begin(words, cwd=CHECKOUT, env=regions.environ(), stdout=document, stderr=said) as begun:
            await_said(Path(said.name), at, 60)
            timers = [threading.Timer(seconds, act) for seconds, act in acts]
            for timer in timers:
                timer.start()
            try:
                code = begun.wait(_LONGEST)
            finally:
                for timer in timers:
                    timer.join()
        document.seek(0)
        return Done(code, document.read(), Path(said.name).read_text())

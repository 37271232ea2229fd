"""A failover that something happens to: acts beside it, timed by what it says."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from regions import Regions
from sandboxes import CHECKOUT
from warm import WARM


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
    with subprocess.Popen(
        [sys.executable, "-m", "sohistio", *command, "-o", "json"],
        env=regions.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said, timers = "", []
        for line in process.stderr:
            said += line
            if at in line:
                timers = [threading.Timer(seconds, act) for seconds, act in acts]
                break
        for timer in timers:
            timer.start()
        try:
            rest, errors = process.communicate(timeout=120)
        finally:
            process.kill()
            for timer in timers:
                timer.join()
    assert timers, said + errors
    return Done(process.returncode, rest, said + errors)

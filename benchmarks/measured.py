"""Timings as the benchmarks have them: side by side in one run, the middle of several, told as ratios.

A ratio between two programs on one machine at one time says something on another machine, too; seconds alone do not.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Run:
    """One run of a command, with its children's time: wall and CPU seconds, peak memory of one process in MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Row:
    """One line of the table. A `target` of `at_least` is a lower bound, else an upper one."""

    what: str
    ours: str
    theirs: str
    ratio: float
    target: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def markdown(self) -> str:
        bound = f"{'≥' if self.at_least else '≤'} {self.target:g}"
        cells = (self.what, self.ours, self.theirs, f"**{self.ratio:.2f}**", bound, "yes" if self.met else "no")
        return f"| {' | '.join(cells)} |"


INSTALLED = Path(__file__).parents[1] / ".venv" / "bench" / "bin" / "python"
"""A Python with what sohistio runs on and nothing else, as its users have it; `make bench` makes it."""
SOHISTIO = (str(INSTALLED), "-m", "sohistio")

HEAD = "| what | sohistio | beside it | ratio | target | met |\n|---|---|---|---|---|---|"


# What is forked counts its parent's memory until it becomes another program: this parent is small.
_LAUNCH = """
import os, sys, time
report, *command = sys.argv[1:]
begun = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, used = os.wait4(pid, 0)
wall = time.perf_counter() - begun
with open(report, "w") as file:
    print(os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=file)
"""


def timed(command: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: str = "", code: int = 0) -> Run:
    """Run a command to its end, which must be this exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        done = subprocess.run(
            [sys.executable, "-S", "-c", _LAUNCH, str(report), *command],
            env=env,
            cwd=cwd,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert report.exists(), done.stdout
        ended, wall, cpu, memory = report.read_text(encoding="utf-8").split()
    assert int(ended) == code, f"{command}\n{done.stdout}"
    return Run(float(wall), float(cpu), float(memory))


def in_turn(rounds: int, *timings: Callable[[], Run]) -> list[list[Run]]:
    """Each of them so many times, one after the other, so that a busy moment hits all; the first round warms up."""
    found: list[list[Run]] = [[] for _ in timings]
    for number in range(rounds + 1):
        for runs, timing in zip(found, timings, strict=True):
            run = timing()
            if number:
                runs.append(run)
    return found


def wall(runs: Sequence[Run]) -> float:
    return median(run.wall for run in runs)


def cpu(runs: Sequence[Run]) -> float:
    return median(run.cpu for run in runs)


def memory(runs: Sequence[Run]) -> float:
    return max(run.memory for run in runs)


def machine() -> str:
    """What it was measured on."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), platform.machine())
    kilobytes = int(Path("/proc/meminfo").read_text(encoding="utf-8").split()[1])
    return (
        f"{os.cpu_count()} cores ({model}), {kilobytes / 1024**2:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )

"""Processes told apart by pid and start time, so that a pid used again by another program is never touched."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sohistio.system.machine import started

_FOLDER_VARIABLE = "SOHISTIO_SANDBOX_FOLDER"

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this boot: `started` is its start in clock ticks since then (proc(5), field 22 of stat)."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        return identify(self.pid) == self


def identify(pid: int) -> ProcessId | None:
    """The process that has this pid now, or None where there is none (or only its zombie)."""
    try:
        ticks = started(pid)
    except OSError:
        return None
    return None if ticks is None else ProcessId(pid, ticks)


def mark(folder: Path) -> dict[str, str]:
    """Goes into the environment of the supervisor and of every part, so that `down` finds them without a record."""
    return {_FOLDER_VARIABLE: str(folder.resolve())}


def processes_of(folder: Path) -> list[ProcessId]:
    """All processes that were started for the sandbox in this folder, this process excepted."""
    ((variable, value),) = mark(folder).items()
    return processes_with(variable, value)


def processes_with(variable: str, value: str) -> list[ProcessId]:
    """All processes with this in the environment that they were started with, this process excepted."""
    wanted = os.fsencode(f"{variable}={value}")
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        process = identify(int(entry.name))
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # another user's, or gone
            continue
        if process is not None and wanted in environment.split(b"\0"):
            found.append(process)
    return found


def end(processes: Sequence[ProcessId], grace_seconds: float) -> list[ProcessId]:
    """Ask all to end (SIGTERM), and after `grace_seconds` make them (SIGKILL); returns those that still run."""
    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 5.0)):
        for process in processes:
            send(process, number)
        deadline = time.monotonic() + seconds
        while (left := [process for process in processes if process.alive()]) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not left:
            break
        processes = left
    return [process for process in processes if process.alive()]


def send(process: ProcessId, number: signal.Signals) -> None:
    """Signal a process, if it still runs."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if process.alive():  # the handle was opened first: it cannot turn into another process now
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)

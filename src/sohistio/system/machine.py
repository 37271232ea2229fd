"""This machine: a clock that counts while it sleeps, and its processes, told apart so that no pid used again misleads.

Processes are known on Linux only; elsewhere there is nothing to tell of them.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# Of /proc/<pid>/stat (proc(5)), counted from behind the name, which may hold blanks: the state, and the start.
_STATE, _START = 0, 19


def clock() -> float:
    """Seconds that never go back, and go on while the machine is suspended: another machine's lease does not wait."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What tells a process from every other one, anywhere: `started` is in clock ticks since the boot."""

    boot: str
    pid_namespace: str
    pid: int
    started: int


def this_process() -> ProcessFacts | None:
    """The facts of this process; None where they cannot be had in full (not on Linux, /proc of other namespaces)."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str((_PROC / "self/ns/pid").readlink())
        stat = (_PROC / "self/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    pid = os.getpid()
    # A /proc that was mounted in another pid namespace numbers its processes otherwise.
    if not boot or stat.partition(" ")[0] != str(pid):
        return None
    return ProcessFacts(boot, namespace, pid, int(stat.rpartition(")")[2].split()[_START]))


def started(pid: int) -> int | None:
    """When the process that has this pid now was started, in clock ticks since the boot.

    None where there is none, or only what is left of one that has ended (a zombie). Raises PermissionError where there
    is one of which no more can be known: another user's, behind a /proc that hides it.
    """
    if not _is_there(pid):
        return None
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if _is_there(pid):
            raise PermissionError(f"process {pid} is hidden") from None
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[_STATE] in "ZX" else int(fields[_START])


def _is_there(pid: int) -> bool:
    """Asked by a signal: these are not hidden, as /proc may be (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def has_ended(facts: ProcessFacts) -> bool:
    """Whether a process of this machine is certainly gone; False where it runs, or where that cannot be known here.

    On the same boot, in the same pid namespace, and no process there with its pid and start. Hosts' names say nothing:
    containers share them. The namespace's number may be used again, but only once all of its processes are gone.
    """
    here = this_process()
    if here is None or (here.boot, here.pid_namespace) != (facts.boot, facts.pid_namespace):
        return False
    try:
        return started(facts.pid) != facts.started
    except (OSError, OverflowError):  # the latter: no process can have such a number
        return False


def process_began() -> float:
    """When this process was started, in seconds since the epoch; now where the system does not say."""
    try:
        ticks = started(os.getpid())
        uptime = float((_PROC / "uptime").read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError):
        ticks = None
    return time.time() if ticks is None else time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")

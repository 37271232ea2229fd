"""Up, down and reset, for the command line and for tests."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sohistio.errors import FailedError, RefusedError
from sohistio.sandbox import record
from sohistio.sandbox.build import build_missing
from sohistio.sandbox.location import sandbox_folder
from sohistio.sandbox.locks import locked
from sohistio.sandbox.part import last_lines
from sohistio.sandbox.ports import mirror_ports
from sohistio.sandbox.processes import ProcessId, end, identify, mark, processes_of
from sohistio.sandbox.progress import MakeProgress, Progress
from sohistio.sandbox.record import SandboxRecord, read_record
from sohistio.sandbox.traffic.claims import Traffic, claimed
from sohistio.sandbox.traffic.programs import check_machine

DEFAULT_NODES = 3
_LONGEST_START = 120.0
_LONGEST_WAIT = 300.0
_SUPERVISOR_GRACE = 8.0
_PARTS_GRACE = 3.0
_NO_GRACE = 0.0


@dataclass(frozen=True, slots=True)
class Up:
    """A sandbox that is up. `fresh` is False where it was up before; `taken` is the port that its release mirror should
    have, where another program has it.
    """

    record: SandboxRecord
    fresh: bool
    seconds: float
    taken: int | None = None


def up(
    name: str,
    nodes: int | None = None,
    make_progress: MakeProgress = Progress,
    traffic: Traffic | None = None,
) -> Up:
    """Build what is missing, start the sandbox and wait until it is ready; nothing happens where it already is.

    With `traffic` it has Envoys, load balancers and backends; one that was made with or without it stays so. A
    sandbox whose processes are all gone (after a reboot, say) starts again with the objects it had. Raises
    RefusedError where it cannot be built, has crashed parts or another number of nodes, or where this machine cannot
    have traffic; FailedError where it does not come up.
    """
    return _up(name, nodes, None, make_progress, traffic)


def _up(
    name: str, nodes: int | None, before: SandboxRecord | None, make_progress: MakeProgress, traffic: Traffic | None
) -> Up:
    folder = sandbox_folder(name)
    last = read_record(folder) or before
    with_traffic = traffic is not None or (last is not None and last.network is not None)
    if with_traffic:
        check_machine()
    build_missing(make_progress, traffic=with_traffic)
    begun = time.monotonic()
    with _alone(folder):
        known = read_record(folder)
        if known is not None and record.is_serving(known):
            _check_as_asked(known, nodes, traffic)
            return Up(known, fresh=False, seconds=time.monotonic() - begun)
        if known is not None:
            _check_traffic(known, traffic)
        _end_all(folder)
        count = nodes or (known.nodes if known else DEFAULT_NODES)
        last = known or before
        wanted = mirror_ports(folder, last.mirror_port if last else None)[0]
        progress = make_progress(1)
        options = [f"--name={name}", f"--nodes={count}", f"--mirror-port={wanted}"]
        with progress.step(f"starting the sandbox {name!r}"), claimed(with_traffic, last, traffic) as more:
            process = _spawn(folder, [*options, *more])
            try:
                started = _await_ready(folder, process, progress)
            except BaseException:
                _end_all(folder)
                raise
        taken = wanted if started.mirror_port != wanted else None
        return Up(started, fresh=True, seconds=time.monotonic() - begun, taken=taken)


def down(name: str) -> bool:
    """End all processes of a sandbox and remove all its files; returns whether there was anything.

    Needs neither a supervisor nor a record. Processes get no time to end in order: what they would write on their way
    out is removed. Raises FailedError where a process cannot be ended.
    """
    folder = sandbox_folder(name)
    if not folder.exists() and not processes_of(folder):
        return False
    with _alone(folder):
        _end_all(folder, _NO_GRACE, _NO_GRACE)
        shutil.rmtree(folder)
    return True


def reset(name: str, make_progress: MakeProgress = Progress) -> Up:
    """Back to an empty cluster with as many nodes; shells keep their addresses.

    Raises RefusedError where there is no such sandbox.
    """
    known = read_record(sandbox_folder(name))
    if known is None:
        raise RefusedError(f"there is no sandbox {name!r}", todo=f"sohistio sandbox up --name {name}")
    down(name)
    return _up(name, known.nodes, known, make_progress, None)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs of sohistio away from the sandbox; what the disk refuses becomes a RefusedError."""
    try:
        with locked(folder, _LONGEST_WAIT, lambda: Progress.say(f"another sohistio is at work on {folder}: waiting")):
            yield
    except OSError as error:
        raise RefusedError(
            f"the files of the sandbox {folder.name!r} cannot be written",
            details=(str(error),),
            todo=f"See to {folder} (space, permissions), or set XDG_STATE_HOME to another folder.",
        ) from error


def _check_as_asked(known: SandboxRecord, nodes: int | None, traffic: Traffic | None) -> None:
    crashed = [part for part in known.parts if part.as_observed_now().state == record.CRASHED]
    if crashed:
        raise RefusedError(
            f"the sandbox {known.name!r} is up, but {', '.join(part.name for part in crashed)} crashed",
            details=last_lines(Path(crashed[0].log), 10),
            todo=f"sohistio sandbox reset --name {known.name} (the cluster will be empty)",
        )
    if nodes is not None and nodes != known.nodes:
        raise RefusedError(
            f"the sandbox {known.name!r} is up with {known.nodes} nodes, not {nodes}",
            todo=f"sohistio sandbox down --name {known.name}, then up --nodes {nodes} (the cluster will be empty)",
        )
    _check_traffic(known, traffic)
    if traffic is not None and traffic.load_balancer_lag not in (None, known.lag):
        raise RefusedError(
            f"the sandbox {known.name!r} is up with load balancers that are {known.lag} s late",
            todo=f"sohistio sandbox down --name {known.name}, then up again (the cluster will be empty)",
        )


def _check_traffic(known: SandboxRecord, traffic: Traffic | None) -> None:
    if traffic is not None and known.network is None:
        raise RefusedError(
            f"the sandbox {known.name!r} was made without traffic, and its Services have no addresses for it",
            todo=f"sohistio sandbox down --name {known.name}, then up --traffic (the cluster will be empty)",
        )


def _spawn(folder: Path, options: list[str]) -> ProcessId:
    """Start the supervisor in a session of its own, so that it outlives this process and its terminal."""
    (folder / "logs").mkdir(exist_ok=True)
    log = os.open(folder / "logs" / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    package_parent = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH", ""))))
    arguments = [sys.executable, "-P", "-m", "sohistio.sandbox.supervisor", *options]
    try:
        pid = os.posix_spawn(
            sys.executable,
            arguments,
            os.environ | mark(folder) | {"PYTHONPATH": path},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(log)
    return identify(pid) or ProcessId(pid, 0)


def _await_ready(folder: Path, process: ProcessId, progress: Progress) -> SandboxRecord:
    deadline = time.monotonic() + _LONGEST_START
    while time.monotonic() < deadline:
        alive = process.alive()
        known = read_record(folder)
        if known is not None and known.supervisor.process == process:
            if known.phase == record.READY:
                return known
            if known.phase == record.FAILED:
                raise _failed(folder, known.failure)
        if not alive:
            raise _failed(folder, last_lines(folder / "logs" / "supervisor.log", 10))
        progress.tick()
        time.sleep(0.1)
    raise _failed(folder, (f"not ready after {_LONGEST_START:.0f} s",))


def _failed(folder: Path, lines: tuple[str, ...]) -> FailedError:
    return FailedError(
        f"the sandbox {folder.name!r} did not come up",
        details=(*lines, f"logs: {folder / 'logs'}"),
        todo=f"See the logs; sohistio sandbox down --name {folder.name} removes it.",
    )


def _end_all(folder: Path, supervisor_grace: float = _SUPERVISOR_GRACE, parts_grace: float = _PARTS_GRACE) -> None:
    """End the supervisor, which ends its parts, and then whatever is left; each may take so many seconds for it."""
    supervisors = [process for process in processes_of(folder) if _is_supervisor(process)]
    end(supervisors, supervisor_grace)
    left = end(processes_of(folder), parts_grace)
    # A part that was just ended may have started another meanwhile, as a gateway's agent its Envoy.
    left += end(processes_of(folder), _NO_GRACE)
    for process in supervisors:
        try:
            os.waitpid(process.pid, os.WNOHANG)  # reaps it where this very process started it
        except ChildProcessError:
            continue
    if left:
        raise FailedError(
            f"processes of the sandbox {folder.name!r} do not end",
            details=tuple(f"pid {process.pid}" for process in left),
            todo="See why (ps, /proc/PID/status), and run sohistio sandbox down again.",
        )


def _is_supervisor(process: ProcessId) -> bool:
    try:
        return b"sohistio.sandbox.supervisor" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    except OSError:
        return False

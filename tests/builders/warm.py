"""Runs sohistio without its imports each time: a process that has imported all of it is forked for each command.

A command of the tests is a process of its own as ever, with its own arguments, variables, folder, streams
and exit code, and it runs sohistio as `python -m sohistio` does. Only the 0.7 s of imports, and what pydantic makes of
its models, are spent once, and not for each of some thousand commands. test_startup.py holds what a start imports;
`Sandbox.command` is a cold start.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, Self

if TYPE_CHECKING:
    from pydantic import BaseModel

_LONGEST_REQUEST = 1 << 20
# In seconds: until the process that is forked has imported all, or one that was killed has ended.
_LONGEST_START = 60
# What Python reads of its variables, it reads before the first line runs.
_READ_AT_START = ("PYTHON", "LANG", "LC_", "MALLOC_", "LD_", "OPENSSL_")
# Imported by name as soon as they are used, not with a module of sohistio.
_LAZY = (
    "azure.identity",
    "httpcore",
    "httpx",
    "kubernetes.client",
    "pydantic.dataclasses",
    "pydantic.type_adapter",
    "rich.live",
    "rich.table",
    "tenacity",
    "yaml",
)


class Begun:
    """A command at work: as much as tests need of subprocess.Popen. A context manager; one that it leaves is killed."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.returncode: int | None = None
        self.pid = self._next(_LONGEST_START)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, subprocess.TimeoutExpired):
            os.kill(self.pid, signal.SIGUSR1)  # where each of its threads is goes to its standard error
            time.sleep(1)
        self.kill()
        self._told.close()

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it works."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = self._next(1)
        return self.returncode

    def kill(self) -> None:
        """End it where it still works."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(_LONGEST_START)

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self.returncode = self._next(seconds)
        return self.returncode

    def _next(self, seconds: float) -> int:
        self._told.settimeout(seconds)
        try:
            return int(self._told.recv(32))
        except TimeoutError:
            raise subprocess.TimeoutExpired("sohistio", seconds) from None


class Warm:
    """Starts commands. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def run(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `sohistio ARGUMENTS` to its end, as subprocess.run does; no terminal, no standard input."""
        command = [sys.executable, "-m", "sohistio", *arguments]
        if _start_variables(env) != _start_variables(os.environ):
            from cold_start import cold  # not for the process that is forked: it knows sohistio alone

            return cold(arguments, cwd=cwd, env=env, timeout=timeout)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            ended = None
            try:
                with self.begin(arguments, cwd=cwd, env=env, stdout=out, stderr=err) as begun:
                    ended = begun.wait(timeout)
            finally:
                texts = []
                for stream in (out, err):
                    stream.seek(0)
                    texts.append(stream.read().decode().replace("\r\n", "\n"))
                if ended is None:
                    print(f"{' '.join(arguments)} said until it was given up:", *texts, sep="\n", file=sys.stderr)
        return subprocess.CompletedProcess(command, ended, *texts)

    def begin(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: IO[Any], stderr: IO[Any]
    ) -> Begun:
        """Start `sohistio ARGUMENTS`; no terminal, no standard input."""
        assert _start_variables(env) == _start_variables(os.environ), "such a command needs a start of its own"
        request = json.dumps([list(arguments), str(cwd), dict(env)]).encode()
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its, self._lock:
            socket.send_fds(self._control(), [request], [stdout.fileno(), stderr.fileno(), its.fileno()])
        return Begun(mine)

    def _control(self) -> socket.socket:
        if self._server is None:
            mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST_REQUEST)
            command = [sys.executable, __file__, str(its.fileno())]
            self._server = subprocess.Popen(command, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL), mine
            its.close()
        return self._server[1]

    def end(self) -> None:
        """End the process that is forked; it ends with its socket."""
        if self._server is not None:
            process, control = self._server
            control.close()
            process.wait(10)
            self._server = None


WARM = Warm()


def _start_variables(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_READ_AT_START)}


def _serve(control: socket.socket) -> None:
    """Until the tests close their end."""
    from pydantic import BaseModel

    import sohistio

    for module in pkgutil.walk_packages(sohistio.__path__, "sohistio."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _LAZY:
        importlib.import_module(name)
    for model in _models(BaseModel):
        model.model_rebuild()
    gc.collect()
    gc.freeze()
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _report(waiting)
        if control.fileno() in ready:
            request, fds, _, _ = socket.recv_fds(control, _LONGEST_REQUEST, 3)
            if not request:
                return
            reply = socket.socket(fileno=fds[2])
            pid = os.fork()
            if not pid:
                for other in (control, reply, *waiting.values()):
                    other.close()
                os.close(ended)
                os.close(wake)
                _become(json.loads(request), fds[0], fds[1])
            waiting[pid] = reply
            reply.sendall(str(pid).encode())
            os.close(fds[0])
            os.close(fds[1])


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Those of environment files and the like: what is written of them is made ready when one is read first."""
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


def _report(waiting: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with waiting.pop(pid) as reply, contextlib.suppress(OSError):
                reply.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: tuple[list[str], str, dict[str, str]], out: int, err: int) -> NoReturn:
    """The command, in the child: what the interpreter's own start would have set is set."""
    arguments, folder, variables = request
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.close(out)
        os.close(err)
        faulthandler.register(signal.SIGUSR1, file=2)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        time.tzset()
        sys.argv = ["sohistio", *arguments]
        try:
            runpy.run_module("sohistio", run_name="__main__", alter_sys=True)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        # As an interpreter that ends: it waits for its threads, then does what is left for the end.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 — the child must not go on as the server
        traceback.print_exc()
    os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as given:
        _serve(given)

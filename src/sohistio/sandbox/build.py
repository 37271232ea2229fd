"""Builds the sandbox's programs from their Go modules into the cache, each once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sohistio.errors import RefusedError
from sohistio.sandbox.archives import write_release
from sohistio.sandbox.location import parts_cache
from sohistio.sandbox.locks import locked
from sohistio.sandbox.modules import Program, architecture, module_folder, programs, provided
from sohistio.sandbox.progress import MakeProgress, Progress
from sohistio.sandbox.toolchain import build_environment, find_go
from sohistio.sandbox.traffic import programs as traffic_programs

_LONGEST_BUILD = 3600.0
_SHOWN_LINES = 20


def build_missing(make_progress: MakeProgress = Progress, *, traffic: bool = False) -> None:
    """Build what the cache does not hold yet; raises RefusedError where that cannot be done.

    With `traffic`, also what only a sandbox with traffic needs, for which a C compiler must be there.
    Two at once build once: the second waits for the first. An interrupted build goes on where it was.
    """
    if sys.platform != "linux" or architecture() not in ("amd64", "arm64"):
        raise RefusedError(
            f"the sandbox runs on Linux (amd64, arm64) only, and this is {sys.platform} {architecture()}",
            todo="Use Linux or WSL 2; every other command works with any cluster (--kubeconfig, --context).",
        )
    if not _missing(traffic) and not _shim_is_missing(traffic):
        return
    try:
        _build_all(make_progress, traffic)
    except OSError as error:
        raise RefusedError(
            "the sandbox's parts cannot be written to the cache",
            details=(str(error),),
            todo=f"See to {parts_cache()} (space, permissions), or set XDG_CACHE_HOME to another folder.",
        ) from error


def _build_all(make_progress: MakeProgress, traffic: bool) -> None:
    with locked(parts_cache(), _LONGEST_BUILD, lambda: Progress.say("another sohistio is building the parts: waiting")):
        missing, shim = _missing(traffic), _shim_is_missing(traffic)
        if not missing and not shim:
            return
        if shim:
            traffic_programs.find_compiler()  # said before minutes of building, not after
        go = find_go(tuple(dict.fromkeys(program.module for program in missing)) or ("istio",))
        progress = make_progress(len(missing) + shim)
        if len(missing) == len(programs(traffic=traffic)):
            progress.say("Building the sandbox's parts: about 12 minutes on 2 cores, once.")
        for program in missing:
            with progress.step(f"building {program.title}"):
                _build(go, program, progress)
        if shim:
            with progress.step("compiling Envoy's address shim"):
                traffic_programs.build(go)


def _missing(traffic: bool) -> list[Program]:
    wanted = programs(traffic=traffic)
    return [program for program in wanted if provided(program.name) is None and not program.output.exists()]


def _shim_is_missing(traffic: bool) -> bool:
    return traffic and traffic_programs.is_missing()


def _build(go: str, program: Program, progress: Progress) -> None:
    output = program.output
    output.parent.mkdir(parents=True, exist_ok=True)
    log = parts_cache() / f"build-{program.name}.log"
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".building-") as scratch:
        binary = Path(scratch) / program.name
        command = [go, "build", "-trimpath", "-ldflags", program.ldflags, "-o", str(binary), program.package]
        _run(command, program, log, progress)
        if program.release:
            write_release(binary, output)
        else:
            binary.replace(output)
    log.unlink()


def _run(command: list[str], program: Program, log: Path, progress: Progress) -> None:
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            cwd=module_folder(program.module),
            env=build_environment(),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            while _still_runs(process):
                progress.tick()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise RefusedError(
            f"building {program.title} failed: go build ended with {process.returncode}",
            details=(*lines[-_SHOWN_LINES:], f"whole log: {log}"),
            todo=f"See to the cause (network, GOPROXY, disk space in {os.fspath(parts_cache())}) and try again.",
        )


def _still_runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return True
    return False

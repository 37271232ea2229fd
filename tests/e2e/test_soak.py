"""Many runs in a row, killed at random and with an API server in trouble: nothing is lost, nothing is left, nothing
grows, and what fails says why.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from pathlib import Path
from signal import SIGABRT, SIGKILL
from typing import NamedTuple

import pytest

from faulty import EXPIRED, RESET, THROTTLED, Fault, FaultyServer, at_random
from killing import LOCAL, kept, last_run, no_istioctl_is_left, settle, started
from sandboxes import Sandbox
from startable import pods_start
from test_resume import NEW, OLD, PLACES, as_unbroken

pytestmark = pytest.mark.e2e

SEED = 20261128
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("install", *LOCAL, *NEW),
    ("install", *LOCAL, *NEW, "--mode", "reinstall", "--yes"),
    ("rollback", *LOCAL, "--yes"),
    ("install", *LOCAL, *OLD, "--mode", "reinstall", "--yes"),
)
TROUBLE = (THROTTLED, Fault(500), Fault(503), RESET, EXPIRED, Fault(hang=5.0))
SHARE = 0.02
LATEST_KILL = 14.0
LONGEST = 240
# What an error of a run may be: the API server's trouble, a step that did not get through, nothing to go back to.
KNOWN = re.compile(
    r"Error: (the API server|the run took longer|its lock|the lock|another run|istioctl|verification|[A-Z]+ /"
    r"|.* could not be (read|written|compared)|.*not ready|.*go back to|the mesh is not as it should be"
    r"|\d+ preflight checks? do(es)? not hold|the mesh of [\d.]+ is applied, but its verification failed)"
)
# In mebibytes: what one run may take more than the ones before it, which is noise.
NOISE = 24


class Ended(NamedTuple):
    """How one run ended: its exit code (-9 where it was killed), what it said, and the most memory it took, in MiB."""

    code: int
    said: str
    memory: float


def run(box: Sandbox, words: tuple[str, ...], kill_after: float | None, **variables: str) -> Ended:
    """Run sohistio to its end, or to its kill; one that does not end shows where its threads are."""
    variables |= {"PYTHONFAULTHANDLER": "1"}
    with tempfile.TemporaryFile("w+") as output:
        process = started(box, output, *words, **variables)
        begun, memory = time.monotonic(), 0.0
        end, asked = (begun + LONGEST, SIGABRT) if kill_after is None else (begun + kill_after, SIGKILL)
        while process.poll() is None:
            memory = max(memory, peak(process.pid))
            if time.monotonic() > end:
                process.send_signal(asked)
                process.wait()
            time.sleep(0.02)
        output.seek(0)
        said = output.read()
        assert process.returncode != -SIGABRT, f"it did not end in {LONGEST} s:\n{said}"
        return Ended(process.returncode, said, memory)


def peak(pid: int) -> float:
    """The most memory that a process took so far, in MiB; 0 where it is ending."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def left_over(box: Sandbox) -> set[str]:
    """Files that a run makes for itself and takes away again; backups and logs stay, and are bounded."""
    private = Path(tempfile.gettempdir()).glob("sohistio-*")
    state = (path for path in (box.state_home / "sohistio").rglob("*") if path.is_file())
    bounded = ("backups", "logs", "sandbox")
    return {str(path) for path in private} | {
        str(path) for path in state if not any(place in path.parts for place in bounded)
    }


def soak(box: Sandbox, folder: Path, rounds: int) -> None:
    chance = random.Random(SEED)  # noqa: S311 — the same rounds each time
    box.with_mesh(OLD[1])
    settle(box, PLACES, each=1)
    assert box.run("install", *LOCAL, *NEW).returncode == 0
    before, files, codes = kept(box), left_over(box), []
    memory: dict[tuple[str, ...], list[float]] = {words: [] for words in COMMANDS}
    with FaultyServer(box, folder) as server:
        # A connection of istioctl's that hangs is ended before the run's own end comes.
        through = {"SOHISTIO_ISTIO_MIRROR": box.mirror, "SOHISTIO_COMPONENT_TIMEOUT": "90s"}
        way = ("--kubeconfig", str(server.kubeconfig(box, folder)), "--context", box.context)
        for number in range(rounds):
            server.decide = at_random(SEED + number, SHARE if chance.random() < 0.6 else 0.0, *TROUBLE)
            kill_after = chance.uniform(0.0, LATEST_KILL) if chance.random() < 0.5 else None
            words = chance.choice(COMMANDS)
            ended = run(box, (*words, *way), kill_after, **through)
            told = f"round {number}, {words}, killed after {kill_after}:\n{ended.said}"
            assert "Traceback" not in ended.said, told
            assert "has a bug" not in ended.said, told
            assert ended.code in (0, -9) or KNOWN.search(ended.said), told
            no_istioctl_is_left(box)
            pods_start(box.api, PLACES[0])
            codes.append(ended.code)
            if ended.code == 0:
                memory[words].append(ended.memory)
            if number % 10 == 9:
                in_order(box)
        server.decide = at_random(SEED, 0.0)
        assert run(box, ("plan", *LOCAL, *way), None, **through).code == 0  # takes away what killed runs have left
    in_order(box)
    as_unbroken(box, NEW, before)
    assert left_over(box) <= files
    for words, taken in memory.items():
        print(f"{' '.join(words)}: {len(taken)} done, at most {max(taken, default=0):.0f} MiB")
        # The most, not the middle: an install that finds nothing to do takes two thirds of what another one takes.
        half = len(taken) // 2
        assert not taken or max(taken[half:]) <= max(taken[:half] or taken) + NOISE
    print(f"{rounds} runs, exit codes {codes}")


def in_order(box: Sandbox) -> None:
    """The next run, with nothing in its way, puts everything right."""
    done = box.run("install", *LOCAL, *NEW, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    ended = last_run(box)
    assert ended is not None
    assert ended.outcome == "done", ended


def test_a_few_runs_in_trouble(sandbox: Sandbox, tmp_path: Path) -> None:
    soak(sandbox, tmp_path, 4)


@pytest.mark.soak
def test_two_hundred_runs_in_trouble(sandbox: Sandbox, tmp_path: Path) -> None:
    soak(sandbox, tmp_path, 200)

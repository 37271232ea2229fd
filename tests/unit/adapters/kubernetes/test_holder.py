"""Whether the run that holds the lock was a process of this very machine that is gone; never by the host's name."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sohistio.adapters.kubernetes.holder import holder_in, spec_of, taken
from sohistio.system.machine import ProcessFacts, has_ended, started, this_process

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
FACTS = ProcessFacts("b00t", "pid:[4026531836]", 4711, 99)


def lease(identity: str = "ada@agent run 1", facts: ProcessFacts | None = FACTS) -> dict[str, Any]:
    old = {"metadata": {"name": "sohistio", "annotations": {"sohistio/unlocked-because": "x", "sohistio/process": "y"}}}
    return taken(old, spec_of(identity, NOW, NOW, 30), facts)


def test_it_is_read_back_as_it_was_written() -> None:
    holder = holder_in(lease())
    assert holder is not None
    assert (holder.identity, holder.since, holder.renewed, holder.process) == ("ada@agent run 1", NOW, NOW, FACTS)
    assert lease()["metadata"]["annotations"]["sohistio/unlocked-because"] == "x", "what else is there stays"


def test_a_run_that_cannot_tell_leaves_nothing_of_the_one_before() -> None:
    assert "sohistio/process" not in lease(facts=None)["metadata"]["annotations"]


@pytest.mark.parametrize(
    "annotation",
    [
        "",
        "{",
        "[]",
        "null",
        '{"holder": "ada@agent run 1"}',
        '{"holder": "ada@agent run 1", "boot": "b", "pidNamespace": "n", "pid": "4711", "started": 1}',
        '{"holder": "ada@agent run 1", "boot": "", "pidNamespace": "n", "pid": 4711, "started": 1}',
        '{"holder": "ada@agent run 1", "boot": "b", "pidNamespace": "n", "pid": -1, "started": 1}',
        '{"holder": "ada@agent run 1", "boot": "b", "pidNamespace": "n", "pid": true, "started": 1}',
        '{"holder": "bob@agent run 2", "boot": "b", "pidNamespace": "n", "pid": 4711, "started": 1}',
    ],
)
def test_what_is_damaged_or_of_another_holder_says_nothing(annotation: str) -> None:
    """An older sohistio takes a Lease and leaves the annotation of who had it before."""
    found = lease()
    found["metadata"]["annotations"]["sohistio/process"] = annotation
    holder = holder_in(found)
    assert holder is not None
    assert holder.process is None


def test_a_lease_that_is_free_has_no_holder() -> None:
    assert holder_in(None) is None
    assert holder_in(lease() | {"spec": {}}) is None


def test_only_a_process_that_was_here_and_is_gone_has_ended() -> None:
    own = this_process()
    assert own is not None
    assert not has_ended(own)
    assert has_ended(replace(own, started=own.started + 1)), "its pid is another process's by now"
    assert not has_ended(replace(own, started=own.started + 1, boot="another")), "another machine, or an earlier boot"
    assert not has_ended(replace(own, started=own.started + 1, pid_namespace="pid:[1]")), "another container"

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        begun = started(child.pid)
        assert begun is not None
        facts = replace(own, pid=child.pid, started=begun)
        assert not has_ended(facts)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert has_ended(facts), "nobody has asked for its exit code yet: it runs no code any more"
    finally:
        child.kill()
        child.wait()
    assert has_ended(facts)

"""Many workloads under many disruption budgets, windows, freezes and opt-outs, restarted as a window: judged by the
API server's audit log alone.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from injection_off import await_injection
from own_environments import own_environments
from restart_audit import Guard, Log, lines_of, most_at_once, read_log, violations
from restart_rules import restarts_of
from restart_rules import violations as rule_violations
from sandboxes import CHECKOUT, USER, Sandbox
from sohistio.sandbox.nodes import node
from sohistio.system.parallel import side_by_side
from workloads import apply, budget, deployment, namespace

pytestmark = pytest.mark.e2e

ONE_DOWN = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
PLACES = 4
LONGEST = 3600
PODS = 2
# From now: of a window that is open, and of one that is shut.
HOURS = ((-5, 5), (5, 9))
FORBIDDEN = 4


class Size(NamedTuple):
    """How many workloads, budgets, nodes for their pods, and how many restarts at a time."""

    workloads: int
    budgets: int
    nodes: int
    parallel: int


SHORT = Size(workloads=90, budgets=16, nodes=12, parallel=10)
WHOLE = Size(workloads=1000, budgets=100, nodes=70, parallel=25)


def make(box: Sandbox, size: Size) -> list[Guard]:
    """Workloads of two pods, half of which take one down to restart; under each budget one pod at most may be away."""
    places = [f"team-{number}" for number in range(PLACES)]
    for number in range(size.nodes):
        if box.api.get(f"/api/v1/nodes/{node(number)['metadata']['name']}") is None:
            box.api.create("/api/v1/nodes", node(number))
    for place in places:
        apply(box.api, namespace(place, injected=False))

    def workload(number: int) -> None:
        group = number % size.budgets
        item = deployment(places[group % PLACES], f"w{number:04}", labels={"group": f"g{group}"})
        if number // size.budgets % 2:
            item["spec"]["strategy"] = ONE_DOWN
        item["metadata"]["annotations"] = rules_for(number)
        apply(box.api, item)

    side_by_side(workload, range(size.workloads))
    guards = []
    for group in range(size.budgets):
        place, under = places[group % PLACES], range(group, size.workloads, size.budgets)
        least = PODS * len(under) - 1
        apply(box.api, budget(place, f"g{group}", minimum=least, selector={"group": f"g{group}"}))
        names = frozenset((place, f"w{number:04}") for number in under)
        guards.append(Guard((place, f"g{group}"), names, least))
    old_job(box)
    await_ready(box, PODS * size.workloads + 1)
    for place in places:
        box.api.merge_patch(f"/api/v1/namespaces/{place}", {"metadata": {"labels": {"istio-injection": "enabled"}}})
    await_injection(box, places)
    return guards


def rules_for(number: int) -> dict[str, str]:
    """Four of fifteen workloads may not be restarted now; a fifth has a window that is open."""
    now = datetime.now(UTC)
    wide, shut = (f"daily {now + timedelta(hours=a):%H:%M}-{now + timedelta(hours=b):%H:%M} UTC" for a, b in HOURS)
    around_now = f"{now.date() - timedelta(days=2)}..{now.date() + timedelta(days=2)} UTC"
    rules = ({"": "never"}, {"-windows": shut}, {"-freezes": around_now}, {"-windows": "at night"}, {"-windows": wide})
    return {f"sohistio.io/restart{key}": value for key, value in (rules[number % 15 :] or ({},))[0].items()}


def is_allowed(number: int) -> bool:
    return number % 15 > FORBIDDEN - 1


def await_ready(box: Sandbox, pods: int) -> None:
    """Wait until so many pods of the teams, and of their Job, run."""
    for _ in range(600):
        found = box.api.items("/api/v1/pods", fields="status.phase=Running", metadata_only=True)
        if sum(item["metadata"]["namespace"].startswith(("team-", "batch")) for item in found) >= pods:
            return
        time.sleep(0.5)
    raise AssertionError("the workloads never came up")


def old_job(box: Sandbox) -> None:
    """A Job that runs until somebody takes its trouble away, with the sidecar of an earlier mesh."""
    apply(box.api, namespace("batch", injected=False))
    proxy = {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.30.5"}
    injected = {"sidecar.istio.io/status": "{}", "istio.io/rev": "default"}
    template = {
        "metadata": {"annotations": injected, "labels": {"sandbox.sohistio/trouble": "not-ready"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "example/report:1"}, proxy]},
    }
    meta = {"name": "report", "namespace": "batch"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}}
    box.api.create("/apis/batch/v1/namespaces/batch/jobs", job)


def restarted(box: Sandbox, folder: Path, size: Size) -> tuple[Log, list[Guard], str]:
    """The audit log of `sohistio restart`, once namespaces full of workloads are labelled, and what it said."""
    box.with_mesh()
    restarts = {
        "parallel": size.parallel,
        "maxFailures": 1,
        "timeout": "5m",
        "proxiesPerSecond": 100,
        "awaitJobs": "1s",
    }
    flags = own_environments(folder, restarts=restarts, timeouts={"component": "5m", "total": "1h"})
    done = box.run("install", *flags)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    guards = make(box, size)
    audit = box.folder / "audit.log"
    before = lines_of(audit)
    done = subprocess.run(
        box.command("restart", *flags),
        env=box.environ(),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    log = read_log(audit, USER, after=before)
    wanted = {name for guard in guards for name in guard.workloads if is_allowed(int(name[1][1:]))}
    assert {one.workload for one in log.restarts} == wanted
    objects = [*box.api.items("/apis/apps/v1/deployments"), *box.api.items("/api/v1/namespaces")]
    assert rule_violations(restarts_of(box), objects) == []
    return log, guards, done.stdout


def judge(log: Log, guards: list[Guard], size: Size) -> None:
    assert violations(log, guards) == []
    assert 1 < most_at_once(log.restarts) <= size.parallel
    read = Counter((one["verb"], one["objectRef"]["resource"]) for one in log.requests if "objectRef" in one)
    print(f"{len(log.requests) / len(log.restarts):.2f} requests a restart, {read.most_common(8)}")
    took = (max(one.over for one in log.restarts) - log.restarts[0].asked).total_seconds()
    each = sum((one.over - one.asked).total_seconds() for one in log.restarts)
    print(f"{took:.1f} s; at {size.parallel} at a time the pods themselves take {each / size.parallel:.1f} s")


def test_budgets_hold_and_requests_are_few(sandbox: Sandbox, tmp_path: Path) -> None:
    """A short form: what any run asks is much of its requests here, so that those between restarts are counted."""
    log, guards, said = restarted(sandbox, tmp_path, SHORT)
    judge(log, guards, SHORT)
    first, last = (f"{when:%FT%T.%f}" for when in (log.restarts[0].asked, log.restarts[-1].asked))
    meanwhile = [one for one in log.requests if first <= one["requestReceivedTimestamp"] <= last]
    assert "metrics are not read" not in said
    assert "with an old sidecar until they end, and not restarted: Job batch/report" in said
    assert "still running after 1 s, not waited for any more: Job batch/report" in said
    assert len(meanwhile) <= 2.5 * len(log.restarts), Counter(one["requestURI"] for one in meanwhile).most_common(10)


@pytest.mark.bench
def test_a_thousand_workloads_under_a_hundred_budgets(sandbox: Sandbox, tmp_path: Path) -> None:
    log, guards, _ = restarted(sandbox, tmp_path, WHOLE)
    judge(log, guards, WHOLE)
    assert len(log.requests) <= 2.5 * len(log.restarts)

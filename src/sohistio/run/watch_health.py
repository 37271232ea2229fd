"""Executor: watches a side that serves. Requests as clients send them, and beside them the gateways' pods."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from sohistio.adapters.kubernetes.gateway_pods import GatewayPods
from sohistio.errors import FailedError
from sohistio.model.health import Answers, GatewayHealth, Health
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.plan.failover_steps import WatchHealth
from sohistio.run.failover import Traffic, one_round
from sohistio.run.gateway_health import GatewayLooks
from sohistio.run.traffic_looks import TrafficLooks
from sohistio.run.wait import Waiting

_ROUND_SECONDS = 1.0
_LOOK_SECONDS = 2.0


def watch_health(traffic: Traffic, waiting: Waiting, step: WatchHealth) -> None:
    """Requests to the side for so long, and looks at its gateways; what was found is kept for the report.

    Raises FailedError where more than one request in a hundred failed, a gateway's pods were restarted or crash, more
    than one in twenty of all clients' requests ended in 5xx (as Prometheus has it), or a gateway has no ready pod: that
    ends the watch at once.
    """
    begun = time.monotonic()
    answers, said = Answers(), _Said(waiting)
    pods = GatewayPods(waiting.brief(_LOOK_SECONDS), step.gateways)
    prometheus = traffic.served.get(step.environment)
    with GatewayLooks(step.gateways, pods.look) as looks, TrafficLooks(prometheus) as served:
        health = Health(step.environment, 0.0, answers)
        try:
            while (passed := time.monotonic() - begun) < step.seconds:
                for answered in one_round(traffic, step.environment, step.address):
                    answers.add(answered.fault, answered.seconds)
                health = replace(health, seconds=time.monotonic() - begun)
                health = replace(health, gateways=looks.health, blind=looks.blind_seconds)
                health = replace(health, served=served.served, unserved=served.trouble)
                said.news(health)
                waiting.observer.figures(f"{answers.line()}; {step.seconds - passed:.0f} s left")
                if any(item.least == 0 for item in health.gateways):
                    break
                waiting.rest(min(_ROUND_SECONDS, max(0.0, begun + step.seconds - time.monotonic())))
        finally:
            traffic.watched.append(health)
    for line in health.lines():
        waiting.observer.note(line)
    if problems := health.problems:
        first, *others = problems
        raise FailedError(
            f"{first} while it was watched",
            details=(*others, *(f"{count} ×: {fault}" for fault, count in answers.faults.most_common())),
            todo="The traffic stays where it is. Decide with these figures: forward, or back.",
        )


class _Said:
    """Says what is new, once: how many pods are ready, a restart, a fault of the answers."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._problems: set[str] = set()
        self._rollouts: Mapping[ObjectRef, Progress] = {}

    def news(self, health: Health) -> None:
        observer = self._waiting.observer
        rollouts = {item.ref: _progress(item) for item in health.gateways}
        if rollouts != self._rollouts:
            self._rollouts = rollouts
            observer.rollouts(rollouts)
        problems = [item.problem for item in health.gateways if item.problem]
        for problem in (*problems, *health.answers.faults):
            if problem not in self._problems:
                self._problems.add(problem)
                observer.note(problem)


def _progress(item: GatewayHealth) -> Progress:
    return Progress(item.ready, item.ready, item.ready > 0, "no ready pod")

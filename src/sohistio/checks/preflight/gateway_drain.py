"""Whether gateways end without cutting requests: those that run now, and those of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.adapters.kubernetes.paths import path_of
from sohistio.checks.preflight.capacity import templates_of
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.environments.gateway_ending import Gateways
from sohistio.model.fault import Fault
from sohistio.model.pod_ending import PodEnding
from sohistio.model.state import ObjectRef

_OVERLAY = "Take what sets it out of the gateway's k8s in istiooperator.yaml, or change `gateways` in environment.yaml."
_INSTALL = "`sohistio install` sets it; the rollout that does so is still one of the old kind."


def gateway_drain(context: Context) -> Iterator[Verdict]:
    """Each gateway of the plan; and as it runs, where that is not the same."""
    wanted = context.environment.gateways_end
    refs = [item.ref for item in context.mesh.gateways if not item.is_off]
    if not refs:
        yield NotAsked("no gateway is on")
        return
    planned = templates_of(context.manifest)
    running = {ref: found["spec"]["template"] for ref in refs if (found := context.api.get(path_of(ref)))}
    yield from judged(wanted, {ref: planned[ref] for ref in refs}, running)


def judged(
    wanted: Gateways, planned: Mapping[ObjectRef, Mapping[str, Any]], running: Mapping[ObjectRef, Mapping[str, Any]]
) -> Iterator[Verdict]:
    """Of pod templates: what the plan has wrong is the environment's, what only runs is mended by an install."""
    for ref, template in planned.items():
        faults = _faults(wanted, template)
        now = _faults(wanted, running[ref]) if ref in running else ()
        for fault in faults:
            yield Fault(f"in the plan, {ref.name} {fault}", _OVERLAY)
        for fault in now:
            if fault not in faults:
                yield Fault(f"as it runs now, {ref.name} {fault}", _INSTALL)
        if not faults and not now:
            yield _good(ref, PodEnding.of(template))


def _faults(wanted: Gateways, template: Mapping[str, Any]) -> Sequence[str]:
    return tuple(PodEnding.of(template).faults(wanted.longest_request_seconds, wanted.load_balancer_delay_seconds))


def _good(ref: ObjectRef, ending: PodEnding) -> Good:
    if ending.served is None:
        return Good(f"{ref.name}: the length of its preStop hook is not known")
    takes, serves = f"{ending.pre_stop:.0f} s", f"{ending.served:.0f} s"
    return Good(f"a pod of {ref.name} that ends takes connections for {takes}, then serves what is open for {serves}")

"""Checks of what everything else stands on: the environment, the API server, the plan, istioctl, the lock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from sohistio.adapters.kubernetes.hold import LEASE_SECONDS
from sohistio.adapters.kubernetes.holder import has_certainly_ended
from sohistio.adapters.kubernetes.lease import holder_of
from sohistio.checks.preflight.check import Good, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.environments.support import gateway_api_limits, kubernetes_support
from sohistio.errors import SohistioError
from sohistio.model.fault import Fault, Severity
from sohistio.model.mode import Mode
from sohistio.model.versions import Version
from sohistio.modes.skew import old_proxies, skew_faults
from sohistio.plan.steps import UninstallIstio
from sohistio.system.machine import has_ended

# A run makes some hundreds of requests one after the other: at this distance they alone take minutes.
SLOW_SECONDS = 0.3
_PINGS = 5


def _of(error: SohistioError) -> Fault:
    return Fault(error.what, error.todo, details=error.details)


def environment(context: Context) -> Iterator[Verdict]:
    """Its files are valid, and every variable in them is set."""
    if context.stops.environment is not None:
        yield _of(context.stops.environment)
    else:
        found = context.environment
        yield Good(f"{found.name}: Istio {context.session.version} from {found.istio.hub}")


def api_server(context: Context) -> Iterator[Verdict]:
    """It answers, may be read, and is near enough."""
    if context.stops.server is not None:
        yield _of(context.stops.server)
        return
    api = context.api
    taken = []
    for _ in range(_PINGS):
        begun = time.monotonic()
        api.request("GET", "/version")
        taken.append(time.monotonic() - begun)
    yield distance(api.server, median(taken), context.state.kubernetes_version)


def distance(server: str, seconds: float, version: str) -> Verdict:
    """What an answer takes, judged."""
    answer = f"{server} (Kubernetes {version}) answers in {seconds * 1000:.0f} ms"
    if seconds <= SLOW_SECONDS:
        return Good(answer)
    hint = "Run it from nearer (the cluster's region), or give it time with --timeout: every step waits for answers."
    return Fault(f"{answer}, more than {SLOW_SECONDS * 1000:.0f} ms", hint, Severity.WARNING)


def plan(context: Context) -> Iterator[Verdict]:
    """What an install would do can be planned, and is not refused for another reason than versions."""
    if context.stops.plan is not None:
        yield _of(context.stops.plan)
        return
    planned = context.planned
    found = planned.plan
    # A refusal by versions names the rule: it is a check of its own.
    by_versions = any(found.refusal.startswith(f"{fault.rule}: ") for fault in planned.skew)
    if found.refusal and not by_versions:
        reasons = found.reasons if found.mode is Mode.UNKNOWN else ()
        yield Fault(found.refusal, planned.refused.todo, details=reasons)
    elif not found.changes_pending and not found.refusal:
        yield Good(f"Istio {found.installed_version} is in place, nothing to do")
    else:
        came = f"from {found.installed_version} " if found.installed_version else ""
        yield Good(f"{found.mode.value} {came}to {found.target_version}: {found.changes.summary()}")


def skew(context: Context, name: str, fine: str) -> Iterator[Verdict]:
    """One rule of the version policy, by its name; `fine` is what is said where nothing violates it.

    Where nothing is to be done no run is refused, so an installed version that is unsupported by now, or running
    sidecars that are too old for it, are a warning.
    """
    planned, state = context.planned, context.state
    faults, severity = planned.skew, None
    target = planned.plan.target_version
    if planned.plan.mode is Mode.NONE:
        support, limits = kubernetes_support(context.session.root), gateway_api_limits(context.session.root)
        version = Version.parse(target)
        faults = skew_faults(state, version, (version,), support, in_place=True, limits=limits)
        severity = Severity.WARNING
    if name == "proxy-skew" and planned.plan.installed_version == target:
        faults = tuple(old_proxies(state, Version.parse(target)))
        severity = Severity.WARNING  # their istiod is there already, and a run restarts them
    found = [fault for fault in faults if fault.rule == name]
    for fault in found:
        yield replace(fault, severity=severity)
    if not found:
        yield Good(fine.format(target=target, kubernetes=state.kubernetes_version))


def istioctl(context: Context) -> Iterator[Verdict]:
    """istioctl of every version that the plan needs is there, or can be had."""
    if context.stops.istioctl is not None:
        yield _of(context.stops.istioctl)
        return
    versions = [context.istioctl.version]
    if context.plan is not None:
        steps = context.plan.plan.steps
        versions += [step.version for step in steps if isinstance(step, UninstallIstio)]
    for version in versions:
        context.session.istioctl(version)
    yield Good(f"{' and '.join(map(str, versions))} is here")


def lock(context: Context) -> Iterator[Verdict]:
    """No other run is at work."""
    holder = holder_of(context.api)
    if holder is None:
        yield Good("free")
        return
    now = datetime.now(UTC)
    # Clocks differ, so this is a guess; a run itself watches the Lease instead, and waits for as long as that takes.
    silent = (now - holder.renewed).total_seconds() > 4 * LEASE_SECONDS
    held = f"held by {holder.line(now)}"
    if has_certainly_ended(holder, has_ended):
        yield Fault(f"{held}: its process has ended", "The next run takes the lock at once.", Severity.WARNING)
    elif silent:
        yield Fault(
            f"{held}: that run seems to be dead", "The next run waits until the lock expires.", Severity.WARNING
        )
    else:
        yield Fault(held)

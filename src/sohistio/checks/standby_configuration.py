"""Whether a standby has what the other side has: the mesh's configuration, and the certificates of its Gateways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sohistio.adapters.kubernetes.custom_resources import resource_ref
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context, Sides
from sohistio.errors import SohistioError
from sohistio.failover.readiness import certificate_fault
from sohistio.model.fault import Fault
from sohistio.model.gateway_secrets import secrets_named
from sohistio.planning.sync import plan_sync
from sohistio.planning.sync_reads import Seen
from sohistio.sync.differences import Subject
from sohistio.sync.report import Comparison
from sohistio.system.certificates import certificate_of
from sohistio.system.parallel import side_by_side, within

_SECONDS = 20.0
"""For the comparison: a side that traffic leaves may have died meanwhile, and stops nothing."""
# They have checks of their own.
_NOT_HERE = frozenset({Subject.VERSION, Subject.CERTIFICATE, Subject.TRUST_ROOT})


def certificates(context: Context, sides: Sides) -> Iterator[Verdict]:
    """Those that Gateways name are there, where the gateways' pods look for them, and last a while."""
    objects = {resource_ref(item): item for item in context.custom_resources()}
    meshes = sides.observed.states[sides.pair.standby.environment.name].mesh_deployments
    secrets = secrets_named(objects, meshes)
    if not secrets:
        yield NotAsked("no Gateway names a TLS Secret")
        return
    found = map(certificate_of, side_by_side(lambda ref: context.api.get(path_of(ref)), secrets))
    days = [leaf.days_left if leaf else None for leaf in found]
    judged = (certificate_fault(f"{ref.namespace}/{ref.name}", left) for ref, left in zip(secrets, days, strict=True))
    faults: list[Verdict] = [fault for fault in judged if fault]
    yield from faults or [Good(", ".join(f"{ref.namespace}/{ref.name}" for ref in secrets))]


def configuration(context: Context, sides: Sides) -> Iterator[Verdict]:
    """As the side that it stands by for has it, by the comparison of `sohistio sync`; not asked where that is away."""
    primary, standby = (session.environment.name for session in (sides.pair.primary, sides.pair.standby))
    if not sides.observed.world.primary.is_reachable:
        yield NotAsked(f"{primary} cannot be read")
        return
    found = within(_SECONDS, lambda: _compared(context, sides), None)
    if found is None:
        yield NotAsked(f"{primary} did not answer within {_SECONDS:.0f} s")
    elif isinstance(found, SohistioError):
        yield NotAsked(f"it could not be compared: {found.what}")
    elif words := _differing(found):
        hint = f"`sohistio sync --from {primary} --to {standby}` shows them, and applies what can be applied."
        yield Fault(f"{standby} is not as {primary}: {words}", hint)
    else:
        yield Good(f"{found.compared} objects and the files are as {primary} has them")


def _compared(context: Context, sides: Sides) -> Comparison | SohistioError:
    pair = sides.pair
    seen = {name: Seen(state) for name, state in sides.observed.states.items()}
    standby = pair.standby.environment.name
    if context.seen is not None:
        seen[standby] = replace(seen[standby], resources=context.custom_resources)
    try:
        return plan_sync(pair.primary, pair.standby, seen=seen).comparison
    except SohistioError as error:
        return error


def _differing(found: Comparison) -> str:
    """What differs, in short; empty for nothing."""
    others = [item for item in found.differences if item.counts and item.subject not in _NOT_HERE]
    parts = [found.changes.summary()] if found.changes else []
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        parts.append(f"{others[0].what}{more}")
    return "; ".join(parts)

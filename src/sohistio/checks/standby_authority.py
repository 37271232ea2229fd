"""Whether a standby's mesh has the root of the side that it stands by for: who trusts the one trusts the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.adapters.kubernetes.authority import read_published_roots
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Sides
from sohistio.errors import SohistioError
from sohistio.failover.readiness import root_fault
from sohistio.model.authority import AuthorityCertificate
from sohistio.planning.session import Session
from sohistio.system.parallel import side_by_side, within

_SECONDS = 20.0
"""For both: a side that traffic leaves may have died meanwhile, and stops nothing."""


def same_root(sides: Sides) -> Iterator[Verdict]:
    """An error where both environments declare a CA; else a warning: each istiod makes a root of its own."""
    pair = sides.pair
    if not sides.observed.world.primary.is_reachable:
        yield NotAsked(f"{pair.primary.environment.name} cannot be read")
        return
    sessions = (pair.primary, pair.standby)
    names = [session.environment.name for session in sessions]
    found = within(_SECONDS, lambda: _published(sessions), None)
    if found is None or isinstance(found, SohistioError):
        why = found.what if found else f"no answer within {_SECONDS:.0f} s"
        yield NotAsked(f"the roots of {' and '.join(names)} could not be compared: {why}")
        return
    roots = [{item.fingerprint for item in one} for one in found]
    if missing := [name for name, one in zip(names, roots, strict=True) if not one]:
        yield NotAsked(f"{' and '.join(missing)} publishes no root yet")
    else:
        both = all(session.environment.mesh_policy().authority for session in sessions)
        yield root_fault(names, roots, both_declare=both) or Good(
            f"both have the root {min(roots[0] & roots[1])[:16]}…"
        )


def _published(sessions: Sequence[Session]) -> list[tuple[AuthorityCertificate, ...]] | SohistioError:
    try:
        return list(side_by_side(lambda session: read_published_roots(session.api), sessions))
    except SohistioError as error:
        return error

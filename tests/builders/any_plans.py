"""Strategies: the plan of any cluster, as planning makes it of what it has read."""

from __future__ import annotations

from hypothesis import strategies as st

from any_clusters import CHANGES, CLUSTERS, RUNS, TARGETS, VIA, mesh_of
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.model.standby import StandbyRule
from sohistio.model.state import ClusterState
from sohistio.modes.adopt import Adoption
from sohistio.modes.decide import Asked, Decision, decide
from sohistio.modes.install_plan import Facts, InstallPlan, PullSecretFacts, Request, SupportTables, plan_of
from sohistio.modes.namespaces import NamespaceLabels
from sohistio.modes.skew import RULES
from sohistio.plan.changes import Changes
from sohistio.plan.plan import Plan

SUPPORT = {f"1.{minor}": (30, 36) for minor in range(28, 33)}
MODES = st.sampled_from([None, None, None, Mode.INSTALL, Mode.UPGRADE, Mode.REINSTALL])
ASKED = st.builds(Asked, TARGETS, MODES, VIA, st.booleans())
SKIPPED = st.one_of(*[st.just(frozenset(RULES))] * 2, st.frozensets(st.sampled_from(RULES)))
ANY = (CLUSTERS, ASKED, CHANGES, RUNS, SKIPPED)


def planned(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None, skipped: frozenset[str]
) -> tuple[Decision, InstallPlan]:
    """As planning does it; skipping what nothing skips is refused before."""
    decision = decide(seen, asked, changes, last)
    facts = Facts(
        environment="qa",
        target=asked.target,
        state=seen,
        decision=decision,
        adoption=Adoption(),
        rule=StandbyRule(off=False),
        labels=NamespaceLabels(),
        pull_secrets=PullSecretFacts(),
        meshes=tuple(map(mesh_of, decision.hops)),
        changes=changes,
        tables=SupportTables(SUPPORT, {}),
    )
    allowed = skipped - {"one-minor-at-a-time"}
    return decision, plan_of(facts, Request(asked.mode, asked.via, allowed, asked.include_ca))


PLANS: st.SearchStrategy[Plan] = st.builds(planned, *ANY).map(lambda found: found[1].plan)

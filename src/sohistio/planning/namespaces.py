"""Plans `sohistio namespaces apply`: istio-system, injection labels and pull Secrets, and nothing else."""

from __future__ import annotations

from functools import partial

from sohistio.adapters.kubernetes.observe import observe
from sohistio.modes.decide import unmanageable
from sohistio.modes.namespaces import labels_of
from sohistio.modes.namespaces_plan import NamespaceFacts, is_missing, namespaces_plan
from sohistio.modes.planner import Subject
from sohistio.planning.planned import Planned, Refused
from sohistio.planning.pull_secrets import PullSecrets, look_at_pull_secrets
from sohistio.planning.reads import recorded, unreadable
from sohistio.planning.session import Session


def plan_namespaces(session: Session, *, add_only: bool = False, was_missing: bool = False) -> Planned:
    """Look at the cluster and plan. Writes nothing, and needs no istioctl. Raises RefusedError.

    With `add_only` what takes something away, or has to wait for istiod, is left to an install.
    `was_missing` where istio-system was not there when the command first looked: the lock has made it by now.
    """
    environment = session.environment
    state = observe(session.api)
    if state.unreadable:
        raise unreadable(state)
    record = recorded(session)
    labels = labels_of(state, environment.application_namespaces)
    # In somebody else's mesh no Secret is even looked at.
    pull = PullSecrets() if unmanageable(state) else look_at_pull_secrets(session, state, labels)
    was_missing = was_missing or is_missing(state)
    listed = tuple(environment.application_namespaces)
    facts = NamespaceFacts(listed, labels, pull.seen, pull.notices, was_missing, add_only)
    found = namespaces_plan(Subject(environment.name, "", state), facts)
    return Planned(
        session,
        found.plan,
        state,
        partial(plan_namespaces, session, add_only=add_only, was_missing=was_missing),
        record,
        refused=Refused(found.todo, found.details),
        pull_secrets=pull.ready,
    )

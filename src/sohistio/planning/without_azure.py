"""What is left where Azure does not answer: the person's own kubeconfig, named as a command, never taken silently."""

from __future__ import annotations

import os
import shlex

from sohistio.adapters.kubernetes.known_contexts import contexts_of
from sohistio.errors import SohistioError
from sohistio.planning.cluster_identity import IDENTITY
from sohistio.planning.session import Session

_MOST = 2


def without_azure(session: Session) -> str:
    """The commands that move traffic to this environment without a login at Azure; empty where it needs none.

    Also empty once the cluster's API is at hand: then it is not Azure that is missing.
    """
    aks, by_hand = session.environment.cluster.aks, session.where.kubeconfig or session.where.context
    if aks is None or by_hand or "api" in vars(session):
        return ""
    try:
        place = aks.place()
    except SohistioError:
        return ""
    name = session.environment.name
    command = f"sohistio {'failover' if session.environment.is_standby else 'failback'} --to {name}"
    known = contexts_of(place.resource_group, place.name, os.environ)[:_MOST]
    if not known:
        given = f'`{command} --kubeconfig FILE --context NAME --accept {IDENTITY} --because "…"`'
        return f"Without Azure, with a kubeconfig of {place.name} that you have: {given}."
    words = []
    for item in known:
        given = f"--kubeconfig {shlex.quote(str(item.file))} --context {shlex.quote(item.context)}"
        entra = " (it asks Entra for a token)" if item.asks_entra else ""
        words.append(
            f"if {item.server} is the API server of {name}{entra}: "
            f'`{command} {given} --accept {IDENTITY} --because "…"`.'
        )
    return f"Without Azure, {' Or '.join(words)}"

"""What a check of an environment begins with: its files, its cluster, istioctl, the plan; as far as it goes."""

from __future__ import annotations

from dataclasses import replace

from sohistio.adapters.kubernetes.observe import observe
from sohistio.checks.preflight.context import Context, Stops
from sohistio.environments.load import environment_names
from sohistio.errors import SohistioError, UsageError
from sohistio.model.fault import NEVER_SKIPPED
from sohistio.modes.install_plan import Request
from sohistio.modes.skew import RULES
from sohistio.planning.install import plan_install
from sohistio.planning.planned import Planned
from sohistio.planning.reads import unreadable
from sohistio.planning.session import Session


def context_of(session: Session, request: Request) -> Context:
    """Look and plan as an install would, and keep what goes wrong for the check that it belongs to.

    Version problems do not keep the plan from being made: they are checks of their own. Raises UsageError for an
    environment that does not exist: that is the command line's fault.
    """
    if session.where.environment not in environment_names(session.root):
        _ = session.environment  # says what is wrong with the name
    stops = Stops()
    try:
        _ = session.environment
    except UsageError as error:
        stops = replace(stops, environment=error)
    else:
        try:
            session.istioctl(session.version)
        except SohistioError as error:
            stops = replace(stops, istioctl=error)
        else:
            request = replace(request, skip_checks=request.skip_checks | (frozenset(RULES) - NEVER_SKIPPED))
            return _planned(session, request, stops)
    return _only_seen(session, stops)


def context_of_plan(planned: Planned) -> Context:
    """Of a plan that has been made: nothing is looked at twice."""
    return Context(planned.session, planned.state, planned)


def _planned(session: Session, request: Request, stops: Stops) -> Context:
    try:
        planned = plan_install(session, request)
    except SohistioError as error:
        return _only_seen(session, replace(stops, plan=error))
    if planned.state.unreadable:
        return Context(session, None, None, replace(stops, server=unreadable(planned.state)))
    return Context(session, planned.state, planned, stops)


def _only_seen(session: Session, stops: Stops) -> Context:
    """Without a plan, most of the cluster can be looked at all the same."""
    try:
        state = observe(session.api)
    except SohistioError as error:
        # Which cluster it is says the environment, where --context does not: then there is nothing more to tell.
        known = stops.environment is not None and error.what == stops.environment.what
        return Context(session, None, None, stops if known else replace(stops, server=error))
    if state.unreadable:
        return Context(session, None, None, replace(stops, server=unreadable(state)))
    return Context(session, state, None, stops)

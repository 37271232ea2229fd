"""Whether the gateways of an environment are to be off, from its record, the DNS record and what serves."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from sohistio.environments.load import Environment, standbys_of
from sohistio.errors import SohistioError
from sohistio.failover.standby import rule_of_primary, rule_of_standby
from sohistio.model.record import Record
from sohistio.model.standby import StandbyRule
from sohistio.model.state import ClusterState
from sohistio.planning.session import Session

_DNS_SECONDS = 2.0
"""For each name server: an install does not wait for one that is away."""


def standby_rule(session: Session, state: ClusterState, record: Record | None) -> StandbyRule:
    """The rule for this environment now. A name server that does not answer says nothing, and stops nothing."""
    environment = session.environment
    expected = {item.deployment for item in environment.gateways}
    gateways = [item for item in state.mesh_deployments if item.ref in expected]
    mark = record.failover if record else None
    if environment.is_standby:
        said = _named(session, environment, state)
        return replace(rule_of_standby(environment.name, mark, gateways, said.name), dns_silent=said.silent)
    standby = standby_of(session)
    if standby is None:
        return StandbyRule(False)
    said = _named(session, standby, state)
    return replace(rule_of_primary(environment.name, mark, gateways, said.name), dns_silent=said.silent)


def dns_leads_here(session: Session, state: ClusterState) -> bool:
    """Whether the DNS record that a failover switches leads to this standby; False where nobody says."""
    environment = session.environment
    return environment.is_standby and _named(session, environment, state).name == environment.name


def standby_of(session: Session) -> Environment | None:
    """The environment that stands by for this one; None where there is none, or where its files are not valid."""
    return next(standbys_of(session.environment.name, session.root, os.environ), None)


@dataclass(frozen=True, slots=True)
class _Named:
    """The environment that the DNS record leads to, empty where that is another's or not known.

    `silent` is why DNS could not be asked, empty where it could.
    """

    name: str = ""
    silent: str = ""


def _named(session: Session, standby: Environment, state: ClusterState) -> _Named:
    """Where the DNS record leads, as far as this cluster and the standby's files know its address."""
    if standby.failover is None:
        return _Named()
    from sohistio.adapters.dns.resolve import resolve_agreed

    dns = standby.failover.settings(session.root / standby.name).dns
    try:
        found = resolve_agreed(dns.record, dns.servers, _DNS_SECONDS).addresses
    except SohistioError as error:
        return _Named(silent=error.what)
    own = {address for service in state.gateway_services for address in service.addresses}
    if set(found) & {*own, session.environment.ingress_address}:
        return _Named(session.environment.name)
    return _Named(standby.name if found and found == (standby.ingress_address,) else "")

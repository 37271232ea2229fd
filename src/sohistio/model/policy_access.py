"""Who may call what: tokens, hosts of the ingress gateway, workloads. Plain data; empty tuples match everything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JwtIssuer:
    """Whose tokens the ingress gateway accepts; the keys by `jwks_uri` or inline in `jwks` (JSON), one of the two."""

    issuer: str
    audiences: tuple[str, ...]
    jwks_uri: str = ""
    jwks: str = ""
    forward: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """What is called: paths (`/api/*`) and methods."""

    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostRule:
    """A request to a host that is let in. It needs a valid token unless `anonymous`.

    `principals` are `issuer/subject` of tokens; `claims` are names with the values that are accepted. `addresses` are
    where it may come from (CIDR): what the gateway sees, which is the client only with externalTrafficPolicy Local.
    """

    operation: Operation = Operation()
    anonymous: bool = False
    principals: tuple[str, ...] = ()
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostAccess:
    """Hosts of the ingress gateway that are closed but for what a rule lets in."""

    hosts: tuple[str, ...]
    allow: tuple[HostRule, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadRule:
    """A call within the mesh that is let in: from any of these, to these operations and ports.

    `service_accounts` are `namespace/name`; `principals` are SPIFFE ids without `spiffe://`.
    """

    namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    operation: Operation = Operation()
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadAccess:
    """Workloads that are closed but for what a rule lets in: those of a namespace, or with these labels in it."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    allow: tuple[WorkloadRule, ...] = ()

"""Who may call what: tokens and rules at the ingress gateway, rules by mTLS identity within the mesh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sohistio.model.policy import GatewayPlace, Policy
from sohistio.model.policy_access import HostRule, JwtIssuer, Operation, WorkloadAccess, WorkloadRule
from sohistio.policy.objects import DRY_RUN, ROOT, Object, made, selector, short_digest, slug, without_empty


def request_authentications(policy: Policy) -> Iterator[Object]:
    """Whose tokens the ingress gateway accepts: a token that is expired or forged is refused with 401.

    None in stage audit: Istio cannot dry-run it.
    """
    if policy.jwt and not policy.is_audit:
        rules = [_jwt_rule(issuer) for issuer in policy.jwt]
        for name, gateway in _named("ingress-jwt", policy):
            yield made("RequestAuthentication", ROOT, name, {"selector": selector(gateway), "jwtRules": rules})


def authorization_policies(policy: Policy) -> Iterator[Object]:
    """Rules of hosts and of workloads; in stage audit Istio evaluates them without refusing anything."""
    found = [*_of_hosts(policy), *(_of_workload(access) for access in policy.workloads)]
    for obj in found:
        if policy.is_audit:
            obj["metadata"]["annotations"] = {DRY_RUN: "true"}
        yield obj


def _jwt_rule(issuer: JwtIssuer) -> Object:
    """By the Authorization header alone: Istio's default also takes a token from the query, which ends up in logs."""
    return without_empty(
        issuer=issuer.issuer,
        fromHeaders=[{"name": "Authorization", "prefix": "Bearer "}],
        audiences=list(issuer.audiences),
        jwksUri=issuer.jwks_uri,
        jwks=issuer.jwks,
        forwardOriginalToken=issuer.forward,
    )


def _of_hosts(policy: Policy) -> Iterator[Object]:
    """One ALLOW policy: with it the gateway refuses what no rule lets in, so its first rule lets all other hosts in."""
    if not policy.hosts:
        return
    closed = [name for access in policy.hosts for host in access.hosts for name in _with_ports(host)]
    rules = [{"to": [{"operation": {"notHosts": sorted(closed)}}]}]
    for access in policy.hosts:
        hosts = [name for host in access.hosts for name in _with_ports(host)]
        rules += [_host_rule(hosts, rule) for rule in access.allow]
    for name, gateway in _named("ingress-hosts", policy):
        spec = {"selector": selector(gateway), "action": "ALLOW", "rules": rules}
        yield made("AuthorizationPolicy", ROOT, name, spec)


def _named(name: str, policy: Policy) -> Iterator[tuple[str, GatewayPlace]]:
    """The first gateway's object has the name itself, each further one's its gateway's, too."""
    first, *others = policy.guarded_gateways
    yield name, first
    yield from ((f"{name}-{gateway.name}", gateway) for gateway in others)


def _with_ports(host: str) -> tuple[str, ...]:
    """As clients may write it in the Host header: gateways ignore a port when they route, authorization does not.

    A name with a final dot is the same name; where a wildcard serves the host, it is routed as well.
    """
    return host, f"{host}:*", f"{host}.", f"{host}.:*"


def _host_rule(hosts: list[str], rule: HostRule) -> Object:
    principals = list(rule.principals) or ([] if rule.anonymous else ["*"])
    conditions = [{"key": f"request.auth.claims[{name}]", "values": list(values)} for name, values in rule.claims]
    source = without_empty(requestPrincipals=principals, ipBlocks=list(rule.addresses))
    return without_empty(
        **{"from": [{"source": source}] if source else []},
        to=[{"operation": {"hosts": hosts} | _operation(rule.operation)}],
        when=conditions,
    )


def _of_workload(access: WorkloadAccess) -> Object:
    labels = dict(access.labels)
    name = "access"
    if labels:
        digest = short_digest(*(part for label in access.labels for part in label))
        name = "-".join(filter(None, (name, *(slug(value) for value in labels.values()), digest)))
    spec: dict[str, Any] = {"action": "ALLOW"}
    if labels:
        spec["selector"] = {"matchLabels": labels}
    if rules := [_workload_rule(rule) for rule in access.allow]:
        spec["rules"] = rules  # none: nobody is let in
    return made("AuthorizationPolicy", access.namespace, name, spec)


def _workload_rule(rule: WorkloadRule) -> Object:
    sources = [
        without_empty(namespaces=list(rule.namespaces)),
        without_empty(serviceAccounts=list(rule.service_accounts)),
        without_empty(principals=list(rule.principals)),
    ]
    operation = _operation(rule.operation) | without_empty(ports=[str(port) for port in rule.ports])
    return without_empty(
        **{"from": [{"source": source} for source in sources if source]},
        to=[{"operation": operation}] if operation else [],
    )


def _operation(operation: Operation) -> Object:
    return without_empty(paths=list(operation.paths), methods=list(operation.methods))

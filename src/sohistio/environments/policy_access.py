"""Keys of `policy` about who may call what: jwt, hosts, workloads."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.failover import Host
from sohistio.environments.values import MeshNamespace, Name, Part, Port, Text, matching, once
from sohistio.model.policy_access import HostAccess, HostRule, JwtIssuer, Operation, WorkloadAccess, WorkloadRule

_METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
_CLAIM = re.compile(r"[A-Za-z0-9_.:/-]+(\]\[[A-Za-z0-9_.:/-]+)*")
_NAMED = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*")
_EMAIL = re.compile(r"[^@\s/:]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LABEL = re.compile(r"([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
# The private part of keys of each kind (RFC 7518, section 6).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


# As Istio matches: exact, prefix (`/a/*`), suffix (`*/b`), or anything (`*`).
_path = matching(r"\*|/[^*?#\s]*\*?|\*[^*?#\s]+", "a path such as /api, /api/* or */health, with one * at most")
_service_account = matching(
    r"[a-z0-9]([a-z0-9-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?",
    "namespace/name of a ServiceAccount, such as shop/checkout",
)
_principal = matching(
    r"[A-Za-z0-9.-]+/ns/[a-z0-9-]+/sa/[a-z0-9.-]+",
    "a principal such as cluster.local/ns/shop/sa/checkout, without spiffe://",
)


def _method(value: str) -> str:
    if value not in _METHODS:
        raise ValueError(f"expected one of {', '.join(_METHODS)}")
    return value


def _is_https(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and not re.search(r"\s", value)


def _keys_url(value: str) -> str:
    """istiod fetches it. A number or an IPv6 address is another way to write what it must not ask (169.254.169.254)."""
    if not _is_https(value) or not _NAMED.fullmatch(urlsplit(value).hostname or ""):
        raise ValueError("expected an https URL with a full host name, such as https://login.example.com/keys")
    return value


def _issuer(value: str) -> str:
    if not _is_https(value) and not _EMAIL.fullmatch(value):
        raise ValueError("expected an https URL or an e-mail address, as tokens have it in iss")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that is there twice, one reader takes the first and another the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _jwks_problem(value: str) -> str:
    """What is wrong with a key set, never with its content: it may hold a private key by mistake."""
    try:
        found = json.loads(value, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return 'expected a JSON Web Key Set as JSON in jwks: {"keys": […]}'
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) and "kty" in key for key in keys):
        return 'expected a JSON Web Key Set as JSON in jwks: {"keys": […]}, each key with its kty'
    if any(_PRIVATE & key.keys() for key in keys):
        return "expected public keys only in jwks: this one holds a private key"
    return ""


def _claims(values: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for name, accepted in values.items():
        if not _CLAIM.fullmatch(name):
            raise ValueError(f"expected names of claims such as groups, got {name!r}")
        if not accepted:
            raise ValueError(f"expected at least one value of the claim {name}")
    return values


def _labels(values: dict[str, str]) -> dict[str, str]:
    for name, value in values.items():
        if not _LABEL.fullmatch(name) or (value and not _LABEL.fullmatch(value)):
            raise ValueError(f"expected labels such as app: ledger, got {name}: {value}")
    return values


def at_least_one(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A validator: a list that is not empty."""
    if not values:
        raise ValueError("expected at least one")
    return values


ServiceAccount = Annotated[str, AfterValidator(_service_account)]
Paths = Annotated[tuple[Annotated[str, AfterValidator(_path)], ...], Field(strict=False), AfterValidator(once)]
Methods = Annotated[tuple[Annotated[str, AfterValidator(_method)], ...], Field(strict=False), AfterValidator(once)]
Names = Annotated[tuple[Name, ...], Field(strict=False), AfterValidator(once)]
ServiceAccounts = Annotated[tuple[ServiceAccount, ...], Field(strict=False), AfterValidator(once)]
Claims = Annotated[dict[str, Annotated[tuple[Text, ...], Field(strict=False)]], AfterValidator(_claims)]
Hosts = Annotated[tuple[Host, ...], Field(strict=False), AfterValidator(at_least_one), AfterValidator(once)]


class JwtKeys(Part):
    """An issuer of tokens."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(description="As tokens have it in iss")
    audiences: Annotated[tuple[Text, ...], Field(strict=False), AfterValidator(at_least_one), AfterValidator(once)] = (
        Field(description="A token must be for one of them (aud)")
    )
    jwks_uri: Annotated[str, AfterValidator(_keys_url)] | None = Field(None, description="Where its public keys are")
    jwks: str | None = Field(None, description="Or the public keys themselves, JSON")
    forward: bool = Field(False, description="Whether the token goes on to the service")

    @model_validator(mode="after")
    def _one_of_them(self) -> JwtKeys:
        if (self.jwks_uri is None) == (self.jwks is None):
            raise ValueError("expected one of jwksUri and jwks")
        # Not said of the one key: the message would show its value.
        if self.jwks is not None and (problem := _jwks_problem(self.jwks)):
            raise ValueError(problem)
        return self

    def issuer_data(self) -> JwtIssuer:
        """The same as plain data."""
        return JwtIssuer(self.issuer, self.audiences, self.jwks_uri or "", self.jwks or "", self.forward)


class HostRuleKeys(Part):
    """What is let in. Everything given must hold; without principals and claims any valid token does."""

    paths: Paths = ()
    methods: Methods = ()
    anonymous: bool = Field(False, description="Whether no token is needed")
    principals: Annotated[tuple[Text, ...], Field(strict=False), AfterValidator(once)] = Field(
        (), description="issuer/subject of tokens"
    )
    claims: Claims = Field({}, description="Claims of tokens, each with the values that are accepted")

    @model_validator(mode="after")
    def _fits(self) -> HostRuleKeys:
        if self.anonymous and (self.principals or self.claims):
            raise ValueError("expected no principals and claims beside anonymous: they are parts of a token")
        return self


class HostAccessKeys(Part):
    """Hosts that are closed but for what a rule lets in. No wildcards: a port in the Host header would pass them by."""

    hosts: Hosts
    allow: Annotated[tuple[HostRuleKeys, ...], Field(strict=False)] = ()

    def access(self) -> HostAccess:
        """The same as plain data."""
        return HostAccess(
            self.hosts,
            tuple(
                HostRule(
                    Operation(rule.paths, rule.methods), rule.anonymous, rule.principals, tuple(rule.claims.items())
                )
                for rule in self.allow
            ),
        )


class WorkloadRuleKeys(Part):
    """A call that is let in: from any of the callers, to these paths, methods and ports."""

    namespaces: Names = ()
    service_accounts: ServiceAccounts = ()
    principals: Annotated[
        tuple[Annotated[str, AfterValidator(_principal)], ...], Field(strict=False), AfterValidator(once)
    ] = ()
    paths: Paths = ()
    methods: Methods = ()
    ports: Annotated[tuple[Port, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _says_who(self) -> WorkloadRuleKeys:
        if not (self.namespaces or self.service_accounts or self.principals):
            raise ValueError("expected at least one of namespaces, serviceAccounts and principals")
        return self


class WorkloadAccessKeys(Part):
    """Workloads of a namespace, or those with these labels in it."""

    namespace: MeshNamespace
    labels: Annotated[dict[str, str], AfterValidator(_labels)] = Field({}, description="Only pods with all of these")
    allow: Annotated[tuple[WorkloadRuleKeys, ...], Field(strict=False)] = ()

    def access(self) -> WorkloadAccess:
        """The same as plain data."""
        return WorkloadAccess(
            self.namespace,
            tuple(sorted(self.labels.items())),
            tuple(
                WorkloadRule(
                    rule.namespaces,
                    rule.service_accounts,
                    rule.principals,
                    Operation(rule.paths, rule.methods),
                    rule.ports,
                )
                for rule in self.allow
            ),
        )

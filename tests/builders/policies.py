"""A policy with all of its parts, as plain data, and live objects to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sohistio.model.outside import OutsideProtocol, OutsideTls
from sohistio.model.policy import Mtls, Policy, Telemetry, Tracing
from sohistio.model.policy_access import HostAccess, HostRule, JwtIssuer, Operation, WorkloadAccess, WorkloadRule
from sohistio.model.policy_traffic import (
    Connections,
    Egress,
    ExternalHost,
    IngressHosts,
    NamespaceDefaults,
    OutlierDetection,
    RateLimit,
    Retries,
    Route,
)
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import ref_of
from sohistio.plan.ownership import POLICY_MANAGER

WHOLE = Policy(
    mtls=Mtls(permissive=("legacy",)),
    jwt=(JwtIssuer("https://login.example.com", ("shop",), jwks_uri="https://login.example.com/keys"),),
    hosts=(
        HostAccess(
            ("shop.example.com",),
            (
                HostRule(Operation(("/health",)), anonymous=True),
                HostRule(Operation(("/api/*",), ("GET",)), claims=(("groups", ("readers", "admins")),)),
                HostRule(principals=("https://login.example.com/alice",)),
            ),
        ),
        HostAccess(("closed.example.com",)),
    ),
    workloads=(
        WorkloadAccess(
            "payments",
            (("app", "ledger"),),
            (
                WorkloadRule(namespaces=("shop",), operation=Operation(("/api/*",), ("GET",)), ports=(8080,)),
                WorkloadRule(service_accounts=("shop/checkout",), principals=("cluster.local/ns/billing/sa/reports",)),
            ),
        ),
        WorkloadAccess("vault"),
    ),
    ingress=(
        IngressHosts(
            "shop",
            ("shop.example.com",),
            "shop-tls",
            (Route("/", "web", "shop", 80), Route("/api", "orders", "shop", 8000)),
        ),
    ),
    egress=Egress(
        hosts=(
            ExternalHost("api.example.com", 443, 80, OutsideProtocol.HTTP, OutsideTls.ORIGINATE, namespaces=("shop",)),
            ExternalHost(
                "pass.example.com", 443, 443, OutsideProtocol.HTTP, OutsideTls.PASSTHROUGH, namespaces=("shop",)
            ),
            ExternalHost(
                "db.example.com",
                5432,
                5432,
                OutsideProtocol.TCP,
                OutsideTls.ORIGINATE,
                service_accounts=("billing/reports",),
                addresses=("10.1.2.3",),
                ca_credential="db-ca",
            ),
            ExternalHost(
                "old.example.com", 8080, 8080, OutsideProtocol.HTTP, OutsideTls.NONE, namespaces=("billing", "shop")
            ),
        )
    ),
    defaults=(
        NamespaceDefaults(
            "shop",
            ("orders",),
            "leastRequest",
            Retries(2, 2, "5xx,reset"),
            10,
            OutlierDetection(5, 10, 30, 50),
            Connections(100, 10),
            RateLimit(100, 1),
        ),
    ),
    telemetry=Telemetry(access_log=True, tracing=Tracing("jaeger.observability", 4317, 1.0)),
)
NAMESPACES = ("billing", "istio-system", "legacy", "payments", "shop", "vault")


def live_of(objects: Sequence[dict[str, Any]], manager: str = POLICY_MANAGER) -> dict[ObjectRef, dict[str, Any]]:
    """The same objects as the cluster has them once they were applied."""
    return {ref_of(obj): _managed(obj, manager) for obj in objects}


def _managed(obj: Mapping[str, Any], manager: str) -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {}}}
    return {**obj, "metadata": {**obj["metadata"], "uid": "1", "managedFields": [entry]}}


def somebodys(kind: str, namespace: str, name: str, **spec: Any) -> dict[ObjectRef, dict[str, Any]]:
    """An object that people made by hand."""
    obj = {"apiVersion": "x/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    return live_of([obj], "kubectl-client-side-apply")

"""Builders for what a policy would meet in a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sohistio.model.fault import Fault, Severity
from sohistio.model.policy import Policy, Stage
from sohistio.plan.changes import ref_of
from sohistio.policy.lock_out import locked_out
from sohistio.policy.render import rendered
from sohistio.policy.running import running
from sohistio.policy.surroundings import Surroundings

Raw = dict[str, Any]


def pod_of(
    namespace: str,
    name: str,
    *,
    sidecar: bool = True,
    gateway: bool = False,
    account: str = "",
    env: Mapping[str, str] | None = None,
    args: Iterable[str] = (),
    owner: tuple[str, str] = ("", ""),
    annotations: Mapping[str, str] | None = None,
    phase: str = "Running",
) -> Raw:
    """A pod of Deployment `name`, labelled app=<name>; `owner` is another kind and name."""
    kind, owner_name = owner if owner[0] else ("ReplicaSet", f"{name}-5d4f8")
    container: Raw = {
        "name": "app",
        "image": "example/app:1",
        "args": list(args),
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
        "ports": [{"name": "http", "containerPort": 8080}],
    }
    proxy = {"name": "istio-proxy", "image": "istio/proxyv2:1", "args": ["proxy", "router" if gateway else "sidecar"]}
    labels = {"app": name, "pod-template-hash": "5d4f8"} | ({"istio": name.removeprefix("istio-")} if gateway else {})
    return {
        "metadata": {
            "namespace": namespace,
            "name": f"{owner_name}-abcde",
            "labels": labels,
            "annotations": dict(annotations or {}),
            "ownerReferences": [{"kind": kind, "name": owner_name, "controller": True, "uid": "1"}],
        },
        "spec": {
            "containers": [container, *([proxy] if sidecar or gateway else [])],
            "serviceAccountName": account or name,
        },
        "status": {"phase": phase},
    }


def service_of(namespace: str, name: str, kind: str = "ClusterIP", **spec: Any) -> Raw:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    found = {"selector": {"app": name}, "type": kind, "ports": ports, "clusterIP": "10.0.0.9"} | spec
    return {"metadata": {"namespace": namespace, "name": name}, "spec": found}


def istio(kind: str, namespace: str, name: str, since: str = "2026-01-01T00:00:00Z", **spec: Any) -> Raw:
    """A live object that people made."""
    metadata = {"namespace": namespace, "name": name, "creationTimestamp": since}
    return {"apiVersion": "x.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def around(policy: Policy, *pods: Raw, live: Iterable[Raw] = (), **more: Any) -> Surroundings:
    """Surroundings of a policy; `live` are Istio's objects. Namespaces of pods with a sidecar are injected."""
    injected = frozenset(pod["metadata"]["namespace"] for pod in pods if len(pod["spec"]["containers"]) > 1)
    return Surroundings(
        policy,
        **{
            "wanted": rendered(replace(policy, stage=Stage.ENFORCE), "qa").objects,
            "live": {ref_of(obj): obj for obj in live},
            "workloads": running(pods),
            "injected": injected,
        }
        | more,
    )


def found_in(seen: Surroundings) -> dict[str, str]:
    """The messages of what it would lock out, with their severities."""
    return {fault.message: (fault.severity or Severity.ERROR).value for fault in locked_out(seen)}


def messages(faults: Iterable[Fault]) -> list[str]:
    return [fault.message for fault in faults]

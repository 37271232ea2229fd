"""What a policy and the IstioOperator of its environment disagree about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.environments.mesh_settings import PLACES, has, mesh_settings
from sohistio.environments.messages import holder
from sohistio.environments.model import Environment
from sohistio.environments.monitoring_problems import monitoring_problems
from sohistio.environments.yaml_files import Document, Key, Problem
from sohistio.model.policy import Policy


def policy_problems(
    environment: Environment, files: Sequence[Document], operator_files: Sequence[Document]
) -> list[Problem]:
    """For an environment whose files are valid one by one: what both set, and what the policy lacks there."""
    policy = environment.mesh_policy()
    if policy == Policy():
        return []
    settings = mesh_settings(policy)
    problems = [
        file.problem(key, f"is set by {decided} in environment.yaml")
        for file in operator_files
        for place, decided in PLACES.items()
        if has(settings, ("spec", *place))
        for key in _written_as(place)
        if key in file.lines
    ]
    problems += [
        file.problem(key, "is not supported beside policy: its objects are the mesh's in istio-system")
        for file in operator_files
        for key in _written_as(("meshConfig", "rootNamespace"))
        if key in file.lines
    ]
    lacking = (*_lacking(environment), *monitoring_problems(environment))
    problems += [holder(key, files).problem(key, text) for key, text in lacking]
    return problems


def _written_as(place: Key) -> Iterator[Key]:
    """istioctl takes the mesh's configuration in three places, and values in two."""
    yield ("spec", *place)
    if place[0] == "meshConfig":
        yield ("spec", "values", *place)
        yield ("spec", "unvalidatedValues", *place)
    else:
        yield ("spec", "unvalidatedValues", *place[1:])


def _lacking(environment: Environment) -> Iterator[tuple[Key, str]]:
    policy, kinds = environment.mesh_policy(), {gateway.kind for gateway in environment.gateways}
    if policy.egress and policy.egress.hosts and "egress" not in kinds:
        yield (
            ("policy", "egress", "hosts"),
            "expected an egress gateway in istiooperator.yaml: calls of these hosts go through it",
        )
    keys = environment.policy
    for name in ("jwt", "hosts", "ingress"):
        if keys and getattr(keys, name) and "ingress" not in kinds:
            yield ("policy", name), "expected an ingress gateway in istiooperator.yaml: this is about what it serves"

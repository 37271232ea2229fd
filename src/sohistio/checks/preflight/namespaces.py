"""Checks of namespaces: applications' and the system's, and the pull secret in each that needs it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.environments.values import SYSTEM_NAMESPACES
from sohistio.model.fault import Fault, Severity
from sohistio.model.pull_secrets import logs_in
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObservedNamespace
from sohistio.modes.namespaces import labels_of
from sohistio.plan.namespace_steps import WritePullSecrets
from sohistio.planning.planned import Planned

_TYPE = "kubernetes.io/dockerconfigjson"
_KEY = ".dockerconfigjson"


def application_namespaces(context: Context) -> Iterator[Verdict]:
    """The environment's namespaces exist and are labelled for injection."""
    names, seen = context.environment.application_namespaces, context.state.namespaces
    yield from applications(names, seen, labels_of(context.state, names).to_label)


def applications(
    names: Iterable[str], seen: Sequence[ObservedNamespace], to_label: Collection[str]
) -> Iterator[Verdict]:
    """One fault for each namespace that is not as the environment has it, and will not be after an install."""
    known = {item.name: item for item in seen}
    good = []
    for name in names:
        item = known.get(name)
        if item is None:
            yield Fault(f"{name} does not exist")
        elif item.ending:
            yield Fault(f"{name} is being deleted")
        elif name in to_label:
            yield Good(f"{name} is there, and is labelled by the install")
        elif not item.injected:
            has = f"istio-injection={item.injection}" if item.injection else "no label"
            yield Fault(f"{name} is not labelled istio-injection=enabled (it has {has})")
        else:
            good.append(name)
    if good:
        yield Good(f"labelled: {', '.join(good)}")


def system_namespaces(context: Context) -> Iterator[Verdict]:
    """No namespace of the system is injected."""
    yield from systems(context.state.namespaces)


def systems(seen: Sequence[ObservedNamespace]) -> Iterator[Verdict]:
    """One fault for each that is labelled."""
    labelled = [item for item in seen if item.name in SYSTEM_NAMESPACES and _would_inject(item)]
    for item in labelled:
        label = "istio-injection=enabled" if item.injection else f"istio.io/rev={item.revision}"
        hint = f"kubectl label namespace {item.name} {label.partition('=')[0]}-"
        yield Fault(f"{item.name} is labelled {label}", hint)
    if not labelled:
        looked = sorted(item.name for item in seen if item.name in SYSTEM_NAMESPACES)
        yield Good(f"none is labelled: {', '.join(looked)}")


def _would_inject(item: ObservedNamespace) -> bool:
    """By this mesh, or by another revision of Istio. Some of them istiod passes by: the label is wrong all the same."""
    return item.injection == "enabled" or (item.injection is None and bool(item.revision))


def pull_secret(context: Context) -> Iterator[Verdict]:
    """The Secret to pull images with is in istio-system, and in every namespace of a gateway or of injected pods."""
    istio = context.environment.istio
    if istio.pull_secret is None:
        yield NotAsked("the environment has no istio.pullSecret")
        return
    listed = context.environment.application_namespaces
    namespaces = pull_secret_places(context.state, listed, [item.namespace for item in context.environment.gateways])
    if istio.pull_secret_source is not None:
        written = yield from _written(context.planned)
        namespaces = [name for name in namespaces if name not in written]
        if not namespaces:
            return
    elif ISTIO_NAMESPACE not in namespaces:
        hint = f"Make the namespace and the Secret first, or images of {istio.hub} are pulled without credentials."
        missing = f"{ISTIO_NAMESPACE} does not exist yet, so Secret {istio.pull_secret} is not in it"
        yield Fault(missing, hint, Severity.WARNING)
    try:
        secrets = secrets_named(context.api, istio.pull_secret, namespaces)
    except KubeError as error:
        if error.status != 403:
            raise
        yield Fault("not looked at: you lack permission to read Secrets", "", Severity.WARNING, error.details)
        return
    # A real environment that is tried on a sandbox lacks its Secret there, and no image is pulled.
    tried = context.session.sandbox is not None and context.environment.cluster.sandbox is None
    for verdict in pull_secrets(istio.pull_secret, (istio.hub, *istio.pull_secret_registries), namespaces, secrets):
        yield replace(verdict, severity=Severity.WARNING) if tried and isinstance(verdict, Fault) else verdict


def pull_secret_places(state: ClusterState, listed: Sequence[str], of_gateways: Sequence[str] = ()) -> list[str]:
    """The namespaces that need it once an install has labelled its own; one that ends takes no new pods."""
    meshs = (ISTIO_NAMESPACE, *of_gateways)
    there = [item.name for item in state.namespaces if item.name in meshs and not item.ending]
    return list(dict.fromkeys([*there, *labels_of(state, listed).injected(state)]))


def _written(planned: Planned) -> Generator[Verdict, None, frozenset[str]]:
    """What the plan does about them; the namespaces that it writes to."""
    if (error := planned.pull_secrets.unsettled) is not None:
        yield Fault(error.what, error.todo, details=error.details)
    steps = [step for step in planned.plan.steps if isinstance(step, WritePullSecrets)]
    for step in steps:
        yield Good(f"the install does it: {step.summary}")
    return frozenset(ref.namespace for step in steps for ref in step.objects)


def secrets_named(api: KubeApi, name: str, namespaces: Sequence[str]) -> dict[str, Object]:
    """By namespace; one list, else one look in each namespace where listing them all is forbidden."""
    try:
        found = api.items("/api/v1/secrets", fields=f"metadata.name={name}")
    except KubeError as error:
        if error.status != 403:
            raise
        looked = {place: api.get(f"/api/v1/namespaces/{place}/secrets/{name}") for place in namespaces}
        return {place: item for place, item in looked.items() if item is not None}
    return {item["metadata"]["namespace"]: item for item in found}


def pull_secrets(
    name: str, hubs: Sequence[str], namespaces: Sequence[str], secrets: Mapping[str, Object]
) -> Iterator[Verdict]:
    """One fault for each namespace where it is missing, or not what pods can pull from these hubs with."""
    good = []
    for place in namespaces:
        secret = secrets.get(place)
        if secret is None:
            yield Fault(f"{place} has no Secret {name}")
        elif secret.get("type") != _TYPE:
            yield Fault(f"{place}/{name} is of type {secret.get('type')}, not {_TYPE}")
        elif lacking := [hub for hub in hubs if not logs_in(secret, hub)]:
            known = ", ".join(sorted(registries(secret))) or "none"
            what = f"{place}/{name} has no user name and password for {' and '.join(lacking)} (its entries: {known})"
            yield Fault(what, f"Correct the Secret {name} in {place}: pods with a sidecar cannot start without it.")
        else:
            good.append(place)
    if good:
        yield Good(f"{name} for {' and '.join(hubs)} is in {', '.join(good)}")


def registries(secret: Object) -> set[str]:
    """The keys that a Secret of that type has logins for; nothing else of it is ever shown."""
    try:
        found: dict[str, Any] = json.loads(b64decode((secret.get("data") or {}).get(_KEY, "")))
        return set(map(str, found["auths"].keys()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()

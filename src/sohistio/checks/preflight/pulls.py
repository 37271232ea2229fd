"""Checks of the environment's images in its hub, as nodes would pull them: there, for these nodes, signed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.registry.cosign import signature_fault
from sohistio.adapters.registry.logins import Login
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context, UnseenError
from sohistio.checks.preflight.namespaces import pull_secret_places, secrets_named
from sohistio.environments.images_lock import NAME, read_images_lock
from sohistio.failover.world import Side
from sohistio.images.needed import CHOSEN_BY_INJECTOR, containers_of
from sohistio.images.pulls import (
    Pull,
    PullOutcome,
    is_on_this_machine,
    namespaces_of,
    platform_faults,
    pull_faults,
)
from sohistio.images.targets import registry_of, source_of
from sohistio.model.fault import Fault
from sohistio.model.image import Image
from sohistio.model.pull_secrets import config_of, login_of
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.plan.namespace_steps import WritePullSecrets
from sohistio.planning.images import needed_images
from sohistio.planning.planned import Planned
from sohistio.planning.pulls import WantedImage, read_pulls

SECONDS = 60.0
SIGNATURE_SECONDS = 300.0
_MOST_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class Pulls:
    """What came of asking, and the docker configs, by namespace, that were asked with."""

    found: tuple[Pull, ...]
    configs: Mapping[str, Mapping[str, Any]] = field(repr=False)

    @property
    def there(self) -> dict[Image, Pull]:
        """The images that are there, each once, by its name with the digest."""
        return {pull.image.pinned(pull.digest): pull for pull in self.found if pull.outcome is PullOutcome.THERE}


def images(context: Context) -> Iterator[Verdict]:
    """Every image is in the hub, is the pinned one, and can be pulled with the pull Secret's own login."""
    yield from image_verdicts(context, read(context).found, str(context.mesh.version))


def image_platforms(context: Context) -> Iterator[Verdict]:
    """Every image is for the architectures of the cluster's nodes."""
    found = read(context).found
    faults = list(platform_faults(found, context.nodes()))
    yield from faults
    known = {platform for pull in found for platform in pull.platforms}
    if not faults:
        yield (
            Good(f"the images are for {', '.join(sorted(known))}") if known else NotAsked("no image says its platforms")
        )


def image_signatures(context: Context) -> Iterator[Verdict]:
    """Every image is signed with the environment's key."""
    key = context.environment.images.cosign_key
    if key is None:
        yield NotAsked("the environment has no images.cosignKey")
        return
    if shutil.which("cosign") is None:
        yield NotAsked("cosign is not in PATH")
        return
    pulls = read(context)
    folder = context.session.root / context.environment.name
    for image, pull in sorted(pulls.there.items())[:_MOST_SIGNATURES]:
        pair = login_of(pulls.configs.get(pull.namespaces[0]) or {}, image.repository)
        fault = signature_fault(image, key, Login(*pair, "the pull Secret") if pair else None, folder)
        yield Fault(f"{pull.image}: {fault}") if fault else Good(f"{pull.image} is signed with {key}")


def image_verdicts(context: Context, found: tuple[Pull, ...], version: str) -> Iterator[Verdict]:
    """The faults, else which images are where."""
    environment = context.environment
    mirror = f"sohistio images mirror --env {environment.name} --version {version}"
    faults = list(pull_faults(found, environment.istio.pull_secret, mirror))
    yield from faults
    if not faults:
        names = ", ".join(dict.fromkeys(f"{pull.image.name}:{pull.image.tag}" for pull in found))
        yield Good(f"{names} can be pulled from {environment.istio.hub}")


def read(context: Context) -> Pulls:
    """Asked once for all checks. Raises UnseenError where nothing is pulled, or it is not known with which login."""
    return context.pulls()


def read_pulls_of(context: Context) -> Pulls:
    """For the images of the target version."""
    _refuse_sandbox(context)
    session, istio = context.session, context.environment.istio
    version = context.mesh.version
    places, configs = _configs(context, context.planned)
    pins = read_images_lock(session.root / NAME)
    wanted = []
    for needed in needed_images(session, version):
        source = source_of(needed.image, istio.hub, context.environment.images.source)
        pin = pins.get(source or needed.image, "")
        image = needed.image.pinned(pin) if istio.pin_digests and pin else needed.image
        namespaces = tuple(name for name in namespaces_of(needed, places) if name in configs)
        wanted.append(WantedImage(image, namespaces, pin))
    return Pulls(read_pulls(wanted, configs, session.say), configs)


def standby_verdicts(context: Context, side: Side) -> Iterator[Verdict]:
    """For what the cluster of a standby runs now: its gateways' images, and the sidecar that new pods get."""
    _refuse_sandbox(context)
    _, configs = _configs(context, None)  # a failover writes no Secret: what is there counts
    sidecar = context.state.sidecar.image_for({}) if context.state.sidecar else ""
    images_of = {name: {sidecar} for name in context.environment.application_namespaces}
    for gateway in side.gateways:
        found = context.session.api.get(path_of(gateway.ref)) or {}
        names = {image for _, image in containers_of({**found, "kind": gateway.ref.kind})}
        images_of.setdefault(gateway.ref.namespace, set()).update(
            sidecar if name == CHOSEN_BY_INJECTOR else name for name in names
        )
    wanted = [
        WantedImage(Image.parse(name), (place,))
        for place, names in images_of.items()
        for name in sorted(names - {""})
        if place in configs
    ]
    found_pulls = read_pulls(wanted, configs, context.session.say)
    yield from image_verdicts(context, found_pulls, side.version)


def _refuse_sandbox(context: Context) -> None:
    registry = registry_of(context.environment.istio.hub)
    if context.session.sandbox is not None and not is_on_this_machine(registry):
        raise UnseenError("the sandbox pulls no images")


def _configs(context: Context, planned: Planned | None) -> tuple[list[str], Mapping[str, Mapping[str, Any]]]:
    """The namespaces with pods of the mesh, and what they pull with, where a plan writes it with what it writes.

    One that is not there yet is left out.
    """
    environment, state = context.environment, context.state
    of_gateways = [item.namespace for item in environment.gateways]
    places = pull_secret_places(state, environment.application_namespaces, of_gateways)
    secret = environment.istio.pull_secret
    if secret is None:
        return places, {name: {} for name in (*places, ISTIO_NAMESPACE)}
    configs: dict[str, Mapping[str, Any]] = {}
    credential = planned.pull_secrets.credential if planned else None
    if planned is not None and credential is not None:
        config = json.loads(credential.config)
        steps = [step for step in planned.plan.steps if isinstance(step, WritePullSecrets)]
        configs = {ref.namespace: config for step in steps for ref in step.objects}
    rest = [name for name in places if name not in configs]
    try:
        found = secrets_named(context.api, secret, rest) if rest else {}
    except KubeError as error:
        if error.status != 403:
            raise
        raise UnseenError("you lack permission to read Secrets") from error
    configs |= {name: config_of(found[name]) if name in found else {} for name in rest}
    if not configs:
        raise UnseenError(f"{ISTIO_NAMESPACE} does not exist yet, so Secret {secret} is not in it")
    return places, configs

"""All objects of an environment's monitoring, in the order in which they are applied. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sohistio.model.monitoring import Part
from sohistio.model.state import ObjectRef
from sohistio.monitoring.grafana import ADMIN_KEY, ADMIN_SECRET, grafana_objects
from sohistio.monitoring.installation import NAMESPACE, Installation
from sohistio.monitoring.jaeger import jaeger_objects
from sohistio.monitoring.kiali import SIGNING_KEY, SIGNING_SECRET, kiali_objects
from sohistio.monitoring.objects import Object
from sohistio.monitoring.prometheus import alertmanager_objects, prometheus_objects


@dataclass(frozen=True, slots=True)
class RandomSecret:
    """A Secret that is made once, with a random text at `key`; what it holds is in no plan and no record."""

    ref: ObjectRef
    key: str


SECRETS = {
    Part.GRAFANA: RandomSecret(ObjectRef("Secret", NAMESPACE, ADMIN_SECRET), ADMIN_KEY),
    Part.KIALI: RandomSecret(ObjectRef("Secret", NAMESPACE, SIGNING_SECRET), SIGNING_KEY),
}
"""What a part cannot run without, and nobody has to know beforehand."""


def monitoring_objects(installation: Installation) -> tuple[Object, ...]:
    """The objects; a ConfigMap's files may be data still, which becomes YAML."""
    return tuple(_objects(installation))


def _objects(installation: Installation) -> Iterator[Object]:
    declared = installation.monitoring
    if declared.prometheus:
        yield from prometheus_objects(installation, declared.prometheus)
    if declared.alerts:
        yield from alertmanager_objects(installation, declared.alerts)
    if declared.jaeger:
        yield from jaeger_objects(installation, declared.jaeger)
    if declared.grafana:
        yield from grafana_objects(installation, declared.grafana)
    if declared.kiali:
        yield from kiali_objects(installation, declared.kiali)


def random_secrets(installation: Installation) -> tuple[RandomSecret, ...]:
    """The Secrets that the environment's parts need."""
    return tuple(SECRETS[part] for part in installation.monitoring.parts if part in SECRETS)

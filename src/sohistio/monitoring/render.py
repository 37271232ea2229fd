"""All objects of an environment's monitoring, in the order in which they are applied. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.monitoring.grafana import grafana_objects
from sohistio.monitoring.installation import Installation
from sohistio.monitoring.jaeger import jaeger_objects
from sohistio.monitoring.kiali import kiali_objects
from sohistio.monitoring.objects import Object
from sohistio.monitoring.prometheus import alertmanager_objects, prometheus_objects


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

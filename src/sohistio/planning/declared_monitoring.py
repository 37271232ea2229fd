"""What an environment's monitoring is made of: its objects as they are applied, pinned, with YAML for files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sohistio.adapters.kubernetes.api import Object
from sohistio.environments.images_lock import NAME as IMAGES_LOCK
from sohistio.environments.images_lock import read_images_lock
from sohistio.environments.load import Environment
from sohistio.environments.yaml_files import to_yaml
from sohistio.errors import RefusedError
from sohistio.images.pins import pin_of
from sohistio.images.targets import monitoring_image
from sohistio.model.image import Image
from sohistio.model.mode import Mode
from sohistio.model.monitoring import Monitoring, Part
from sohistio.model.policy import Mtls
from sohistio.model.record import Record
from sohistio.planning.session import Session
from sohistio.system.times import seconds_since_1970


@dataclass(frozen=True, slots=True)
class DeclaredMonitoring:
    """What an environment declares, and the objects made of it, as they are applied."""

    environment: str = ""
    monitoring: Monitoring = field(default_factory=Monitoring)
    objects: tuple[Object, ...] = ()


def declared_monitoring(session: Session, record: Record | None) -> DeclaredMonitoring:
    """The monitoring of an environment, rendered, with its images pinned where the environment pins, and with what the
    record knows of rehearsals.

    Raises RefusedError where an image is not pinned.
    """
    environment = session.environment
    monitoring = environment.monitoring.data()
    images = {part: _pinned(session, image) for part, image in _images_of(environment).items()}
    last = record.last_of(Mode.REHEARSE) if record else None
    rehearsed = _seconds(last.started) if last else 0
    return _declared(environment, {part: str(image) for part, image in images.items()}, monitoring, rehearsed)


def unpinned_monitoring(environment: Environment) -> tuple[Object, ...]:
    """The objects with images by tag."""
    images = {part: str(image) for part, image in _images_of(environment).items()}
    return _declared(environment, images, environment.monitoring.data()).objects


def _declared(
    environment: Environment, images: Mapping[Part, str], monitoring: Monitoring, rehearsed: int = 0
) -> DeclaredMonitoring:
    if not monitoring.parts:
        return DeclaredMonitoring(environment.name, monitoring)
    from sohistio.monitoring.installation import Installation
    from sohistio.monitoring.render import monitoring_objects

    installation = Installation(
        environment.name,
        monitoring,
        images,
        environment.istio.pull_secret or "",
        (environment.mesh_policy().ingress_gateway,) if monitoring.expose else (),
        tuple(f"{gateway.namespace}/{gateway.name}" for gateway in environment.gateways),
        environment.is_standby,
        rehearsed,
        mtls.certificate_seconds if (mtls := environment.mesh_policy().mtls) else Mtls().certificate_seconds,
        _dashboards() if monitoring.grafana else {},
    )
    objects = tuple(map(with_text, monitoring_objects(installation)))
    return DeclaredMonitoring(environment.name, monitoring, objects)


def _images_of(environment: Environment) -> dict[Part, Image]:
    hub, source = environment.istio.hub, environment.images.source
    return {part: monitoring_image(part, hub, source) for part in environment.monitoring.data().parts}


def _pinned(session: Session, image: Image) -> Image:
    environment = session.environment
    if not environment.istio.pin_digests:
        return image
    pins = read_images_lock(session.root / IMAGES_LOCK)
    digest = pin_of(image, pins, (environment.images.source, environment.istio.hub))
    if not digest:
        raise RefusedError(
            f"istio.pinDigests is on and images.lock has no digest for {image}",
            todo=f"Run `sohistio images mirror --env {environment.name}`: it pins what it copies.",
        )
    return image.pinned(digest)


def _seconds(text: str) -> int:
    """Since 1970; 0 for a time that is none: somebody may have edited the record."""
    return int(seconds_since_1970(text) or 0)


def _dashboards() -> dict[str, str]:
    from sohistio.adapters.grafana.written import dashboard_json
    from sohistio.monitoring.dashboards import dashboards

    return {f"{item.uid}.json": dashboard_json(item) for item in dashboards()}


def with_text(obj: Object) -> Object:
    """A ConfigMap's files as text: what is data still becomes YAML."""
    if obj["kind"] != "ConfigMap":
        return obj
    files: dict[str, Any] = obj["data"]
    return obj | {"data": {name: item if isinstance(item, str) else to_yaml(item) for name, item in files.items()}}

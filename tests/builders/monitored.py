"""An environment's monitoring with all of its parts, as plain data."""

from __future__ import annotations

from sohistio.images.targets import monitoring_image
from sohistio.model.monitoring import (
    Alerts,
    Exposure,
    Grafana,
    Jaeger,
    Kiali,
    Mail,
    Monitoring,
    Part,
    Prometheus,
    SecretKey,
    Storage,
)
from sohistio.model.policy import GatewayPlace
from sohistio.monitoring.installation import Installation

HUB = "dtr.example.com/istio"
GATEWAY = GatewayPlace("istio-ingressgateway", labels=(("istio", "ingressgateway"),))
WHOLE = Monitoring(
    Prometheus(storage=Storage("50Gi", "managed-csi")),
    Grafana(),
    Kiali(),
    Jaeger(),
    Alerts(
        SecretKey("on-call", "url"),
        SecretKey("on-call", "teams"),
        Mail(
            ("a@example.com", "b@example.com"),
            "mesh@example.com",
            "smtp.example.com:587",
            "mesh",
            SecretKey("mail", "password"),
        ),
    ),
    Exposure("monitoring.example.com", "monitoring-tls", (("groups", ("on-call",)),)),
    "https://wiki.example.com/mesh",
)


def installation(monitoring: Monitoring = WHOLE, *, is_standby: bool = True, rehearsed: int = 0) -> Installation:
    """Of environment qa, in a hub of its own."""
    return Installation(
        "qa",
        monitoring,
        {part: str(monitoring_image(part, HUB)) for part in Part},
        "jfrogauth",
        (GATEWAY,) if monitoring.expose else (),
        ("istio-system/istio-ingressgateway", "istio-system/istio-egressgateway", "edge/partners"),
        is_standby,
        rehearsed,
        24 * 3600,
        {"istio-mesh-overview.json": "{}\n"} if monitoring.grafana else {},
    )

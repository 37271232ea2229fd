"""What proxies log and trace. The providers that it names are in the mesh's configuration."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.model.policy import ACCESS_LOG_PROVIDER, TRACING_PROVIDER, Policy
from sohistio.policy.objects import ROOT, Object, made, without_empty

_NAME = "mesh-default"


def telemetry_objects(policy: Policy) -> Iterator[Object]:
    """One mesh-wide Telemetry: of several only one counts. It refuses nothing, so it is there in stage audit too."""
    telemetry = policy.telemetry
    if telemetry is None:
        return
    tracing = telemetry.tracing
    spec = without_empty(
        accessLogging=[{"providers": [{"name": ACCESS_LOG_PROVIDER}]}] if telemetry.access_log else [],
        tracing=[{"providers": [{"name": TRACING_PROVIDER}], "randomSamplingPercentage": tracing.sampling}]
        if tracing
        else [],
    )
    if spec:
        yield made("Telemetry", ROOT, _NAME, spec)

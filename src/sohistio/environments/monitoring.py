"""The key `monitoring`: what already watches the mesh, and may be asked."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from sohistio.environments.values import Part
from sohistio.model.hosts import is_loopback

_IN_THE_CLUSTER = (".svc", ".svc.cluster.local")


def _prometheus(value: str) -> str:
    expected = "expected Prometheus' URL such as https://prometheus.example.com, without a login, ? and #"
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        raise ValueError(expected)
    if parts.query or parts.fragment or any(letter.isspace() for letter in value):
        raise ValueError(expected)
    if parts.scheme == "http" and not (is_loopback(host) or host.endswith(_IN_THE_CLUSTER)):
        raise ValueError("expected https: http is for this machine and for names of the cluster such as a.b.svc")
    return value


class Monitoring(Part):
    """What is asked about traffic before a policy closes something. Nothing is asked where it is not given."""

    prometheus_url: Annotated[str, AfterValidator(_prometheus)] | None = Field(
        None, alias="prometheusURL", description="Any Prometheus that scrapes the mesh; http only inside the cluster"
    )

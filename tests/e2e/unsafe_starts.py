"""Starts of a failover that must be refused: each makes the two regions unsafe in one way, and then safe again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import dns.query
import dns.tsigkeyring
import dns.update

from regions import HOST, ZONE, Regions, until
from sohistio.sandbox.traffic.name_server import KEY_NAME

RECORD = "/api/v1/namespaces/istio-system/configmaps/sohistio-record"
SECRET = "/api/v1/namespaces/istio-system/secrets/shop-tls"
Command = tuple[str, ...]
Unsafe = Callable[[Regions], AbstractContextManager[Command | None]]
"""The command that has to be refused; None for a plain failover."""


def settings(**failover: Any) -> Unsafe:
    """Other keys of `failover` in dr's environment."""

    @contextmanager
    def start(regions: Regions) -> Iterator[None]:
        regions.write_environments(**failover)
        try:
            yield
        finally:
            regions.write_environments()

    return start


def dns_settings(**changes: Any) -> Unsafe:
    """Other keys of `failover.dns`, those of rfc2136 laid over the usual ones."""

    @contextmanager
    def start(regions: Regions) -> Iterator[None]:
        usual = regions.usual_dns()
        update = usual["rfc2136"] | changes.pop("rfc2136", {})
        regions.write_environments(dns=usual | changes | {"rfc2136": update})
        try:
            yield
        finally:
            regions.write_environments()

    return start


def records(*texts: str, kind: str = "A") -> Unsafe:
    """Other records of the name; `prod` and `dr` stand for their addresses."""

    @contextmanager
    def start(regions: Regions) -> Iterator[None]:
        named = {name: region.address for name, region in regions.regions.items()}
        _update(regions, kind, *(named.get(text, text) for text in texts))
        try:
            yield
        finally:
            _update(regions, "A", named["prod"])

    return start


def _update(regions: Regions, kind: str, *texts: str) -> None:
    assert regions.dns is not None
    secret = regions.dns.key_file.read_text().split('secret "')[1].split('"')[0]
    update = dns.update.UpdateMessage(ZONE, keyring=dns.tsigkeyring.from_text({KEY_NAME: secret}))
    name = HOST.removesuffix(f".{ZONE}")
    update.delete(name)
    for text in texts:
        update.add(name, 1, kind, text)
    answer = dns.query.tcp(update, "127.0.0.1", port=regions.dns.port, timeout=5)
    assert answer.rcode() == 0


def recorded(change: Callable[[dict[str, Any]], Any]) -> Unsafe:
    """dr's record changed by hand."""

    @contextmanager
    def start(regions: Regions) -> Iterator[None]:
        api = regions.regions["dr"].api
        found = api.get(RECORD)
        assert found is not None
        before = found["data"]["record.json"]
        after = change(json.loads(before))
        api.merge_patch(RECORD, {"data": {"record.json": after if isinstance(after, str) else json.dumps(after)}})
        try:
            yield
        finally:
            api.merge_patch(RECORD, {"data": {"record.json": before}})

    return start


def switched_now(record: dict[str, Any]) -> dict[str, Any]:
    """As if the DNS record had been switched just now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return record | {"failover": {"stage": "standby", "since": now, "who": "ada", "switched": now}}


def switched_yesterday(record: dict[str, Any]) -> dict[str, Any]:
    """Somebody has edited the time by hand."""
    found = switched_now(record)
    return found | {"failover": found["failover"] | {"switched": "yesterday"}}


@contextmanager
def held_down(regions: Regions) -> Iterator[None]:
    with recorded(switched_now)(regions), settings(holdDown="10m")(regions):
        yield


@contextmanager
def full(regions: Regions) -> Iterator[None]:
    """No node of dr takes pods."""
    api = regions.regions["dr"].api
    names = [node["metadata"]["name"] for node in api.items("/api/v1/nodes")]
    for name in names:
        api.merge_patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        for name in names:
            api.merge_patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": None}})


@contextmanager
def without_endpoints(regions: Regions) -> Iterator[None]:
    """What the host leads to has no pod in dr."""
    api = regions.regions["dr"].api
    api.merge_patch("/api/v1/namespaces/shop/services/web", {"spec": {"selector": {"app": "nobody"}}})
    try:
        _until_ready(regions, False)
        yield
    finally:
        api.merge_patch("/api/v1/namespaces/shop/services/web", {"spec": {"selector": {"app": "web"}}})
        _until_ready(regions, True)


def _until_ready(regions: Regions, ready: bool) -> None:
    api = regions.regions["dr"].api

    def found() -> bool:
        slices = api.items("/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices")
        return any(item["conditions"].get("ready") for one in slices for item in one.get("endpoints") or ())

    until(lambda: found() is ready, 30)


@contextmanager
def no_certificate(regions: Regions) -> Iterator[None]:
    api = regions.regions["dr"].api
    secret = api.get(SECRET)
    assert secret is not None
    api.merge_patch(SECRET, {"data": {"tls.crt": base64.b64encode(b"none").decode()}})
    try:
        yield
    finally:
        api.merge_patch(SECRET, {"data": {"tls.crt": secret["data"]["tls.crt"]}})


@contextmanager
def another_address(regions: Regions) -> Iterator[None]:
    """dr's environment pins what its Service does not have."""
    file = regions.environments / "dr" / "environment.yaml"
    before = file.read_text()
    file.write_text(before.replace(regions.regions["dr"].address, "127.99.9.9"))
    try:
        yield
    finally:
        file.write_text(before)


def hook(script: str, timeout: str = "10s") -> Unsafe:
    """A program that has to succeed before a failover."""
    return settings(before={"argv": ["/bin/sh", "-c", script], "timeout": timeout})

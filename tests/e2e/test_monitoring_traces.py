"""A real Jaeger 2 takes the gateways' spans over OTLP, and shows them at its page behind the gateway.

Of the newest version that a Go module can name (2.13): it takes minutes to build, so `make bench` runs it.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from built import built
from mesh_workloads import apply_to
from own_environments import own_environments
from requests_by_address import get, trusting
from sandboxes import Sandbox
from shop import SYSTEM, await_true, traffic_of, traffic_sandbox
from sohistio.sandbox.traffic.addresses import loopback_of
from sohistio.system.certificates import Authority
from tokens import Issuer
from workloads import apply, namespace, pods_of

pytestmark = [pytest.mark.e2e, pytest.mark.bench]

HOST = "monitoring.example.com"


@contextmanager
def jaeger_at(box: Sandbox, address: str, folder: Path) -> Iterator[None]:
    """With the installed configuration; it listens at its pod's address alone."""
    config = (box.api.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/jaeger") or {})["data"]["config.yaml"]
    (folder / "config.yaml").write_text(config.replace("0.0.0.0", address))  # noqa: S104 — it is taken away
    with (folder / "log").open("wb") as log:
        command = [built("jaeger"), "--config", str(folder / "config.yaml")]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            time.sleep(1)
            assert process.poll() is None, (folder / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(20)


def test_spans_of_the_gateways_are_behind_their_page(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    issuer, authority = Issuer("https://login.example.com"), Authority("the test's")
    with ExitStack() as stack:
        box = stack.enter_context(traffic_sandbox(tmp_path_factory.mktemp("state"), nodes=1))
        address = f"127.{100 + traffic_of(box)['traffic']['number']}.2.10"
        apply(box.api, namespace(SYSTEM, injected=False))
        issued = authority.issue((HOST,))
        tls = {"type": "kubernetes.io/tls", "stringData": {"tls.crt": issued.certificate, "tls.key": issued.key}}
        secret = {"kind": "Secret", "metadata": {"name": "monitoring-tls"}}
        apply_to(box, f"/api/v1/namespaces/{SYSTEM}/secrets", secret | tls)
        expose = {"host": HOST, "credentialName": "monitoring-tls", "claims": {"groups": ["on-call"]}}
        flags = own_environments(
            tmp_path,
            ingressAddress=address,
            policy={"jwt": [{"issuer": issuer.name, "audiences": ["mesh"], "jwks": issuer.jwks}]},
            monitoring={"jaeger": {"sampling": 100}, "expose": expose},
        )
        done = box.run("install", *flags, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        (pod,) = pods_of(box.api, SYSTEM, "jaeger")
        stack.enter_context(jaeger_at(box, loopback_of(pod["status"]["podIP"]), tmp_path))
        trusted, token = trusting(authority.certificate), issuer.token("mesh", groups=["on-call"])

        def ask(path: str, token: str = token) -> tuple[int, bytes]:
            answer = get(address, HOST, trusted, path, Authorization=f"Bearer {token}")
            return answer.status, answer.body

        await_true(lambda: ask("/jaeger/api/services")[0] == 200, 30)
        assert get(address, HOST, trusted, "/jaeger/api/services").status == 403
        assert ask("/jaeger/api/services", "nonsense")[0] == 401

        def traced() -> list[str]:
            _, body = ask("/jaeger/api/services")
            return json.loads(body).get("data") or []

        await_true(lambda: any("istio-ingressgateway" in name for name in traced()), 60)
        (service,) = [name for name in traced() if "istio-ingressgateway" in name]
        status, body = ask(f"/jaeger/api/traces?service={service}&limit=5")
        assert status == 200
        spans = [span for trace in json.loads(body)["data"] for span in trace["spans"]]
        urls = {str(tag["value"]) for span in spans for tag in span["tags"] if tag["key"] == "http.url"}
        assert any("/jaeger/api/services" in url for url in urls), yaml.safe_dump(sorted(urls))

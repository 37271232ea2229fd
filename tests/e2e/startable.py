"""Whether pods start and Istio's webhooks answer, right after a run was killed: asked of the API server alone.

Nothing of sohistio judges here, but its client carries the requests: EndpointSlices say who answers, not pods.
"""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_NUMBERS = count(1)


def pods_start(api: KubeApi, place: str) -> None:
    """A pod of an injected namespace can be created and gets ready, and no webhook refuses what nobody answers."""
    name = f"probe-{next(_NUMBERS)}"
    path = f"/api/v1/namespaces/{place}/pods"
    containers = [{"name": "app", "image": "example/probe:1"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}
    _asked(api, path, {"dryRun": "All"}, pod)
    assert not dead_webhooks(api)
    _asked(api, path, {}, pod)
    deadline = time.monotonic() + 20
    while not _is_ready(api.request("GET", f"{path}/{name}")):
        assert time.monotonic() < deadline, f"{name} does not start"
        time.sleep(0.1)
    api.request("DELETE", f"{path}/{name}", query={"gracePeriodSeconds": "0"})


def _asked(api: KubeApi, path: str, query: dict[str, str], pod: dict[str, Any]) -> None:
    """Once more a second later where a webhook's call broke off, as every controller asks again: an istiod that ends
    takes the API server's open connections with it.
    """
    try:
        api.request("POST", path, query=query, body=pod)
    except KubeError as error:
        print(f"{path}: {error.what}: {error.details}")
        if error.status != 500:
            raise
        time.sleep(1.0)
        api.request("POST", path, query=query, body=pod)


def dead_webhooks(api: KubeApi) -> list[str]:
    """Those that refuse all they are asked about, because no endpoint of their Service is ready."""
    found = []
    for plural in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for item in api.request("GET", f"{_ADMISSION}/{plural}")["items"]:
            for hook in item["webhooks"]:
                matches = "istio.io/deactivated" not in str(hook.get("objectSelector"))
                service = hook["clientConfig"]["service"]
                if matches and hook["failurePolicy"] == "Fail" and not _answers(api, service):
                    found.append(f"{item['metadata']['name']}: {hook['name']} → {service['name']}")
    return found


def _answers(api: KubeApi, service: dict[str, Any]) -> bool:
    slices = api.request(
        "GET",
        f"/apis/discovery.k8s.io/v1/namespaces/{service['namespace']}/endpointslices",
        query={"labelSelector": f"kubernetes.io/service-name={service['name']}"},
    )
    endpoints = [endpoint for item in slices["items"] for endpoint in item.get("endpoints") or ()]
    return any(endpoint["conditions"].get("ready") for endpoint in endpoints)


def _is_ready(pod: dict[str, Any]) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"].get("conditions", ()))

"""What a support bundle takes of objects: named fields, never a text that somebody put there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.chosen_fields import chosen, digest
from sohistio.adapters.kubernetes.support import WithoutSecrets, pods_with_logs, read_log

MARK = "hunter2-mark"
_ENV = [{"name": "TOKEN", "value": MARK}, {"name": "OTHER", "valueFrom": {"secretKeyRef": {"name": MARK}}}]
_CONTAINER = {
    "name": "app",
    "image": "hub.example.com/app:1",
    "args": [f"--token={MARK}"],
    "command": [MARK],
    "env": _ENV,
    "ports": [{"containerPort": 8080, "hostIP": MARK}],
    "resources": {"requests": {"cpu": "1", MARK: "1"}, "limits": {"memory": "1Gi"}},
    "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": MARK}]}},
    "lifecycle": {"preStop": {"exec": {"command": [MARK]}}},
}
_SPEC = {"containers": [_CONTAINER], "volumes": [{"name": MARK}], "hostAliases": [MARK]}
_METADATA = {
    "name": "web",
    "namespace": "shop",
    "annotations": {"kubectl.kubernetes.io/last-applied-configuration": MARK},
    "labels": {"key": MARK},
    "managedFields": [MARK],
}
_CONDITION = {"type": "Ready", "status": "False", "reason": "Because", "message": MARK}


def _object(kind: str, **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": _METADATA, **parts}


OBJECTS = [
    *(
        _object(kind, spec={"replicas": 1, "template": {"metadata": _METADATA, "spec": _SPEC}})
        for kind in ("Deployment", "StatefulSet", "DaemonSet")
    ),
    _object(
        "Pod",
        spec=_SPEC | {"nodeName": "n1"},
        status={
            "phase": "Running",
            "message": MARK,
            "conditions": [_CONDITION],
            "containerStatuses": [
                {
                    "name": "app",
                    "restartCount": 3,
                    "lastState": {"terminated": {"reason": "OOMKilled", "message": MARK}},
                }
            ],
        },
    ),
    _object("Service", spec={"type": "LoadBalancer", "selector": {"a": MARK}, "ports": [{"port": 80}]}),
    _object("HorizontalPodAutoscaler", spec={"minReplicas": 3, "metrics": [MARK]}, status={"conditions": [_CONDITION]}),
    _object("PodDisruptionBudget", spec={"minAvailable": 2, "selector": {"a": MARK}}),
    _object(
        "MutatingWebhookConfiguration",
        webhooks=[{"name": "w", "clientConfig": {"url": f"https://x/{MARK}", "caBundle": MARK}, "rules": [MARK]}],
    ),
    _object("ValidatingWebhookConfiguration", webhooks=[{"name": "w", "matchConditions": [MARK]}]),
    _object("CustomResourceDefinition", spec={"versions": [{"name": "v1", "schema": MARK}]}),
    _object("ConfigMap", data={"mesh": MARK}, binaryData={"x": MARK}),
    _object("EnvoyFilter", spec={"configPatches": [MARK]}, status={"conditions": [_CONDITION]}),
    _object("Secret", data={"password": MARK}, stringData={"password": MARK}),
]


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: item["kind"])
def test_no_text_that_somebody_put_there(item: dict[str, Any]) -> None:
    found = chosen(item)
    assert (found["kind"], found["name"], found["namespace"]) == (item["kind"], "web", "shop")
    assert MARK not in json.dumps(found)


def test_what_is_needed_is_there() -> None:
    pod = next(chosen(item) for item in OBJECTS if item["kind"] == "Pod")
    assert pod["containers"][0]["variables"] == ["TOKEN", "OTHER"]
    assert pod["containers"][0]["requests"] == {"cpu": "1"}
    assert pod["statuses"][0]["lastState"] == {"terminated": {"reason": "OOMKilled"}}
    assert pod["conditions"] == [{"type": "Ready", "status": "False", "reason": "Because"}]
    config = next(chosen(item) for item in OBJECTS if item["kind"] == "ConfigMap")
    assert config["data"] == {"mesh": digest(MARK)}


@pytest.mark.parametrize(
    "item",
    [{}, {"metadata": None, "kind": "Pod", "spec": 3, "status": []}, {"kind": "Service", "spec": {"ports": "x"}}],
)
def test_an_object_that_is_no_such_thing(item: dict[str, Any]) -> None:
    assert chosen(item)["kind"] == item.get("kind", "")


LOG = "\n".join(
    (
        "2026-11-27T15:00:00.000000Z\tinfo\tads\tpush complete",
        "2026-11-27T15:00:01.000000Z\twarning\tenvoy config\tgRPC config rejected \x1b[31m",
        f'{{"authority":"a.example.com","path":"/login?token={MARK}"}}',
        f'[2026-11-27T15:00:02.000Z] "GET /?token={MARK} HTTP/1.1" 200',
        f"Authorization: Bearer {MARK}",
        f"2026-11-27 {MARK}",
        "goroutine 1 [running]:",
    )
)


def test_of_a_log_the_lines_in_istios_own_form(tmp_path: Path) -> None:
    pod = {
        "metadata": {"name": "istiod-1", "labels": {"app": "istiod"}},
        "spec": {"containers": [{"name": "discovery"}, {"name": "other"}]},
    }
    stranger = {"metadata": {"name": "prometheus-1", "labels": {"app": "prometheus"}}, "spec": {"containers": []}}
    pods = "/api/v1/namespaces/istio-system/pods"
    with ApiServer() as server:
        server.replies["GET", pods] = [Reply({"items": [stranger, pod]})]
        server.replies["GET", f"{pods}/istiod-1/log"] = [Reply(LOG.encode())]
        api = server.api(tmp_path).under(WithoutSecrets())
        places = pods_with_logs(api, {"istio-system": ["istiod"]})
        assert places == [("istio-system", "istiod-1", "discovery")]
        text = read_log(api, *places[0])
        asked = server.asked[-1]
    assert text.splitlines() == [LOG.splitlines()[0], LOG.splitlines()[1].replace("\x1b", "\\x1b")]
    assert asked.query == {"container": "discovery", "tailLines": "1000", "limitBytes": "524288"}


@pytest.mark.parametrize("path", ["/api/v1/secrets", "/api/v1/namespaces/shop/secrets/x"])
def test_no_request_for_a_secret_is_sent(tmp_path: Path, path: str) -> None:
    with ApiServer() as server:
        api = server.api(tmp_path).under(WithoutSecrets())
        with pytest.raises(KubeError, match="reads no Secrets") as caught:
            api.request("GET", path)
        assert caught.value.status == 403
        assert server.asked == []

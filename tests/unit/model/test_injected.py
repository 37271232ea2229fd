"""What of two injected pods is compared: the injector's settings, and nothing that differs by nature."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from sohistio.model.injected import Change, changes, compared, digest_of, injected_view

_Pod = dict[str, Any]
STATUS = {"initContainers": ["istio-init", "istio-proxy"], "containers": None, "volumes": ["istio-token"]}


def injected(name: str = "web-1") -> _Pod:
    """A pod as istiod 1.31 leaves it, in its main parts."""
    proxy = {
        "name": "istio-proxy",
        "image": "docker.io/istio/proxyv2:1.31.1",
        "args": ["proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local", "--proxyLogLevel=warning"],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "PROXY_CONFIG", "value": json.dumps({"drainDuration": "45s", "proxyMetadata": {"A": "1"}})},
            {"name": "ISTIO_META_WORKLOAD_NAME", "value": name},
            {"name": "ISTIO_METAJSON_ANNOTATIONS", "value": json.dumps({"restarted": name})},
            {"name": "ISTIO_META_OWNER", "value": f"kubernetes://apis/v1/namespaces/shop/pods/{name}"},
        ],
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m"}},
        "volumeMounts": [
            {"mountPath": "/var/run/secrets/tokens", "name": "istio-token"},
            {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": f"kube-api-access-{name}"},
        ],
    }
    init = {"name": "istio-init", "image": "docker.io/istio/proxyv2:1.31.1", "args": ["istio-iptables", "-x", ""]}
    return {
        "metadata": {
            "name": name,
            "labels": {"app": "web", "pod-template-hash": name, "security.istio.io/tlsMode": "istio"},
            "annotations": {
                "sidecar.istio.io/status": json.dumps(STATUS),
                "istio.io/rev": "default",
                "prometheus.io/port": "15020",
                "company/injected-at": name,
            },
        },
        "spec": {
            "nodeName": f"node-of-{name}",
            "containers": [{"name": "app", "image": "example/web:1", "resources": {"limits": {"memory": "1Gi"}}}],
            "initContainers": [init, proxy],
            "volumes": [
                {"name": "istio-token", "projected": {"sources": []}},
                {"name": f"kube-api-access-{name}", "projected": {}},
            ],
        },
    }


def _proxy(pod: _Pod) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["initContainers"][1]
    return found


def _status(pod: _Pod, **changed: Any) -> None:
    pod["metadata"]["annotations"]["sidecar.istio.io/status"] = json.dumps(STATUS | changed)


def _in_front(pod: _Pod) -> None:
    pod["spec"]["containers"], pod["spec"]["initContainers"] = (
        [_proxy(pod), *pod["spec"]["containers"]],
        pod["spec"]["initContainers"][:1],
    )


ALIKE: dict[str, Callable[[_Pod], object]] = {
    "the-application": lambda pod: pod["spec"]["containers"][0].update(image="example/web:2"),
    "a-revision": lambda pod: pod["metadata"]["annotations"].update({"istio.io/rev": "tagged"}),
    "its-own-proxy-noted": lambda pod: pod["metadata"]["annotations"].update({"proxy.istio.io/overrides": "{}"}),
    "somebody-elses-annotation": lambda pod: pod["metadata"]["annotations"].update({"company/x": "y"}),
    "somebody-elses-volume": lambda pod: pod["spec"]["volumes"].append({"name": "vault", "emptyDir": {}}),
    "somebody-elses-container": lambda pod: pod["spec"]["containers"].append({"name": "vault", "image": "v:1"}),
    "a-flag-written-otherwise": lambda pod: _proxy(pod).update(
        args=["proxy", "sidecar", "--domain=$(POD_NAMESPACE).svc.cluster.local", "--proxyLogLevel", "warning"]
    ),
    "another-order": lambda pod: _proxy(pod)["env"].reverse(),
}


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE)
def test_what_differs_by_nature_or_is_somebody_elses_is_no_change(change: Callable[[_Pod], object]) -> None:
    new = injected("web-2")
    change(new)
    assert compared(injected(), new).changes == ()
    assert compared(injected(), new).digest == digest_of(injected_view(injected()))


DRIFT: dict[str, tuple[Callable[[_Pod], object], list[str]]] = {
    "limit": (
        lambda pod: _proxy(pod)["resources"]["limits"].update(memory="1Gi"),
        ["limits.memory 512Mi → 1Gi"],
    ),
    "a-request-less": (lambda pod: _proxy(pod)["resources"].pop("requests"), ["requests.cpu 100m → none"]),
    "image-first": (
        lambda pod: _proxy(pod).update(image="docker.io/istio/proxyv2:1.31.2", args=["proxy"]),
        [
            "image docker.io/istio/proxyv2:1.31.1 → docker.io/istio/proxyv2:1.31.2",
            "argument --domain $(POD_NAMESPACE).svc.cluster.local → none",
            "argument --proxyLogLevel warning → none",
            "arguments proxy,sidecar → proxy",
        ],
    ),
    "proxy-setting": (
        lambda pod: _proxy(pod)["env"][1].update(value='{"drainDuration":"60s","proxyMetadata":{"A":"1"}}'),
        ["proxyConfig.drainDuration 45s → 60s"],
    ),
    "no-proxy-config": (
        lambda pod: _proxy(pod)["env"][1].update(value="no JSON"),
        [
            "proxyConfig.drainDuration 45s → none",
            "proxyConfig.proxyMetadata.A (hidden) → none",
            "env PROXY_CONFIG none → no JSON",
        ],
    ),
    "environment": (
        lambda pod: _proxy(pod)["env"].append({"name": "COMPANY", "value": "x" * 99}),
        ["env COMPANY none → (hidden)"],
    ),
    "init": (
        lambda pod: pod["spec"]["initContainers"][0].update(args=["istio-iptables", "-x", "10.0.0.0/8"]),
        ['istio-init: argument -x "" → 10.0.0.0/8'],
    ),
    "volume": (
        lambda pod: pod["spec"]["volumes"][0].update(projected={"sources": [1]}),
        ['volume istio-token {"projected":{"sources":[]}} → {"projected":{"sources":[1]}}'],
    ),
    "prometheus": (
        lambda pod: pod["metadata"]["annotations"].pop("prometheus.io/port"),
        ["annotation prometheus.io/port 15020 → none"],
    ),
    "label": (
        lambda pod: pod["metadata"]["labels"].update({"networking.istio.io/tunnel": "http"}),
        ["label networking.istio.io/tunnel none → http"],
    ),
    "pull-secret": (lambda pod: _status(pod, imagePullSecrets=["jfrog"]), ["imagePullSecrets none → jfrog"]),
    "native-sidecar": (lambda pod: _proxy(pod).update(restartPolicy="Always"), ["restartPolicy none → Always"]),
}


@pytest.mark.parametrize(("change", "words"), DRIFT.values(), ids=DRIFT)
def test_each_setting_of_the_injectors_is_a_change(change: Callable[[_Pod], object], words: list[str]) -> None:
    new = injected("web-2")
    change(new)
    found = compared(injected(), new)
    assert [item.words for item in found.changes] == words
    assert found.digest != compared(injected(), injected()).digest


def test_a_digest_that_a_policy_pinned_is_no_change_but_one_that_the_mesh_wants_is() -> None:
    pinned = injected()
    for container in pinned["spec"]["initContainers"]:
        container["image"] += f"@sha256:{'1' * 64}"
    assert compared(pinned, injected()).changes == ()
    assert [item.of_image for item in compared(injected(), pinned).changes] == [True, True]


def test_what_comes_out_otherwise_each_time_is_no_setting() -> None:
    running, new, again = injected(), injected("web-2"), injected("web-3")
    for number, pod in enumerate((running, new, again)):
        _proxy(pod)["env"].append({"name": "NONCE", "value": str(number)})
    assert [item.setting for item in compared(running, new).changes] == ["env NONCE"]
    steady = compared(running, new, again)
    assert steady.changes == ()
    assert steady.digest == compared(running, again, new).digest
    _proxy(running)["args"].append("--x")
    assert [item.words for item in compared(running, new, again).changes] == ["argument --x on → none"]


def test_what_the_vertical_autoscaler_gives_is_its_own() -> None:
    running = injected()
    _proxy(running)["resources"] = {"requests": {"cpu": "7m"}}
    running["metadata"]["annotations"]["vpaUpdates"] = "Pod resources updated by web"
    new = injected("web-2")
    _proxy(new)["args"].append("--x")
    assert [item.words for item in compared(running, new).changes] == ["argument --x none → on"]


def test_a_container_counts_where_it_is_and_one_that_was_never_injected_as_a_whole() -> None:
    moved = injected()
    _in_front(moved)
    _status(moved, initContainers=["istio-init"], containers=["istio-proxy"])
    assert compared(moved, injected()).changes == ()
    plain = injected()
    del plain["metadata"]["annotations"]["sidecar.istio.io/status"]
    assert [item.words for item in compared(plain, injected()).changes] == ["sidecar none → proxyv2:1.31.1"]


@pytest.mark.parametrize("status", ["", "{", "[]", '"text"', '{"containers": 7}', '{"volumes": [[]]}'])
def test_a_status_that_somebody_wrote_is_no_reason_to_fail(status: str) -> None:
    odd = copy.deepcopy(injected())
    odd["metadata"]["annotations"]["sidecar.istio.io/status"] = status
    assert injected_view(odd) == {}
    assert changes({}, {}) == ()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("env UPSTREAM_TOKEN", "env UPSTREAM_TOKEN (hidden) → (hidden)"),
        ("proxyConfig.proxyMetadata.API_KEY", "proxyConfig.proxyMetadata.API_KEY (hidden) → (hidden)"),
        ("env LOG", "env LOG (hidden) → (hidden)"),
        ("env ISTIO_META_NETWORK", "env ISTIO_META_NETWORK a → b"),
    ],
)
def test_no_secret_is_said(setting: str, said: str) -> None:
    assert Change(setting, "a", "b").words == said

"""The comparison of who may not ask for a dry run: the manifest is part of what is there, or it is said where not."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from sohistio.adapters.kubernetes.compare import read_text
from sohistio.model.quantity import quantity
from sohistio.plan.drift.subset import missing_fields

DESIRED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "discovery",
                        "image": "pilot:1",
                        "args": ["discovery", "--log=info"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"path": "x"}}}],
                        "resources": {"requests": {"cpu": "1000m", "memory": "2048Mi"}},
                        "securityContext": {},
                    }
                ],
                "tolerations": [{"key": "cni"}],
            }
        }
    },
}


def live() -> dict[str, Any]:
    """As the server keeps it: defaults filled in, quantities in its own way, what is empty dropped."""
    found = deepcopy(DESIRED)
    found["metadata"] |= {"uid": "1", "resourceVersion": "2"}
    found["metadata"]["labels"] |= {"operator.istio.io/version": "1.31.1"}
    found["spec"]["replicas"] = 3
    found["status"] = {"readyReplicas": 3}
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["requests"] = {"cpu": "1", "memory": "2Gi"}
    container["imagePullPolicy"] = "IfNotPresent"
    container["env"][1]["valueFrom"]["fieldRef"]["apiVersion"] = "v1"
    container["env"].append({"name": "BY_SOMEBODY_ELSE", "value": "x"})
    del container["securityContext"]
    found["spec"]["template"]["spec"]["containers"].append({"name": "beside", "image": "x"})
    found["spec"]["template"]["spec"]["tolerations"][0]["operator"] = "Exists"
    return found


def place(obj: dict[str, Any], path: str) -> tuple[Any, Any]:
    *parents, last = path.split("/")
    at: Any = obj
    for key in parents:
        at = at[int(key)] if key.isdigit() else at[key]
    return at, int(last) if last.isdigit() else last


def test_what_the_server_adds_is_no_difference() -> None:
    assert missing_fields(live(), DESIRED, read_text) == ()


CONTAINER = "spec/template/spec/containers/0"


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        pytest.param(f"{CONTAINER}/image", "pilot:2", "containers[discovery].image", id="image"),
        pytest.param(f"{CONTAINER}/env/0/value", "2", "containers[discovery].env[A].value", id="env"),
        pytest.param(f"{CONTAINER}/env", [], "containers[discovery].env[A]", id="env-gone"),
        pytest.param(f"{CONTAINER}/args", ["discovery"], "containers[discovery].args", id="args"),
        pytest.param(f"{CONTAINER}/resources/requests/cpu", "2", "resources.requests.cpu", id="quantity"),
        pytest.param(f"{CONTAINER}/resources/requests", {}, "resources.requests.cpu", id="quantity-gone"),
        pytest.param("spec/template/spec/tolerations/0/key", "other", "spec.template.spec.tolerations", id="unnamed"),
        pytest.param("spec/template/spec/tolerations", [], "spec.template.spec.tolerations", id="list-gone"),
        pytest.param("metadata/labels/app", "x", "metadata.labels.app", id="label"),
        pytest.param("metadata/labels", {}, "metadata.labels.app", id="label-gone"),
    ],
)
def test_what_differs_is_named(path: str, value: Any, named: str) -> None:
    changed = live()
    at, last = place(changed, path)
    at[last] = value
    assert missing_fields(changed, DESIRED, read_text)[0].path.endswith(named)


def test_before_is_what_is_there_and_after_what_is_asked_for() -> None:
    changed = live()
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "pilot:2"
    (change,) = missing_fields(changed, DESIRED, read_text)
    assert (change.before, change.after) == ("pilot:2", "pilot:1")


@pytest.mark.parametrize(
    ("there", "asked", "paths"),
    [
        ("a: 1\nb: 2\n", "# a comment\nb: 2\na: 1\n", []),
        ("a: 1\nb: 3\n", "a: 1\nb: 2\n", ["data.mesh.b"]),
        ("a: 1\nextra: 2\n", "a: 1\n", ["data.mesh.extra"]),
        ('{"a": {"b": 1}}', '{"a": {"b": 2}}', ["data.mesh.a.b"]),
        ("just text", "other text", ["data.mesh"]),
        ("a: [1\n", "a: 1\n", ["data.mesh"]),
    ],
)
def test_texts_of_a_config_map_compare_by_their_fields(there: str, asked: str, paths: list[str]) -> None:
    objects = [{"kind": "ConfigMap", "metadata": {"name": "istio"}, "data": {"mesh": text}} for text in (there, asked)]
    assert [change.path for change in missing_fields(objects[0], objects[1], read_text)] == paths


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1000m", 1),
        (1, 1),
        ("1", 1),
        ("2048Mi", 2 * 2**30),
        ("2Gi", 2 * 2**30),
        ("1k", 1000),
        ("1e3", 1000),
        ("0.5", Decimal("0.5")),
        ("1Ki", 1024),
        ("80%", None),
        ("", None),
        (True, None),
        (None, None),
    ],
)
def test_quantities(text: Any, number: Any) -> None:
    assert quantity(text) == number

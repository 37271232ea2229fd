"""What istioctl prints in place of a manifest: one error that says what was wrong, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from sohistio.adapters.kubernetes.manifest import read_manifest
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource
from sohistio.errors import ExitCode, FailedError, RefusedError
from sohistio.istioctl import Istioctl
from sohistio.model.versions import Version
from sohistio.planning.istioctls import Istioctls

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\n"


def test_a_manifest() -> None:
    assert [item["kind"] for item in read_manifest(f"---\n{GOOD}---\n---\n{GOOD}")] == ["ConfigMap", "ConfigMap"]


@pytest.mark.parametrize(
    ("text", "what", "detail"),
    [
        pytest.param("", "what it printed has no objects", "", id="nothing"),
        pytest.param("a: b: c", "what it printed is not YAML", "mapping values are not allowed", id="no-yaml"),
        pytest.param("a: 2026-02-31", "what it printed is not YAML", "day is out of range", id="no-such-day"),
        pytest.param("all is well", "", "document 1 is no object: all is well", id="a-string"),
        pytest.param(f"{GOOD}---\n- a\n- b\n", "", "document 2 is no object: ['a', 'b']", id="a-list"),
        pytest.param("x" * 100, "", f"document 1 is no object: {'x' * 60}…", id="a-long-string"),
        pytest.param("a: b", "", "document 1 (of no kind without a name) has no apiVersion", id="any-mapping"),
        pytest.param(
            "apiVersion: v1\nkind: Namespace\n", "", "(Namespace without a name) has no metadata.name", id="no-metadata"
        ),
        pytest.param(
            "apiVersion: v1\nkind: Namespace\nmetadata: text", "", "has no metadata.name", id="metadata-is-text"
        ),
        pytest.param(GOOD.replace(", namespace: istio-system", ""), "", "has no metadata.namespace", id="no-namespace"),
        pytest.param(HEAD, "", "(Deployment istiod) has no spec.template.spec", id="no-spec"),
        pytest.param(
            GOOD.replace("{name", "{labels: [a], name"), "", "has no labels, but something else", id="odd-labels"
        ),
    ],
)
def test_what_is_none(text: str, what: str, detail: str) -> None:
    with pytest.raises(FailedError) as caught:
        read_manifest(text)
    assert caught.value.what == (what or "what it printed is no Kubernetes objects")
    assert detail in " ".join(caught.value.details)


@pytest.mark.parametrize("printed", ["all is well", "[a, b]", "a: b", ""], ids=["string", "list", "mapping", "nothing"])
def test_the_istioctl_that_printed_it_is_named_that_printed_it(tmp_path: Path, printed: str) -> None:
    path, version = tmp_path / "istioctl", Version(1, 31, 1)
    path.write_text(f"#!/bin/sh\necho '{printed}'\n")
    path.chmod(0o700)
    source = IstioctlSource(tmp_path, Mirror.parse("http://127.0.0.1:9"))
    found = Istioctls("local", lambda _: source, lambda _: None, {version: Istioctl(path, version)})
    with pytest.raises(RefusedError) as caught:
        found.render(version, "kind: IstioOperator\n")
    assert caught.value.exit_code is ExitCode.REFUSED
    assert caught.value.what == "istioctl 1.31.1 printed no manifest for the IstioOperator of local"
    assert caught.value.details[0].startswith("what it printed ")
    assert caught.value.details[-1] == f"istioctl is {path}"
    assert str(path) in caught.value.todo

"""What an install changes of what istioctl makes for the default tag; and URLs that none of its installers wrote."""

from __future__ import annotations

from typing import Any

import pytest

from injector_configuration import injector_configuration
from sohistio.model.webhooks import FAIL_AGAIN, MUTATING
from sohistio.plan.drift.strange_urls import strange_urls
from sohistio.plan.drift.tag import tag_changes

ISTIOD = {"service": {"namespace": "istio-system", "name": "istiod", "path": "/inject"}}
ELSEWHERE = {"service": {"namespace": "istio-system", "name": "evil", "path": "/inject"}}
URL, EVIL = {"url": "https://istiod.example/inject"}, {"url": "https://evil.example/x"}
NAME = "rev.namespace.sidecar-injector.istio.io"


def calling(client: dict[str, Any], tag: str = "", revision: str = "default") -> dict[str, Any]:
    made = injector_configuration(revision, tag)
    for hook in made["webhooks"]:
        hook["clientConfig"] = dict(client)
    return made


def validator(client: dict[str, Any]) -> dict[str, Any]:
    hook = {"name": "validation.istio.io", "clientConfig": client}
    return {"metadata": {"name": "istiod-default-validator", "labels": {"app": "istiod"}}, "webhooks": [hook]}


@pytest.mark.parametrize(
    ("manifest", "live", "words"),
    [
        pytest.param(ISTIOD, ISTIOD, "", id="as-it-is-to-be"),
        pytest.param(ISTIOD, ISTIOD | {"caBundle": "x"}, "", id="with-istiods-certificate"),
        pytest.param(ISTIOD, EVIL, "https://evil.example/x", id="url"),
        pytest.param(ISTIOD, ELSEWHERE, "Service istio-system/evil", id="another-service"),
        pytest.param(URL, URL, "", id="the-environments-own-url"),
    ],
)
def test_whom_the_tag_and_its_validator_call(manifest: dict[str, Any], live: dict[str, Any], words: str) -> None:
    tag = calling(ISTIOD, "default") if words else calling(live, "default")
    tag["webhooks"][0]["clientConfig"] = live
    found = tag_changes(calling(manifest), tag, validator(live))
    paths = [
        f"istio-revision-tag-default.webhooks[{NAME}].clientConfig",
        "istiod-default-validator.webhooks[validation.istio.io].clientConfig",
    ]
    expected = [(path, words, "Service istio-system/istiod") for path in paths] if words else []
    assert [(change.path, change.before, change.after) for change in found] == expected


def test_a_tag_of_another_revision_is_left_alone() -> None:
    assert tag_changes(calling(ISTIOD), calling(EVIL, "default", "1-20"), None) == ()


def test_a_validator_that_somebody_deleted_and_labels_by_which_both_are_found() -> None:
    injector, tag = calling(ISTIOD), calling(ISTIOD, "default")
    (gone,) = tag_changes(injector, tag, None)
    assert (gone.path, gone.before) == ("istiod-default-validator", "is not there")
    unfound = validator(ISTIOD)
    del tag["metadata"]["labels"]["app"], unfound["metadata"]["labels"]["app"]
    assert [(change.path, change.before, change.after) for change in tag_changes(injector, tag, unfound)] == [
        ("istio-revision-tag-default.metadata.labels.app", None, "sidecar-injector"),
        ("istiod-default-validator.metadata.labels.app", None, "istiod"),
    ]


def written_by(tag: dict[str, Any], manager: str, field: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"f:webhooks": {f'k:{{"name":"{NAME}"}}': {f"f:{field}": {}}}}
    tag["metadata"]["managedFields"] = [{"manager": manager, "operation": "Update", "fieldsV1": fields}]
    return tag


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failurePolicy", "Ignore"),
        ("objectSelector", {}),
        ("namespaceSelector", {"matchLabels": {"x": "y"}}),
        ("rules", []),
    ],
)
def test_what_decides_whom_the_tag_is_asked_about(field: str, value: object) -> None:
    tag = calling(ISTIOD, "default")
    tag["webhooks"][0][field] = value
    changes = tag_changes(calling(ISTIOD), written_by(tag, "kubectl-patch", field), validator(ISTIOD))
    path = f"istio-revision-tag-default.webhooks[{NAME}].{field}"
    assert [(change.path, change.before, change.manager) for change in changes] == [(path, value, "kubectl-patch")]


@pytest.mark.parametrize(
    ("field", "value", "manager", "notes"),
    [
        pytest.param("objectSelector", {}, "istio-operator", {}, id="an-overlay-on-the-injector-alone"),
        pytest.param("failurePolicy", "Ignore", "sohistio", {FAIL_AGAIN: NAME}, id="until-an-istiod-is-ready"),
        pytest.param("timeoutSeconds", 1, "kubectl-patch", {}, id="what-an-apply-would-leave"),
    ],
)
def test_what_an_install_would_not_change(field: str, value: object, manager: str, notes: dict[str, str]) -> None:
    tag = calling(ISTIOD, "default")
    tag["metadata"]["annotations"] = notes
    tag["webhooks"][0][field] = value
    assert tag_changes(calling(ISTIOD), written_by(tag, manager, field), validator(ISTIOD)) == ()


def owned(manager: str, operation: str, client: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "f:webhooks": {f'k:{{"name":"{NAME}"}}': {"f:clientConfig": {f"f:{key}": {} for key in client}}}
    }
    entry = {"manager": manager, "operation": operation, "fieldsV1": fields}
    return {"metadata": {"managedFields": [entry]}, "webhooks": [{"name": NAME, "clientConfig": client}]}


@pytest.mark.parametrize(
    ("item", "strange"),
    [
        pytest.param(owned("kubectl-patch", "Update", EVIL), {NAME: EVIL["url"]}, id="patched"),
        pytest.param(owned("istio-operator", "Apply", URL), {}, id="istioctl's"),
        pytest.param(owned("helm", "Update", URL), {}, id="helm's"),
        pytest.param(owned("kubectl-patch", "Update", ISTIOD), {}, id="a-service"),
        pytest.param({"metadata": {}, "webhooks": [{"name": NAME, "clientConfig": EVIL}]}, {}, id="nobody-knows-whose"),
    ],
)
def test_urls_that_none_of_the_installers_wrote(item: dict[str, Any], strange: dict[str, str]) -> None:
    assert strange_urls(MUTATING, item) == strange

"""What of a changed value is hidden: credentials in specs, wherever they nest; what helps to read a plan is not."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.model.hidden import HIDDEN, shown
from sohistio.plan.changes import FieldChange
from sohistio.plan.drift.fields import value_changes

OCT = '{"keys":[{"kty":"oct","k":"U0VDUkVU"}]}'
PUBLIC = '{"keys":[{"kty":"RSA","e":"AQAB","n":"xyz"}]}'


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("PW", "s", HIDDEN),
        ("DB_PASS", "s", HIDDEN),
        ("dbPwd", "s", HIDDEN),
        ("AWS_SECRET_ACCESS_KEY", "s", HIDDEN),
        ("authorization", "Basic c2VjcmV0", HIDDEN),
        ("x-api-key", "s", HIDDEN),
        ("Cookie", "session=s", HIDDEN),
        ("x-any", "Bearer abc.def", HIDDEN),
        ("jwks", OCT, HIDDEN),
        ("jwks", PUBLIC, PUBLIC),
        ("inline_string", "s", HIDDEN),
        ("inlineString", "s", HIDDEN),
        ("jwksUri", "https://u:p%40ss@host/jwks", f"https://{HIDDEN}@host/jwks"),
        ("url", "oci://token@registry/plugin", f"oci://{HIDDEN}@registry/plugin"),
        ("url", "https://a.blob/x?sv=1&sig=abc&se=2", f"https://a.blob/x?sv=1&sig={HIDDEN}&se=2"),
        ("any", "see https://u:p@a/ and https://u:q@b/", f"see https://{HIDDEN}@a/ and https://{HIDDEN}@b/"),
        ("authorization", {"exact": "s"}, {"exact": HIDDEN}),
        ("rule", {"key": "request.headers[x-api-key]", "values": ["s"]}, None),
        ("header", {"name": "Authorization", "value": "s"}, {"name": "Authorization", "value": HIDDEN}),
    ],
)
def test_hidden(key: str, value: Any, expected: Any) -> None:
    if expected is None:
        expected = value | {"values": [HIDDEN]}
    assert shown(key, value) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bypass", "on"),
        ("credentialName", "web-tls"),
        ("prefix", "Bearer "),
        ("exact", "/login"),
        ("url", "oci://registry/plugin@sha256:abc"),
        ("url", "https://host/a@b?page=2&sort=key"),
        ("rule", {"key": "request.headers[x-team]", "values": ["a"]}),
        ("source", "spiffe://cluster.local/ns/shop/sa/web"),
    ],
)
def test_shown(key: str, value: Any) -> None:
    assert shown(key, value) == value


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ({"environmentVariables": {"PW": "a"}}, {"environmentVariables": {"PW": "b"}}, "environmentVariables.PW"),
        (
            {"http": [{"name": "x", "match": {"authorization": {"exact": "a"}}}]},
            {"http": [{"name": "x", "match": {"authorization": {"exact": "b"}}}]},
            "http[x].match.authorization.exact",
        ),
        (
            {"headers": [{"name": "x-api-key", "value": "a"}]},
            {"headers": [{"name": "x-api-key", "value": "b"}]},
            "headers[x-api-key].value",
        ),
    ],
)
def test_a_changed_field_is_named_and_its_value_hidden(before: Any, after: Any, path: str) -> None:
    assert value_changes(before, after) == (FieldChange(path, HIDDEN, HIDDEN),)

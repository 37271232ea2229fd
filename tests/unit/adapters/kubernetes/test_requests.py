"""Bodies as the API server reads them."""

from __future__ import annotations

import json

import pytest
import yaml

from sohistio.adapters.kubernetes.requests import yaml_of


@pytest.mark.parametrize(
    "text",
    [
        "team 😀",
        "\\ud83d\\ude00",
        "a\u2028b\u2029c\x85d",
        "\x7f\x80\x9f",
        "\ufeffbom",
        "naïve — “quoted”",
        'a"b\\c\n\td',
        "\x1b[31m",
    ],
)
def test_a_body_is_json_and_yaml(text: str) -> None:
    body = {"metadata": {"annotations": {text: text}}, "spec": [text, 1, None, True]}
    assert json.loads(yaml_of(body)) == body
    assert yaml.safe_load(yaml_of(body)) == body

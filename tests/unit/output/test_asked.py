"""Whether a command line asks for JSON: known before it is understood, so that any error can be a document."""

from __future__ import annotations

import pytest

from sohistio.output.asked import asks_for_json


@pytest.mark.parametrize(
    ("line", "variable", "asks"),
    [
        ("plan", "", False),
        ("plan -o json", "", True),
        ("plan -ojson --foo", "", True),
        ("install -yo json", "", True),
        ("install -yojson", "", True),
        ("plan --output=json", "", True),
        ("plan --output json -o table", "", False),
        ("plan", "json", True),
        ("plan -o table", "json", False),
        ("check -o junit", "", False),
        ("plan -o", "", False),
        ("istioctl -- proxy-status -o json", "", False),
    ],
)
def test_what_asks_for_json(line: str, variable: str, asks: bool) -> None:
    assert asks_for_json(line.split(), variable) is asks

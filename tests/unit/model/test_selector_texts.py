"""Label selectors as queries have them."""

from __future__ import annotations

import pytest

from sohistio.model.selector import labels_match, requirements

LABELS = {"app": "istiod", "istio.io/rev": "default", "operator.istio.io/component": "Pilot", "empty": ""}


@pytest.mark.parametrize(
    ("selector", "picks"),
    [
        ("", True),
        ("app", True),
        ("release", False),
        ("!release", True),
        ("!app", False),
        ("app=istiod", True),
        ("app=gateway", False),
        ("empty=", True),
        ("release=", False),
        ("app in (istiod,gateway)", True),
        ("app in (gateway)", False),
        ("release in (a,b)", False),
        ("operator.istio.io/component in (Pilot,Cni),istio.io/rev=default", True),
        ("sohistio/kept-gateway,!operator.istio.io/component", False),
        ("app,!release,istio.io/rev=canary", False),
    ],
)
def test_what_a_selector_picks(selector: str, picks: bool) -> None:
    assert labels_match(selector, LABELS) is picks


@pytest.mark.parametrize("selector", ["app!=istiod", "app notin (a)", "app==istiod", "app in a", "(app)"])
def test_a_form_that_is_not_known_is_never_guessed(selector: str) -> None:
    with pytest.raises(ValueError, match="label selector"):
        labels_match(selector, LABELS)


def test_a_comma_in_brackets_parts_nothing() -> None:
    assert requirements("a in (b,c),!d,e=f") == ["a in (b,c)", "!d", "e=f"]

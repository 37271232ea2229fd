"""Substitutions and exclusions of a standby."""

from __future__ import annotations

import pytest

from sohistio.model.state import ObjectRef
from sohistio.model.sync import Exclusion, Substitution, SyncRules

RULES = SyncRules(
    (
        Substitution("prod.example.com", "dr.example.com"),
        Substitution("pay.prod.example.com", "pay-standby.example.com"),
        Substitution("10.20.20.2", "10.30.20.2"),
        Substitution("dr.example.com", "never.example.com"),
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prod.example.com", "dr.example.com"),
        ("api.prod.example.com", "api.dr.example.com"),
        ("*.prod.example.com", "*.dr.example.com"),
        ("https://prod.example.com:8443/x?h=prod.example.com", "https://dr.example.com:8443/x?h=dr.example.com"),
        ("preprod.example.com", "preprod.example.com"),
        ("non-prod.example.com", "non-prod.example.com"),
        ("prod.example.community", "prod.example.community"),
        ("prodXexample.com", "prodXexample.com"),
        ("pay.prod.example.com", "pay-standby.example.com"),
        ("10.20.20.2", "10.30.20.2"),
        ("10.20.20.2/32", "10.30.20.2/32"),
        ("10.20.20.22", "10.20.20.22"),
        ("110.20.20.2", "110.20.20.2"),
        ("dr.example.com", "never.example.com"),
        ("", ""),
    ],
)
def test_a_text_is_replaced_where_it_stands_for_itself(text: str, expected: str) -> None:
    assert RULES.substituted(text) == expected


def test_every_text_at_any_depth_but_no_key() -> None:
    spec = {"prod.example.com": [{"host": "prod.example.com", "port": 443, "on": True}, None]}
    assert RULES.substituted(spec) == {"prod.example.com": [{"host": "dr.example.com", "port": 443, "on": True}, None]}
    assert SyncRules().substituted(spec) is spec


@pytest.mark.parametrize(
    ("exclusion", "matches"),
    [
        (Exclusion(kind="VirtualService"), True),
        (Exclusion(kind="Virtual*", namespace="shop", name="we?"), True),
        (Exclusion(namespace="sh*"), True),
        (Exclusion(kind="virtualservice"), False),
        (Exclusion(kind="VirtualService", namespace="payments"), False),
        (Exclusion(name="webs"), False),
    ],
)
def test_exclusions_are_patterns(exclusion: Exclusion, matches: bool) -> None:
    assert SyncRules(exclusions=(exclusion,)).excludes(ObjectRef("VirtualService", "shop", "web")) is matches


def test_a_kind_of_the_gateway_api_matches_with_and_without_its_group() -> None:
    ref = ObjectRef("HTTPRoute.gateway.networking.k8s.io", "shop", "web")
    for kind in ("HTTPRoute", "HTTPRoute.gateway.networking.k8s.io", "*.gateway.networking.k8s.io"):
        assert Exclusion(kind=kind).matches(ref)

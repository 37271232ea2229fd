"""Which Secrets gateways name, and what is reported of their certificates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configured import configured
from sohistio.model.certificate import Certificate
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.model.sync import Exclusion, SyncRules
from sohistio.sync.certificates import (
    CertificatePair,
    NamedSecret,
    certificate_differences,
    named_secrets,
    root_difference,
)

NONE = SyncRules()
DAY = 24 * 3600.0
NOW = 1_800_000_000.0
WEB = ObjectRef("Secret", "istio-system", "web-tls")
EDGE = MeshDeployment(ObjectRef("Deployment", "edge", "web"), "gateway", 3, 3, 3, {"istio": "edge", "app": "web"})


def gateway(*names: str, **selector: str) -> dict[str, Any]:
    servers = [{"port": {"number": 443}, "tls": {"mode": "SIMPLE", "credentialName": name}} for name in names]
    plain: dict[str, Any] = {"port": {"number": 80}}
    return configured("Gateway", spec={"selector": selector, "servers": [plain, *servers]})


def api_gateway(*refs: dict[str, str]) -> dict[str, Any]:
    listeners = [{"name": "http"}, {"name": "https", "tls": {"certificateRefs": list(refs)}}]
    return configured("Gateway", spec={"gatewayClassName": "istio", "listeners": listeners})


@pytest.mark.parametrize(
    ("kind", "obj", "rules", "expected"),
    [
        ("Gateway", gateway("web-tls", istio="ingressgateway"), NONE, ["Secret istio-system/web-tls"]),
        ("Gateway", gateway("b", "a", istio="edge"), NONE, ["Secret edge/a", "Secret edge/b"]),
        ("Gateway", gateway("sds://x", istio="edge"), NONE, []),
        ("Gateway", gateway(), NONE, []),
        ("Gateway", gateway("a", istio="edge"), SyncRules(exclusions=(Exclusion(kind="Secret"),)), []),
        ("Gateway", gateway("a", istio="edge"), SyncRules(exclusions=(Exclusion(kind="Gateway"),)), []),
        ("Gateway.gateway.networking.k8s.io", api_gateway({"name": "a"}), NONE, ["Secret shop/a"]),
        (
            "Gateway.gateway.networking.k8s.io",
            api_gateway({"name": "a", "namespace": "certs"}, {"name": "b", "group": "x.io", "kind": "Y"}),
            NONE,
            ["Secret certs/a"],
        ),
        ("VirtualService", configured(), NONE, []),
    ],
)
def test_the_secrets_that_gateways_name(kind: str, obj: dict[str, Any], rules: SyncRules, expected: list[str]) -> None:
    found = named_secrets({ObjectRef(kind, "shop", "web"): obj}, [EDGE], [EDGE], rules)
    assert [str(secret.ref) for secret in found] == expected
    assert all(secret.ref == secret.there for secret in found)


def test_each_clusters_own_gateway_looks_in_its_own_namespace() -> None:
    moved = replace(EDGE, ref=replace(EDGE.ref, namespace="edge-dr"))
    objects = {ObjectRef("Gateway", "shop", "web"): gateway("web-tls", istio="edge")}
    (found,) = named_secrets(objects, [EDGE], [moved], NONE)
    assert (str(found.there), str(found.ref)) == ("Secret edge/web-tls", "Secret edge-dr/web-tls")


def certificate(fingerprint: str = "a" * 64, days: float = 90) -> Certificate:
    return Certificate(fingerprint, NOW + days * DAY, "2027-05-01")


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (certificate(), certificate(), []),
        (certificate(), None, [("there is no Secret istio-system/web-tls in dr", True)]),
        (None, None, [("there is no Secret istio-system/web-tls in dr, nor one in prod", False)]),
        (None, certificate(), [("Secret istio-system/web-tls has a certificate in dr only", True)]),
        (certificate(), certificate("b" * 64), [("Secret istio-system/web-tls holds another certificate in dr", True)]),
        (certificate(days=9), certificate(days=9), [("expires on 2027-05-01", False)]),
        (certificate(days=-1), certificate(days=-1), [("expired on 2027-05-01", True)]),
    ],
)
def test_certificates(source: Certificate | None, target: Certificate | None, expected: list[tuple[str, bool]]) -> None:
    found = list(certificate_differences([CertificatePair(NamedSecret(WEB, WEB), source, target)], NOW, ("prod", "dr")))
    assert [item.counts for item in found] == [counts for _, counts in expected]
    assert all(words in item.what for item, (words, _) in zip(found, expected, strict=True))


def test_the_trust_roots_are_worth_knowing_only() -> None:
    assert list(root_difference("a", "a", ("prod", "dr"))) == []
    (found,) = root_difference("a" * 64, "", ("prod", "dr"))
    assert not found.counts
    assert "SHA-256 aaaaaaaaaaaaaaaa… in prod, (none) in dr" in found.what


def test_a_secret_without_a_certificate_is_not_taken_for_a_missing_one() -> None:
    pair = CertificatePair(NamedSecret(WEB, WEB), certificate(), None, empty=("dr",))
    (found,) = certificate_differences([pair], NOW, ("prod", "dr"))
    assert (found.what, found.counts) == (
        "Secret istio-system/web-tls of dr holds no certificate that can be read",
        True,
    )


def test_what_one_cannot_get_is_only_said_to_be_not_compared() -> None:
    pair = CertificatePair(NamedSecret(WEB, WEB), certificate(), None, unread=("prod", "dr"))
    found = list(certificate_differences([pair], NOW, ("prod", "dr")))
    assert [item.what.partition(" was not compared")[0] for item in found] == [
        "the certificate in Secret istio-system/web-tls of prod",
        "the certificate in Secret istio-system/web-tls of dr",
    ]
    assert not any(item.counts for item in found)

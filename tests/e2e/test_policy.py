"""The mesh's policy, shown by requests through real Envoys."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography import x509

from mesh_workloads import SIDECAR_PORT, handshake, request
from policed import API, DATABASE, SPARE, WRONG, World, policed_world
from policy_changes import (
    a_hand_edit_is_shown_and_undone,
    in_stage_audit_nothing_is_refused_but_counted,
    what_people_made_by_hand_is_found_first,
)
from resilience import (
    a_certificate_is_renewed_while_its_pod_runs,
    a_client_opens_no_more_connections,
    each_pod_answers_so_many_requests,
    failed_requests_are_tried_again,
)
from shop import await_true

pytestmark = pytest.mark.e2e

V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with policed_world(tmp_path_factory.mktemp("state")) as found:
        yield found


def test_all_of_it_is_in_place_and_istio_finds_nothing_wrong(world: World) -> None:
    """Applied once; the same command again has nothing to do."""
    settled = world.install(world.policy)
    assert settled.returncode == 0, settled.stdout + settled.stderr
    again = world.sandbox.run("plan", *world.flags(world.policy), "--exit-code")
    assert again.returncode == 0, again.stdout
    verified = world.sandbox.run("verify", *world.flags(world.policy))
    assert verified.returncode == 0, verified.stdout
    assert "policy-in-place" in verified.stdout
    assert "errors: none, warnings: 0" in verified.stdout, verified.stdout


def test_plaintext_is_refused_but_where_a_namespace_is_permissive(world: World) -> None:
    assert request(world.ledger.place, SIDECAR_PORT, world.ledger.host).status == 0
    assert request(world.player.place, SIDECAR_PORT, world.player.host).status == 200


def test_tls_1_2_is_refused_by_gateways_and_sidecars(world: World) -> None:
    for address, port, name in ((world.address, 443, SPARE), (world.ledger.place, SIDECAR_PORT, "")):
        old, new = handshake(address, port, V1_2, name=name), handshake(address, port, V1_3, name=name)
        assert (old.version, new.version) == ("", "TLSv1.3"), (address, old.error, new.error)
        assert "PROTOCOL_VERSION" in old.error.upper().replace(" ", "_"), old.error


def test_a_workloads_certificate_lives_for_24_hours(world: World) -> None:
    """Read from the wire."""
    found = handshake(world.ledger.place, SIDECAR_PORT, V1_3)
    certificate = x509.load_der_x509_certificate(found.certificate)
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert timedelta(hours=24) <= life <= timedelta(hours=24, minutes=3)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://cluster.local/ns/payments/sa/ledger"]


def test_tokens_at_the_ingress_gateway(world: World) -> None:
    issuer = world.issuer
    right = issuer.token("shop", groups=["readers"])
    assert world.ask("/health").status == 200, "anonymous"
    assert world.ask("/api/orders").status == 403, "no token"
    assert world.ask("/api/orders", token=issuer.token("other", groups=["readers"])).status == 403, "wrong audience"
    assert world.ask("/api/orders", token=issuer.token("shop", seconds=-120, groups=["readers"])).status == 401
    assert world.ask("/api/orders", token=right[:-6] + "AAAAAA").status == 401, "forged"
    assert world.ask("/api/orders", token=issuer.token("shop", groups=["writers"])).status == 403, "wrong claim"
    assert world.ask("/api/orders", token=right).status == 200
    assert world.ask("/alice", token=issuer.token("shop")).status == 200
    assert world.ask("/alice", token=issuer.token("shop", sub="bob")).status == 403
    assert world.ask("/elsewhere", token=right).status == 403, "no rule"
    assert world.ask("/elsewhere", host=SPARE).status == 200, "a host that is not listed stays open"
    assert world.ask(f"/api/orders?access_token={right}").status == 403, "in a query it would end up in logs"
    assert world.ask("/api/..%2felsewhere", token=right).status == 403, "what is compared is what a service decodes"
    await_true(lambda: '"path":"/api/orders"' in world.log_of("istio-ingressgateway"), 20)
    assert right not in world.log_of("istio-ingressgateway")


def test_a_port_or_capitals_in_the_host_header_pass_nothing_by(world: World) -> None:
    from requests_by_address import get, trusting

    trusted = trusting(world.authority.certificate)
    for header in ("shop.example.com:443", "shop.example.com:8443", "SHOP.example.com", "Shop.Example.Com:443"):
        assert get(world.address, "shop.example.com", trusted, "/api/orders", Host=header).status == 403, header


def test_workloads_let_in_whom_the_policy_names(world: World) -> None:
    assert world.checkout.call(world.ledger.host).status == 200
    assert world.intruder.call(world.ledger.host).status == 403
    seen = world.checkout.call(world.ledger.host, x_echo="1").data["headers"]["x-forwarded-client-cert"]
    assert "URI=spiffe://cluster.local/ns/shop/sa/checkout" in seen
    denied = '"response_code_details":"rbac_access_denied_matched_policy[none]"'
    await_true(lambda: denied in world.log_of("ledger"), 20)


def test_an_allowed_host_is_reached_over_tls_that_the_egress_gateway_begins(world: World) -> None:
    answer = world.checkout.call(API, "/orders", port=80)
    assert answer.status == 200, answer
    assert answer.data == {"tls": "TLSv1.3", "sni": API, "path": "/orders"}
    refused = world.intruder.call(API, port=80)
    assert refused.status == 403, refused


def test_a_host_with_a_certificate_of_another_authority_is_not_reached(world: World) -> None:
    answer = world.checkout.call(WRONG, port=80)
    assert answer.status == 503, answer
    await_true(lambda: "CERTIFICATE_VERIFY_FAILED" in world.log_of("istio-egressgateway"), 20)


def test_a_host_that_is_not_declared_stays_closed(world: World) -> None:
    assert world.checkout.call("undeclared.partner.test", port=80).status in (502, 404)
    assert world.ledger.place  # it has no listener for calls at all


def test_a_database_is_reached_over_tls_that_the_egress_gateway_begins(world: World) -> None:
    assert _line(world.checkout.place) == b"SELECT 1\n"
    assert world.database.names[-1] == DATABASE
    assert _line(world.intruder.place) == b""


def _line(place: str) -> bytes:
    """An application's plain TCP, through its sidecar."""
    try:
        with socket.create_connection((place, 5432), timeout=10) as connection:
            connection.sendall(b"select 1\n")
            return connection.recv(100)
    except OSError:
        return b""


def test_failed_requests_are_tried_again(world: World) -> None:
    failed_requests_are_tried_again(world)


def test_a_client_opens_no_more_connections(world: World) -> None:
    a_client_opens_no_more_connections(world)


def test_each_pod_answers_so_many_requests(world: World) -> None:
    each_pod_answers_so_many_requests(world)


def test_a_certificate_is_renewed_while_its_pod_runs(world: World) -> None:
    a_certificate_is_renewed_while_its_pod_runs(world)


def test_a_hand_edit_is_shown_and_undone(world: World) -> None:
    a_hand_edit_is_shown_and_undone(world)


def test_what_people_made_by_hand_is_found_first(world: World) -> None:
    what_people_made_by_hand_is_found_first(world)


def test_in_stage_audit_nothing_is_refused_but_counted(world: World) -> None:
    in_stage_audit_nothing_is_refused_but_counted(world)


def test_what_leaves_the_policy_leaves_the_cluster_and_nothing_else(world: World) -> None:
    """Last: the mesh has no policy afterwards."""
    before = _resources(world)
    off = world.install(None)
    assert off.returncode == 0, off.stdout + off.stderr
    after = _resources(world)
    assert {ref for ref, label in before.items() if label is None} == set(after)
    assert all(label == "local" for ref, label in before.items() if ref not in after)
    await_true(lambda: request(world.ledger.place, SIDECAR_PORT, world.ledger.host).status == 200)


def _resources(world: World) -> dict[str, str | None]:
    from sohistio.adapters.kubernetes.custom_resources import custom_resources, resource_ref

    return {
        str(resource_ref(item)): (item["metadata"].get("labels") or {}).get("sohistio/policy")
        for item in custom_resources(world.sandbox.api)
    }

"""Stories of test_policy.py: what a plan says of a policy that changes, or that others have a hand in."""

from __future__ import annotations

from typing import Any

import httpx

from mesh_workloads import SIDECAR_PORT, request
from policed import World
from shop import await_true, traffic_of

_SECURITY = "/apis/security.istio.io/v1/namespaces"
_LEDGER = f"{_SECURITY}/payments/authorizationpolicies/access-ledger-ba49c7"


def a_hand_edit_is_shown_and_undone(world: World) -> None:
    api, flags = world.sandbox.api, world.flags(world.policy)
    api.request(
        "PATCH",
        _LEDGER,
        query={"fieldManager": "kubectl-edit"},
        body={"spec": {"rules": [{}]}},
        content_type="application/merge-patch+json",
    )
    await_true(lambda: world.intruder.call(world.ledger.host).status == 200)
    verified = world.sandbox.run("verify", *flags)
    assert verified.returncode == 5
    assert "different: AuthorizationPolicy payments/access-ledger-ba49c7" in verified.stdout
    plan = world.sandbox.run("plan", *flags, "--exit-code")
    assert plan.returncode == 4
    assert "(set by kubectl-edit)" in plan.stdout
    assert "differs in nothing but its policy (0 created, 1 changed, 0 removed)" in plan.stdout
    refused = world.sandbox.run("install", *flags)
    assert refused.returncode == 3, "not approved"
    assert "closes workloads of payments but for what policy.workloads lets in" in refused.stderr + refused.stdout
    assert world.install(world.policy).returncode == 0
    await_true(lambda: world.intruder.call(world.ledger.host).status == 403)


def what_people_made_by_hand_is_found_first(world: World) -> None:
    """One that undoes the policy stops the run; one with the name of a policy's own stops the plan."""
    api = world.sandbox.api
    opened = {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "legacy", "namespace": "payments"},
        "spec": {"mtls": {"mode": "PERMISSIVE"}},
    }
    api.create(f"{_SECURITY}/payments/peerauthentications", opened)
    more = world.policy | {"workloads": [*world.policy["workloads"], {"namespace": "rated"}]}
    before = len(world.sandbox.writes())
    refused = world.install(more)
    assert refused.returncode == 3
    assert "PeerAuthentication payments/legacy takes plaintext (PERMISSIVE) in spite of mode strict" in refused.stderr
    api.delete(f"{_SECURITY}/payments/peerauthentications/legacy")
    other = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "access", "namespace": "rated"},
        "spec": {},
    }
    api.create(f"{_SECURITY}/rated/authorizationpolicies", other)
    refused = world.install(more)
    assert refused.returncode == 3
    assert "AuthorizationPolicy rated/access has the name of a policy object" in refused.stderr
    assert "sohistio/policy=local" in refused.stderr
    api.delete(f"{_SECURITY}/rated/authorizationpolicies/access")
    own = [write for write in world.sandbox.writes()[before:] if "/security.istio.io/" not in write]
    assert not own, "nothing was written but by the story"


def in_stage_audit_nothing_is_refused_but_counted(world: World) -> None:
    done = world.install(world.policy | {"stage": "audit"})
    assert done.returncode == 0, done.stdout + done.stderr
    await_true(lambda: world.intruder.call(world.ledger.host).status == 200)
    await_true(lambda: request(world.ledger.place, SIDECAR_PORT, world.ledger.host).status == 200)
    await_true(lambda: '"dry_run_result":"denied"' in world.log_of("ledger"), 20)
    # The gateways are new pods: what an Envoy counts is decided when it starts.
    await_true(lambda: world.ask("/elsewhere").status == 200 and _dry_run_denials(world) > 0)


def _dry_run_denials(world: World) -> float:
    """What the ingress gateway's Envoys count of requests that the policy would have refused."""
    parts: list[dict[str, Any]] = traffic_of(world.sandbox)["parts"]
    found = [part["address"] for part in parts if part["name"].startswith("envoy-istio-ingressgateway")]
    try:
        texts = [httpx.get(f"{address}/stats/prometheus", timeout=10).text for address in found]
    except httpx.HTTPError:  # one of them is on its way out
        return 0
    lines = [line for text in texts for line in text.splitlines() if 'dry_run_result="denied"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)

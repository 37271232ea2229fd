"""The objects of a policy: all of them in a golden file, and what one part or the other leaves out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from policies import WHOLE
from sohistio.model.policy import GatewayPlace, Mtls, Policy, Stage
from sohistio.model.policy_access import WorkloadAccess
from sohistio.policy.objects import KINDS
from sohistio.policy.render import rendered

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("stage", list(Stage))
def test_a_whole_policy(stage: Stage) -> None:
    """After a change that is meant, write the file anew: delete it, run the test, read the difference."""
    text = yaml.safe_dump_all(rendered(replace(WHOLE, stage=stage), "qa").objects, sort_keys=False)
    file = GOLDEN / f"{stage.value}.yaml"
    if not file.exists():
        file.write_text(text)
        pytest.fail(f"{file} was written: read it")
    assert text == file.read_text()


def test_what_is_not_declared_is_not_rendered() -> None:
    assert rendered(Policy(), "qa").objects == ()
    kinds = {obj["kind"] for obj in rendered(Policy(mtls=Mtls()), "qa").objects}
    assert kinds == {"PeerAuthentication"}


def test_what_guards_comes_before_what_opens() -> None:
    objects = [(obj["kind"], obj["metadata"]["name"]) for obj in rendered(WHOLE, "qa").objects]
    assert {kind for kind, _ in objects} == set(KINDS)
    at = objects.index
    assert at(("AuthorizationPolicy", "ingress-hosts")) < at(("Gateway", "shop")) < at(("VirtualService", "shop"))
    assert at(("RequestAuthentication", "ingress-jwt")) < at(("AuthorizationPolicy", "ingress-hosts"))
    api = "egress-api-example-com"
    assert at(("ServiceEntry", api)) < at(("AuthorizationPolicy", api)) < at(("VirtualService", api))
    modes = [obj["spec"]["mtls"]["mode"] for obj in rendered(WHOLE, "qa").others if obj["kind"] == "PeerAuthentication"]
    assert modes == ["PERMISSIVE", "STRICT"], "no namespace is closed for a moment"


def test_names_of_workloads_policies_differ_where_their_labels_do() -> None:
    labels = ((), (("app", "a"),), (("app", "A"),), (("app", "a"), ("version", "1")), (("tier", "a"),))
    policy = Policy(workloads=tuple(WorkloadAccess("shop", item) for item in labels))
    names = [obj["metadata"]["name"] for obj in rendered(policy, "qa").objects]
    assert len(set(names)) == len(labels)
    assert all(name == name.lower() for name in names)


def test_a_listed_host_is_closed_at_every_ingress_gateway() -> None:
    labels = (("istio", "second"),)
    more = (GatewayPlace("second", labels=labels), GatewayPlace("again", labels=WHOLE.ingress_gateway.labels))
    objects = rendered(replace(WHOLE, more_ingress_gateways=more), "qa").objects
    found = {
        obj["metadata"]["name"]: obj["spec"]["selector"]["matchLabels"]
        for obj in objects
        if obj["metadata"]["name"].startswith(("ingress-hosts", "ingress-jwt"))
    }
    first = dict(WHOLE.ingress_gateway.labels)
    assert found == {
        "ingress-jwt": first,
        "ingress-jwt-second": dict(labels),
        "ingress-hosts": first,
        "ingress-hosts-second": dict(labels),
    }


def test_an_egress_gateway_in_a_namespace_of_its_own_knows_the_way_outside() -> None:
    edge = GatewayPlace("out", "edge", (("istio", "out"),))
    objects = rendered(replace(WHOLE, egress_gateway=edge), "qa").ways_out
    exported = {obj["metadata"]["name"]: obj["spec"]["exportTo"] for obj in objects if "exportTo" in obj["spec"]}
    assert exported["egress-db-example-com-outside"] == ["edge"]
    rules = [obj for obj in objects if obj["kind"] == "DestinationRule" and obj["metadata"]["name"] != "egress-gateway"]
    assert [obj["spec"]["exportTo"] for obj in rules] == [["edge"], ["edge"]]
    ways = [obj for obj in objects if obj["kind"] == "VirtualService"]
    assert all("edge" in obj["spec"]["exportTo"] for obj in ways)
    assert "istio-system" not in str(exported)

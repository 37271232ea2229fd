"""Stories of `sohistio sync` on the sandboxes of test_sync.py: certificates, the Gateway API, roles, conflicts."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts import account
from certificates import tls_secret
from every_kind import create, definitions, of_gateway_api
from json_schemas import check
from killing import custom_resource, route
from sandboxes import CHECKOUT
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.model.kube_target import KubeTarget
from two_sandboxes import NamedSandbox, Pair
from workloads import apply, namespace

APPROVED = ("--yes", "--confirm", "dr")


def web(**spec: Any) -> dict[str, Any]:
    return route("shop", hosts=["web.prod.example.com"], **spec)


def policy() -> dict[str, Any]:
    """Its annotation is nothing that YAML could escape as JSON does."""
    item = custom_resource("AuthorizationPolicy", "shop", "allow", {"action": "ALLOW", "rules": [{}]})
    return item | {"metadata": item["metadata"] | {"annotations": {"note": "team 😀"}}}


def envoy_filter() -> dict[str, Any]:
    patch = {"applyTo": "CLUSTER", "match": {"context": "GATEWAY"}, "patch": {"operation": "MERGE", "value": {}}}
    item = custom_resource("EnvoyFilter", "istio-system", "timeouts", {"configPatches": [patch]})
    return item | {"apiVersion": "networking.istio.io/v1alpha3"}


def live(box: NamedSandbox, obj: dict[str, Any]) -> dict[str, Any]:
    found = box.api.get(box.api.path_of(obj))
    assert found is not None
    return found


def written(pair: Pair) -> tuple[list[str], list[str]]:
    """What sohistio (and the test itself) wrote to each cluster, by the audit logs."""
    return pair.prod.writes(), pair.dr.writes()


def https_gateway() -> dict[str, Any]:
    server = {
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "hosts": ["web.example.com"],
        "tls": {"mode": "SIMPLE", "credentialName": "web-tls"},
    }
    return custom_resource("Gateway", "shop", "web", {"selector": {"istio": "ingressgateway"}, "servers": [server]})


def certificates_are_compared_and_never_copied(pair: Pair) -> None:
    secret = tls_secret("istio-system", "web-tls")
    pair.prod.has(https_gateway(), secret)
    said = [pair.sync(*APPROVED), pair.sync("--check")]
    assert [run.returncode for run in said] == [0, 4], said
    assert "certificate: there is no Secret istio-system/web-tls in dr" in said[1].stdout
    assert pair.dr.api.get(pair.dr.api.path_of(secret)) is None

    pair.dr.has(tls_secret("istio-system", "web-tls", days=-1))
    said.append(pair.sync("--check"))
    assert "Secret istio-system/web-tls holds another certificate in dr than in prod (SHA-256 " in said[-1].stdout
    assert "the certificate in Secret istio-system/web-tls of dr expired on " in said[-1].stdout

    pair.dr.has(secret)
    said.append(pair.sync("--check", "--output", "json"))
    assert said[-1].returncode == 0, said[-1].stdout
    key = secret["data"]["tls.key"]
    texts = (key[:60], base64.b64decode(key).decode().splitlines()[1])
    assert not any(text in run.stdout + run.stderr for run in said for text in texts), "no key is ever printed"


def objects_of_the_gateway_api_that_istio_serves(pair: Pair) -> None:
    for box in (pair.prod, pair.dr):
        create(box, *definitions())
    istios, others = of_gateway_api("shop")
    create(pair.prod, *istios, *others, route("shop"))
    done = pair.sync(*APPROVED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "Note: istiod makes a Deployment and a Service for Gateway.gateway.networking.k8s.io shop/every" in done.stdout
    )
    api = pair.dr.api
    assert all(api.get(api.path_of(item)) is not None for item in istios)
    assert not any(api.get(api.path_of(item)) for item in others), "other controllers' objects are not the mesh's"
    assert pair.sync("--check").returncode == 0
    for item in istios:
        pair.prod.api.delete(pair.prod.api.path_of(item))
    done = pair.sync(*APPROVED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any(api.get(api.path_of(item)) for item in istios), "what istiod marked is still sync's own"


def the_shipped_roles_are_enough(pair: Pair, folder: Path) -> None:
    secret = tls_secret("istio-system", "web-tls")
    for box in (pair.prod, pair.dr):
        box.has(secret)
    pair.prod.has(https_gateway(), route("shop"))
    config = _kubeconfig(pair, folder)
    for name in ("prod", "dr"):
        pair.declare(name, cluster={"context": f"sohistio-{name}"})

    def sync(*flags: str) -> str:
        done = pair.sync(*flags, kubeconfig=config)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    lacking = sync(*APPROVED)
    assert lacking.startswith("3 "), lacking
    assert "you lack permission to create, patch gateways.networking.istio.io" in lacking
    assert "Note: not tried, as you lack permission to patch gateways, virtualservices" in lacking
    assert "the certificate in Secret istio-system/web-tls of dr was not compared" in lacking
    assert "0 of 1 compared: you lack permission" in lacking
    assert "Ask for the roles sohistio-syncer in rbac/sync.yaml" in lacking
    assert "Fix them, then run the same command again" in lacking
    for box, roles in ((pair.prod, ("sohistio-certificates",)), (pair.dr, ())):
        _grant(box, "sync", roles)
    done = sync(*APPROVED)
    assert done.startswith("0 "), done
    assert "1 of 1 the same" in done
    pair.prod.has(route("shop", exportTo=["."]))
    pair.prod.api.delete(pair.prod.api.path_of(https_gateway()))
    done = sync(*APPROVED)
    assert done.startswith("0 "), done
    assert "dr: 0 created, 1 changed, 1 removed, as the other environment has it" in done
    assert pair.prod.writes("system:serviceaccount:default:syncer") == []
    the_syncer_may_do_nothing_more(config)


def the_syncer_may_do_nothing_more(config: Path) -> None:
    api = KubeApi(KubeTarget(config, "sohistio-dr"))
    namespaces = "/api/v1/namespaces"
    for method, path in (
        ("GET", f"{namespaces}/istio-system/secrets/istio-ca-secret"),
        ("GET", f"{namespaces}/shop/secrets/web-tls"),
        ("GET", f"{namespaces}/istio-system/secrets"),
        ("PATCH", f"{namespaces}/istio-system/configmaps/istio"),
        ("PATCH", f"{namespaces}/shop"),
        ("PATCH", "/apis/apps/v1/namespaces/istio-system/deployments/istio-ingressgateway"),
        ("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io"),
        ("DELETE", f"{namespaces}/istio-system/configmaps/sohistio-record"),
    ):
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        with pytest.raises(KubeError) as caught:
            api.request(method, path, body={} if method == "PATCH" else None, content_type=kind)
        assert caught.value.status == 403, (method, path)


def _kubeconfig(pair: Pair, folder: Path) -> Path:
    """Two contexts, of a reader in each cluster."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for box in (pair.prod, pair.dr):
        document = yaml.safe_load(box.kubeconfig.read_text())
        document["users"][0]["user"] = {"token": account(box.api, "syncer")}
        document["users"][0]["name"] = document["contexts"][0]["context"]["user"] = f"syncer-{box.name}"
        for key in ("clusters", "users", "contexts"):
            merged[key] += document[key]
        _grant(box, "reader")
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(merged))
    path.chmod(0o600)
    return path


def _grant(box: NamedSandbox, file: str, only: tuple[str, ...] = ()) -> None:
    """The file's roles and example bindings, with the service account in the place of the group."""
    for item in yaml.safe_load_all((CHECKOUT / "rbac" / f"{file}.yaml").read_text()):
        if only and item["metadata"]["name"] not in only:
            continue
        if item["kind"].endswith("Binding"):
            item["subjects"] = [{"kind": "ServiceAccount", "name": "syncer", "namespace": "default"}]
        box.api.apply(box.api.path_of(item), item, "administrator", force=True)


def what_is_not_there_to_take_an_object_is_reported(pair: Pair) -> None:
    if pair.prod.api.get("/api/v1/namespaces/late") is None:
        apply(pair.prod.api, namespace("late", injected=False))
    pair.prod.has(route("late"), policy())
    done = pair.sync(*APPROVED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "there is no namespace late in dr; 1 object of prod is not applied: VirtualService late/web" in done.stdout
    assert pair.dr.api.get("/api/v1/namespaces/late") is None
    checked = pair.sync("--check", "--output", "json")
    assert checked.returncode == 4
    comparison = check(checked.stdout, "Sync")
    assert [(item["subject"], item["name"]) for item in comparison["differences"] if item["counts"]] == [
        ("namespace", "late")
    ]
    assert comparison["lag"]["objects"] == 1

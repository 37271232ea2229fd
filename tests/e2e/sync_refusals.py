"""Stories of `sohistio sync` that is refused before it begins, on the sandboxes of test_sync.py."""

from __future__ import annotations

import json
import time
from pathlib import Path

from killing import route
from sohistio.adapters.kubernetes.api import KubeError
from sync_stories import APPROVED, envoy_filter, live, policy, web, written
from two_sandboxes import NamedSandbox, Pair

DEPLOYMENTS = "/apis/apps/v1/namespaces/istio-system/deployments"
WRONG = (
    (("--from", "qa"), "dr stands by for prod: it is not kept the same as qa"),
    (("--to", "prod", "--from", "dr"), "prod is no standby: it is not kept the same as dr"),
    (("--to", "nowhere"), "There is no environment named 'nowhere'"),
)


def a_wrong_pair_is_wrong_usage(pair: Pair) -> None:
    for flags, words in WRONG:
        refused = pair.sync(*flags, *APPROVED)
        assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr


def a_cluster_that_cannot_be_read_is_a_refusal(pair: Pair, tmp_path: Path) -> None:
    before = written(pair)
    for broken in ("prod", "dr"):
        pair.declare(broken, cluster={"sandbox": "not-started"})
        for flags in (APPROVED, ("--check",)):
            refused = pair.sync(*flags)
            assert refused.returncode == 3, refused.stdout + refused.stderr
            assert "not-started" in refused.stderr
        pair.declare(broken)
    pair.declare("prod", cluster={"context": "gone"})
    refused = pair.sync("--check", kubeconfig=_nobody_answers(tmp_path))
    assert (refused.returncode, "Error: prod: the record" in refused.stderr) == (3, True), refused.stderr
    pair.declare("prod")
    pair.declare("dr", cluster={"sandbox": "prod"})
    refused = pair.sync("--check")
    assert (refused.returncode, "prod and dr are the same cluster" in refused.stderr) == (3, True), refused.stderr
    assert written(pair) == before


def _nobody_answers(folder: Path) -> Path:
    path = folder / "kubeconfig"
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "gone", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path


def a_conflict_is_named_and_nothing_is_written(pair: Pair) -> None:
    pair.prod.has(web(), policy())
    assert pair.sync(*APPROVED).returncode == 0
    path = pair.dr.api.path_of(web())
    query = {"fieldManager": "kubectl-edit"}
    hand_edit = {"spec": {"hosts": ["by-hand.example.com"]}}
    pair.dr.api.request("PATCH", path, query=query, body=hand_edit, content_type="application/merge-patch+json")
    pair.prod.has(policy() | {"spec": {"action": "DENY", "rules": [{}]}})
    before = written(pair)
    refused = pair.sync(*APPROVED)
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "the configuration of prod cannot be applied to dr" in refused.stderr
    assert (
        "VirtualService shop/web differs in fields that somebody else set in dr: spec.hosts (set by kubectl-edit)"
        in refused.stderr
    )
    assert pair.sync("--check").returncode == 4
    assert written(pair) == before

    pair.prod.api.delete(pair.prod.api.path_of(web()))
    refused = pair.sync(*APPROVED)
    assert (refused.returncode, "kubectl-edit changed it in dr" in refused.stderr) == (3, True), refused.stderr
    pair.declare("dr", sync={"exclude": [{"kind": "VirtualService", "name": "web"}]})
    done = pair.sync(*APPROVED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert live(pair.dr, policy())["spec"]["action"] == "DENY"
    assert live(pair.dr, web())["spec"]["hosts"] == ["by-hand.example.com"]


def a_standby_that_serves_is_not_overwritten(pair: Pair) -> None:
    """No record and no DNS is needed to see it: its gateways have ready pods."""
    pair.prod.has(route("shop"))
    try:
        scale(pair.dr, "istio-ingressgateway", 1)
        before = written(pair)
        refused = pair.sync(*APPROVED)
        assert refused.returncode == 3, refused.stdout + refused.stderr
        assert "dr may be serving" in refused.stderr
        assert "gateways of dr serve: istio-ingressgateway" in refused.stderr
        assert "after `sohistio failback --to prod`, sync again" in refused.stderr
        checked = pair.sync("--check")
        assert (checked.returncode, "  + VirtualService shop/web" in checked.stdout) == (4, True), checked.stdout
        assert "a sync would be refused: dr may be serving" in checked.stdout
        assert written(pair) == before
    finally:
        scale(pair.dr, "istio-ingressgateway", 0)
    assert pair.sync(*APPROVED).returncode == 0


def a_webhook_that_is_down_does_not_keep_from_comparing(pair: Pair) -> None:
    pair.prod.has(route("shop"), policy())
    wanted = ready_pods(pair.dr, "istiod")
    scale(pair.dr, "istiod", 0)
    try:
        before = written(pair)
        checked = pair.sync("--check")
        assert checked.returncode == 4, checked.stdout + checked.stderr
        assert "Changes: 2 created, 0 changed, 0 removed" in checked.stdout
        assert "the changes could not be tried in dr: " in checked.stdout
        assert pair.sync(*APPROVED).returncode == 3
        assert written(pair) == before
    finally:
        scale(pair.dr, "istiod", wanted)
    done = pair.sync(*APPROVED)
    assert done.returncode == 0, done.stdout + done.stderr


def a_kind_that_prod_loses_deletes_nothing(pair: Pair) -> None:
    """First its CRD is being deleted, which a finalizer holds; then it is gone."""
    definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/envoyfilters.networking.istio.io"
    pair.prod.has(envoy_filter(), route("shop"))
    assert pair.sync(*APPROVED).returncode == 0
    path, api = pair.prod.api.path_of(envoy_filter()), pair.prod.api
    api.merge_patch(path, {"metadata": {"finalizers": ["example.com/hold"]}})
    api.delete(definition)
    before = written(pair)
    refused = pair.sync(*APPROVED)
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "prod: " in refused.stderr
    assert "of Istio is being deleted: CustomResourceDefinition envoyfilters" in refused.stderr
    assert written(pair) == before
    api.merge_patch(path, {"metadata": {"finalizers": []}})
    end = time.monotonic() + 30
    while api.get(definition) is not None:
        assert time.monotonic() < end
        time.sleep(0.2)
    before = written(pair)
    done = pair.sync(*APPROVED)
    assert (done.returncode, written(pair)) == (0, before), done.stdout + done.stderr
    assert "prod does not know the kind EnvoyFilter.networking.istio.io any more" in done.stdout
    assert live(pair.dr, envoy_filter())


def ready_pods(box: NamedSandbox, name: str) -> int:
    found = box.api.get(f"{DEPLOYMENTS}/{name}")
    assert found is not None
    return int((found.get("status") or {}).get("readyReplicas", 0))


def scale(box: NamedSandbox, name: str, count: int) -> None:
    """Until so many pods are ready, or more, as an autoscaler may want it; of istiod, until its webhooks answer, or do
    not.
    """
    patch = {"spec": {"replicas": count}}
    path = f"{DEPLOYMENTS}/{name}/scale"
    box.api.request("PATCH", path, body=patch, content_type="application/merge-patch+json")
    end = time.monotonic() + 60
    while not _is_scaled(ready_pods(box, name), count) or (name == "istiod" and answers(box) is not (count > 0)):
        assert time.monotonic() < end
        time.sleep(0.2)


def _is_scaled(ready: int, count: int) -> bool:
    return ready >= count if count else ready == 0


def answers(box: NamedSandbox) -> bool:
    probe = route("shop", "probe")
    try:
        box.api.try_apply(box.api.path_of(probe), probe, "pipeline")
    except KubeError:
        return False
    return True

"""What people and killed runs do to Istio's webhooks is seen by `verify` and put right; nobody else's are touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from injection_off import HOOKS, TAG, bare, found, without_sidecars
from own_environments import own_environments
from policy_engine import PolicyEngine
from sandboxes import Sandbox
from sohistio.system.certificates import Authority
from watching import watching
from webhook_server import serving
from workloads import apply, await_running, deployment, namespace, pods_of

pytestmark = pytest.mark.e2e

SHOP = "hooks"
INJECTOR = f"{HOOKS}/istio-sidecar-injector"
NEVER = {"matchLabels": {"istio.io/deactivated": "never-match"}}


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """A mesh, and a namespace that it injects."""
    sandbox.with_mesh()
    apply(sandbox.api, namespace(SHOP))
    return sandbox


def failed_checks(box: Sandbox) -> str:
    verified = box.run("verify", "--env", "local")
    assert verified.returncode == 5, verified.stdout + verified.stderr
    return " ".join(verified.stdout.split())


def verified(box: Sandbox) -> bool:
    return box.run("verify", "--env", "local").returncode == 0


def starts_with_a_sidecar(box: Sandbox, name: str) -> bool:
    before = len(pods_of(box.api, SHOP))
    apply(box.api, deployment(SHOP, name, replicas=1))
    await_running(box.api, SHOP, before + 1)
    (pod,) = pods_of(box.api, SHOP, name)
    return "sidecar.istio.io/status" in pod["metadata"]["annotations"]


def test_a_sandbox_that_was_stopped_is_up_again_when_istiod_answers(meshed: Sandbox) -> None:
    """Its mesh was kept while no process ran."""
    planned = meshed.run("plan", "--env", "local", "--exit-code")
    assert planned.returncode == 0, planned.stdout


def test_a_path_where_istiod_does_not_answer_is_put_right_though_nothing_needs_a_restart(meshed: Sandbox) -> None:
    tag = found(meshed, TAG)
    for hook in tag["webhooks"]:
        hook["clientConfig"]["service"]["path"] = "/injected"
    meshed.api.replace(TAG, tag)
    assert "istio-revision-tag-default calls Service istio-system/istiod, at a path or port where" in failed_checks(
        meshed
    )
    done = meshed.run("restart", "--env", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {hook["clientConfig"]["service"]["path"] for hook in found(meshed, TAG)["webhooks"]} == {"/inject"}
    assert starts_with_a_sidecar(meshed, "after-the-path")
    assert verified(meshed)


def test_a_default_tag_that_somebody_deleted_comes_back(meshed: Sandbox) -> None:
    meshed.api.delete(TAG)
    assert "nothing injects: istio-sidecar-injector is parked" in failed_checks(meshed)
    refused = meshed.run("restart", "--env", "local", "--yes")
    assert (refused.returncode, "Error: nothing injects" in refused.stderr) == (3, True), refused.stderr
    done = meshed.run("install", "--env", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert starts_with_a_sidecar(meshed, "after-the-tag")
    assert verified(meshed)


def test_a_default_tag_without_its_label_gets_it_back_and_is_not_deleted(meshed: Sandbox) -> None:
    uid = found(meshed, TAG)["metadata"]["uid"]
    merge = "application/merge-patch+json"
    meshed.api.request("PATCH", TAG, body={"metadata": {"labels": {"istio.io/tag": None}}}, content_type=merge)
    assert "istio-revision-tag-default has lost labels" in failed_checks(meshed)
    done = meshed.run("install", "--env", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    tag = found(meshed, TAG)["metadata"]
    assert (tag["uid"], tag["labels"]["istio.io/tag"]) == (uid, "default")
    assert verified(meshed)


def test_the_default_tags_validator_comes_back(meshed: Sandbox) -> None:
    validator = f"{HOOKS.replace('mutating', 'validating')}/istiod-default-validator"
    meshed.api.delete(validator)
    assert "there is no istiod-default-validator" in failed_checks(meshed)
    done = meshed.run("install", "--env", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert found(meshed, validator)["webhooks"]
    assert verified(meshed)


def test_a_url_and_another_service_give_way_to_istiod(meshed: Sandbox) -> None:
    """One that istioctl could not apply over (a Service beside a URL), and one that it can."""
    validators = HOOKS.replace("mutating", "validating")
    injector, tag = found(meshed, INJECTOR), found(meshed, TAG)
    validator = found(meshed, f"{validators}/istiod-default-validator")
    for item in (injector, validator):
        item["webhooks"][0]["clientConfig"] = {"url": "https://evil.example/x"}
    tag["webhooks"][-1]["clientConfig"]["url"] = "https://evil.example/x"
    for hook in tag["webhooks"][:-1]:
        hook["clientConfig"]["service"] |= {"namespace": "default", "name": "evil"}
    del tag["webhooks"][-1]["clientConfig"]["service"]
    tag["webhooks"][0] |= {"failurePolicy": "Ignore", "objectSelector": {}}
    for path, item in ((INJECTOR, injector), (TAG, tag), (f"{validators}/istiod-default-validator", validator)):
        meshed.api.request("PUT", path, query={"fieldManager": "kubectl-edit"}, body=item)
    said = failed_checks(meshed)
    for name in ("istio-sidecar-injector", "istio-revision-tag-default", "istiod-default-validator"):
        assert f"{name} calls https://evil.example/x, which Istio did not write" in said
    done = meshed.run("install", "--env", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    for path in (INJECTOR, TAG, f"{validators}/istiod-default-validator"):
        services = [hook["clientConfig"]["service"] for hook in found(meshed, path)["webhooks"]]
        assert {(item["namespace"], item["name"]) for item in services} == {("istio-system", "istiod")}
    first = found(meshed, TAG)["webhooks"][0]
    assert first["failurePolicy"] == "Fail"
    assert first["objectSelector"]["matchExpressions"]
    assert starts_with_a_sidecar(meshed, "after-the-url")
    assert "up to date" in meshed.run("plan", "--env", "local").stdout


def test_two_that_inject_the_same_pods_are_one_again(meshed: Sandbox) -> None:
    injector, tag = found(meshed, INJECTOR), found(meshed, TAG)
    by_name = {hook["name"]: hook for hook in tag["webhooks"]}
    for hook in injector["webhooks"]:
        hook |= {key: by_name[hook["name"]][key] for key in ("namespaceSelector", "objectSelector")}
    meshed.api.replace(INJECTOR, injector)
    assert "istio-sidecar-injector and istio-revision-tag-default both inject" in failed_checks(meshed)
    done = meshed.run("install", "--env", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert is_parked(meshed)
    assert verified(meshed)


def is_parked(box: Sandbox) -> bool:
    return all(hook["objectSelector"] == NEVER for hook in found(box, INJECTOR)["webhooks"])


def test_while_istiod_changes_one_configuration_alone_injects(meshed: Sandbox, tmp_path: Path) -> None:
    flags = own_environments(tmp_path)
    spec = {"values": {"global": {"proxy": {"logLevel": "info"}}}}
    overlay = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    Path(flags[-1], "local", "istiooperator.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    with watching(lambda: is_parked(meshed)) as looks:
        done = meshed.run("install", *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(looks) > 10
    assert all(looks)
    maps = "/api/v1/namespaces/istio-system/configmaps"
    assert '"logLevel": "info"' in found(meshed, f"{maps}/istio-sidecar-injector")["data"]["values"]
    again = meshed.run("plan", *flags)
    assert "up to date" in again.stdout, again.stdout


def restarts_nothing(box: Sandbox) -> None:
    before = box.writes()
    done = box.run("restart", "--env", "local", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a new pod gets no sidecar, as a dry run shows" in " ".join(done.stdout.split())
    assert [line for line in box.writes()[len(before) :] if "/deployments/" in line] == []


def test_where_the_tag_picks_no_pod_nothing_is_restarted_and_an_install_makes_it_again(meshed: Sandbox) -> None:
    without_sidecars(meshed, "late", 2)
    tag = found(meshed, TAG)
    tag["webhooks"][0]["matchConditions"] = [{"name": "no", "expression": "false"}]
    for hook in tag["webhooks"]:
        hook["namespaceSelector"] = {"matchLabels": {"nobody": "has-it"}}
    meshed.api.replace(TAG, tag)
    assert "namespace.sidecar-injector.istio.io has selectors that pick none of the pods" in failed_checks(meshed)
    restarts_nothing(meshed)

    done = meshed.run("install", "--env", "local", "--yes")
    assert done.returncode == 5, "istioctl does not take away what is not its own"
    assert "has matchConditions, which Istio does not write" in " ".join(done.stdout.split())
    assert bare(meshed, "late") == []
    tag = found(meshed, TAG)
    for hook in tag["webhooks"]:
        hook.pop("matchConditions", None)
    meshed.api.replace(TAG, tag)
    assert verified(meshed)


def test_restarts_stop_at_the_first_pod_without_a_sidecar_and_go_on_later(meshed: Sandbox, tmp_path: Path) -> None:
    without_sidecars(meshed, "many", 14)
    flags = own_environments(tmp_path, restarts={"parallel": 1, "proxiesPerSecond": 1})

    def delete_after_the_first() -> None:
        if len(bare(meshed, "many")) < 14 and meshed.api.get(TAG):
            meshed.api.delete(TAG)

    with watching(delete_after_the_first):
        broken = meshed.run("restart", *flags, "--yes")
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "came up without a sidecar: new pods get none any more" in " ".join(broken.stderr.split())
    asked = [line for line in meshed.writes() if line.startswith("patch /apis/apps/v1/namespaces/many/deployments/")]
    assert 2 <= len(asked) < 14, "the others run on as they were"

    done = meshed.run("install", *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert bare(meshed, "many") == []
    assert verified(meshed)


def test_a_policy_engine_that_takes_proxies_out_stops_restarts_and_they_come_back_later(
    meshed: Sandbox, tmp_path: Path
) -> None:
    """It leaves all else of the injection there, the annotation too."""
    without_sidecars(meshed, "policed", 14)
    flags = own_environments(tmp_path, restarts={"parallel": 1, "proxiesPerSecond": 1})
    authority = Authority("policy engine")
    with PolicyEngine(serving(authority, tmp_path), authority.certificate) as engine:
        meshed.api.create(HOOKS, engine.configuration("policed"))

        def strip_after_the_first() -> None:
            engine.strips = engine.strips or len(bare(meshed, "policed")) < 14

        with watching(strip_after_the_first):
            broken = meshed.run("restart", *flags, "--yes")
        assert broken.returncode == 1, broken.stdout + broken.stderr
        assert "came up without a sidecar: new pods get none any more" in " ".join(broken.stderr.split())
        assert len(bare(meshed, "policed")) > 1
        restarts_nothing(meshed)

        engine.strips = False
        done = meshed.run("restart", *flags, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert bare(meshed, "policed") == []
        meshed.api.delete(f"{HOOKS}/zz-policy")


def test_somebody_elses_with_istios_labels_stays_as_it_is(meshed: Sandbox) -> None:
    """Dead, and no business of ours; it matches nothing here, so that the sandbox goes on."""
    theirs = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "company-injector", "labels": {"app": "sidecar-injector", "istio.io/rev": "default"}},
        "webhooks": [
            {
                "name": "company.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "clientConfig": {"service": {"namespace": "istio-system", "name": "gone", "path": "/x"}},
                "namespaceSelector": {"matchLabels": {"company": "yes"}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            }
        ],
    }
    made = meshed.api.create(HOOKS, theirs)
    meshed.run("install", "--env", "local", "--yes")
    assert (
        found(meshed, f"{HOOKS}/company-injector")["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    )
    meshed.api.delete(f"{HOOKS}/company-injector")

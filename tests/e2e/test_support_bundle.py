"""`sohistio support-bundle`: what is in it, and that secrets planted all over a real cluster are not."""

from __future__ import annotations

import json
import stat
import tarfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts import account, kubeconfig_for
from json_schemas import check
from own_environments import own_environments
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from workloads import apply, deployment, namespace

pytestmark = pytest.mark.e2e

MARK = "hunter2mark"
IN_AN_EVENT = "eventmark7"
ISTIOD = path_of(ObjectRef("Deployment", ISTIO_NAMESPACE, "istiod"))
PARTS = {
    *("versions", "environment", "plan", "record", "lock", "objects", "cluster-wide", "config-maps"),
    *("custom-resources", "analyze", "events", "logs"),
}


def unpacked(path: Path, folder: Path) -> dict[str, str]:
    """The text of each file, by its name."""
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    root = folder / path.name.removesuffix(".tar.gz")
    return {str(file.relative_to(root)): file.read_text() for file in root.rglob("*") if file.is_file()}


def holding(files: dict[str, str], mark: str) -> list[str]:
    """The files that have the mark, as it is or in base64."""
    coded = b64encode(mark.encode()).decode().rstrip("=")
    return sorted(name for name, text in files.items() if mark in text or coded in text)


def put(box: Sandbox, obj: dict[str, Any]) -> None:
    """An object as somebody else's pipeline puts it there."""
    box.api.apply(box.api.path_of(obj), obj, "pipeline", force=True)


def plant(box: Sandbox) -> None:
    """Marked secrets: wherever people put them, a run's reason among them, and in an Event."""
    for place in ("shop", ISTIO_NAMESPACE):
        put(
            box,
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "planted", "namespace": place, "annotations": {"note": MARK}},
                "stringData": {"password": MARK},
            },
        )
        put(
            box,
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "planted", "namespace": place},
                "data": {"application.yaml": f"password: {MARK}"},
            },
        )
    worker = deployment(ISTIO_NAMESPACE, "worker")
    worker["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": MARK}
    template = worker["spec"]["template"]
    template["metadata"]["annotations"] = {"vault.example.com/token": MARK}
    template["metadata"]["labels"] |= {"token": MARK}
    container = template["spec"]["containers"][0]
    container |= {"env": [{"name": "TOKEN", "value": MARK}], "args": [f"--token={MARK}"]}
    put(box, worker)
    header = {"name": "authorization", "value": f"Bearer {MARK}"}
    put(
        box,
        {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": "planted", "namespace": "shop", "annotations": {"token": MARK}},
            "spec": {"configPatches": [{"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": header}}]},
        },
    )
    put(
        box,
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": "planted", "namespace": "shop"},
            "spec": {
                "hosts": ["a.example.com"],
                "gateways": ["nowhere"],
                "http": [
                    {"headers": {"request": {"set": {"x-token": MARK}}}, "route": [{"destination": {"host": "b"}}]}
                ],
            },
        },
    )
    # By hand in the mesh: the plan has a difference, of two values.
    container = {"name": "discovery", "env": [{"name": "OVERLAID", "value": f"{MARK}-by-hand"}]}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    box.api.request(
        "PATCH",
        ISTIOD,
        query={"fieldManager": "hand"},
        body=patch,
        content_type="application/strategic-merge-patch+json",
    )
    box.api.create(
        f"/api/v1/namespaces/{ISTIO_NAMESPACE}/events",
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "planted", "namespace": ISTIO_NAMESPACE},
            "involvedObject": {"kind": "Pod", "namespace": ISTIO_NAMESPACE, "name": "worker"},
            "reason": "Planted",
            "message": f"password {IN_AN_EVENT}",
            "type": "Warning",
        },
    )


def environments(folder: Path) -> tuple[str, ...]:
    """Whose files have secrets, too: as text and by way of a variable."""
    url = "https://user:${SOHISTIO_PLANTED}@prometheus.example.com"
    flags = own_environments(folder, monitoring={"prometheusURL": url.replace("user:", "").replace("@", ".")})
    overlay = Path(flags[-1], "local/istiooperator.yaml")
    env = {"env": [{"name": "OVERLAID", "value": MARK}]}
    spec = {"components": {"pilot": {"k8s": env}}}
    document = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    overlay.write_text(yaml.safe_dump(document))
    return flags


def reader(box: Sandbox, folder: Path) -> tuple[str, Path]:
    """Somebody with the two roles that the docs name."""
    for name in ("reader", "support"):
        for item in yaml.safe_load_all((CHECKOUT / "rbac" / f"{name}.yaml").read_text()):
            if item["metadata"]["name"] == "sohistio-analyzer":
                continue
            if item["kind"].endswith("Binding"):
                item["subjects"] = [{"kind": "ServiceAccount", "name": "helped", "namespace": "default"}]
            box.api.apply(box.api.path_of(item), item, "administrator", force=True)
    return "system:serviceaccount:default:helped", kubeconfig_for(box, folder, account(box.api, "helped"))


def asked_for_secrets(box: Sandbox, user: str, since: int) -> list[str]:
    lines = (box.folder / "audit.log").read_text().splitlines()[since:]
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    mine = [event for event in events if event["user"].get("username") == user]
    assert mine
    return [event["requestURI"] for event in mine if event.get("objectRef", {}).get("resource") == "secrets"]


def test_secrets_planted_everywhere_are_in_no_bundle(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    box = empty_sandbox
    flags = environments(tmp_path)
    planted = {"SOHISTIO_PLANTED": MARK}
    done = box.run("install", *flags, "--yes", "--reason", MARK, **planted)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stdout + done.stderr
    apply(box.api, namespace("shop"))
    plant(box)
    user, kubeconfig = reader(box, tmp_path)
    whose = {
        user: ("--kubeconfig", str(kubeconfig), "--context", box.context),
        "sohistio-admin": (),  # who may read all Secrets
    }
    for name, where in whose.items():
        out, before = tmp_path / f"{name.rpartition(':')[2]}.tar.gz", box.writes(name)
        since = len((box.folder / "audit.log").read_text().splitlines())
        given = planted | {"SOHISTIO_ISTIO_MIRROR": box.mirror}
        done = box.run("support-bundle", *flags, *where, "--out", str(out), "--output", "json", **given)  # type: ignore[arg-type]
        assert done.returncode == 0, done.stdout + done.stderr
        assert asked_for_secrets(box, name, since) == []
        assert box.writes(name) == before
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        said = check(done.stdout, "SupportBundle")
        problems = {part["name"]: part["problem"] for part in said["parts"] if part["problem"]}
        assert {part["name"] for part in said["parts"]} == PARTS
        assert set(problems) == {"logs"}, problems
        assert "connection refused" in problems["logs"]  # no kubelet is there

        files = unpacked(out, tmp_path / f"unpacked-{out.name}")
        assert holding(files, MARK) == []
        assert holding(files, IN_AN_EVENT) == ["events.json"]
        assert [part["name"] for part in said["parts"] if part["freeText"]] == ["events", "logs"]
        _is_of_use({key: json.loads(text) for key, text in files.items()}, said)
        again = box.run("support-bundle", *flags, *where, "--out", str(out), **given)  # type: ignore[arg-type]
        assert (again.returncode, "is there already" in again.stderr) == (2, True)


def _is_of_use(files: dict[str, Any], said: dict[str, Any]) -> None:
    """What a helper looks for first."""
    assert files["index.json"]["parts"] == said["parts"]
    assert files["versions.json"]["istioTarget"] == "1.31.1"
    assert files["environment.json"]["istio"]["version"] == "1.31.1"
    assert files["record.json"]["runs"][-1]["outcome"] == "done"
    changed = {item["object"]: item["fields"] for item in files["plan.json"]["changes"]}
    fields = changed[f"Deployment {ISTIO_NAMESPACE}/istiod"]
    assert [field["manager"] for field in fields] == ["hand"]
    assert "OVERLAID" in fields[0]["path"]
    istiod = next(item for item in files["objects.json"]["objects"] if item.get("name") == "istiod")
    assert "OVERLAID" in istiod["containers"][0]["variables"]
    resources = {(item["kind"], item["name"]) for item in files["custom-resources.json"]["objects"]}
    assert resources >= {("EnvoyFilter", "planted"), ("VirtualService", "planted")}
    findings = {(item["code"], item["origin"]) for item in files["analyze.json"]["findings"]}
    assert ("IST0101", "VirtualService shop/planted") in findings


def test_a_cluster_that_cannot_be_reached_is_many_lines_and_a_bundle(sandbox: Sandbox, tmp_path: Path) -> None:
    document = yaml.safe_load(sandbox.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(document))
    where = ("--kubeconfig", str(kubeconfig), "--context", sandbox.context)
    given = {"SOHISTIO_ISTIO_MIRROR": sandbox.mirror}
    own = ("--env", "local", "--environments", str(CHECKOUT / "environments"))
    done = sandbox.run("support-bundle", *own, *where, "--no-logs", cwd=tmp_path, **given)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("support-local-*.tar.gz")
    files = unpacked(path, tmp_path / "unpacked")
    assert set(files) == {"index.json", "versions.json", "environment.json", "plan.json"}
    assert done.stdout.count("cannot be reached") == len(PARTS - {"versions", "environment", "plan", "logs"})

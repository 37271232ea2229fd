"""Pull Secrets on a real cluster: from each source, kept in step with it, others' left alone, and seen nowhere else."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from own_environments import own_environments
from sandboxes import Sandbox
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

HUB = "docker.io/istio"
REGISTRY = "https://index.docker.io/v1/"
TYPE = "kubernetes.io/dockerconfigjson"
VARIABLES = {"variables": {"username": "JFROG_USERNAME", "password": "JFROG_PASSWORD"}}
FIRST, SECOND, THIRD = "first-Zq7hunter2", "second-Xw9hunter2", "third-Vu3hunter2"
Done = subprocess.CompletedProcess[str]


def secret_path(place: str, name: str = "jfrogauth") -> str:
    return f"/api/v1/namespaces/{place}/secrets/{name}"


def login(box: Sandbox, place: str) -> str:
    """The password in a namespace's pull Secret; empty where there is none."""
    found = box.api.get(secret_path(place))
    if found is None:
        return ""
    config = json.loads(b64decode(found["data"][".dockerconfigjson"]))
    return str(config["auths"][REGISTRY]["password"])


def config_of(password: str) -> str:
    return json.dumps({"auths": {REGISTRY: {"username": "bob", "password": password}}})


def secret(place: str, name: str, password: str) -> dict[str, Any]:
    """Somebody else's."""
    data = {".dockerconfigjson": b64encode(config_of(password).encode()).decode()}
    metadata = {"name": name, "namespace": place}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": TYPE, "data": data}


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A first install, with user name and password in variables; shop is ours to label, media its team's."""
    sandbox.reset()
    apply(sandbox.api, namespace("shop", injected=False))
    apply(sandbox.api, namespace("media"))
    apply(sandbox.api, namespace("plain", injected=False))
    flags = environment(tmp_path_factory.mktemp("first"), VARIABLES)
    done = install(sandbox, flags, FIRST)
    assert done.returncode == 0, done.stdout + done.stderr
    return sandbox


def environment(folder: Path, source: dict[str, Any]) -> tuple[str, ...]:
    istio = {"pullSecret": "jfrogauth", "pullSecretSource": source}
    return own_environments(folder, istio=istio, applicationNamespaces=["shop"])


def install(box: Sandbox, flags: tuple[str, ...], password: str = "") -> Done:
    if not password:
        return box.run("install", *flags)
    return box.run("install", *flags, JFROG_USERNAME="bob", JFROG_PASSWORD=password)


def unchanged(box: Sandbox, flags: tuple[str, ...], password: str = "") -> None:
    before = box.writes()
    done = install(box, flags, password)
    assert (done.returncode, "nothing was written" in done.stdout) == (0, True), done.stdout + done.stderr
    assert box.writes() == before


def refused(box: Sandbox, flags: tuple[str, ...]) -> str:
    """What an install is refused with; nothing is written, and a plan is still given, with a notice."""
    before = box.writes()
    done = install(box, flags)
    assert done.returncode == 3, done.stdout + done.stderr
    assert box.writes() == before
    plan = box.run("plan", *flags, "--output", "json")
    assert plan.returncode == 0
    assert any("pull Secrets are not compared, and a run is refused" in n for n in json.loads(plan.stdout)["notices"])
    return " ".join(done.stderr.split())


def test_the_mesh_and_every_injected_namespace_get_it(meshed: Sandbox, tmp_path: Path) -> None:
    assert {place: login(meshed, place) for place in ("istio-system", "shop", "media", "plain")} == {
        "istio-system": FIRST,
        "shop": FIRST,
        "media": FIRST,
        "plain": "",
    }
    found = meshed.api.get(secret_path("shop"))
    assert found is not None
    assert (found["type"], found["metadata"]["labels"]) == (TYPE, {"app.kubernetes.io/managed-by": "sohistio"})
    account = meshed.api.get("/api/v1/namespaces/istio-system/serviceaccounts/istiod")
    assert account is not None
    assert account["imagePullSecrets"] == [{"name": "jfrogauth"}]
    unchanged(meshed, environment(tmp_path, VARIABLES), FIRST)


def test_a_new_password_is_written_everywhere_and_nothing_else_is(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environment(tmp_path, VARIABLES)
    before = len(meshed.writes())
    planned = meshed.run("plan", *flags, "--output", "json", "--exit-code", JFROG_USERNAME="bob", JFROG_PASSWORD=SECOND)
    assert planned.returncode == 4
    plan = json.loads(planned.stdout)
    assert plan["mode"] == "none"
    assert [step["id"] for phase in plan["phases"] for step in phase["steps"]] == [
        "pull-secrets/write",
        "verify/mesh",
    ]
    done = install(meshed, flags, SECOND)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {login(meshed, place) for place in ("istio-system", "shop", "media")} == {SECOND}
    written = {write.split("?")[0] for write in meshed.writes()[before:]}
    of_every_run = ("/leases", "/configmaps/sohistio-record", "/events")
    assert {write for write in written if not any(part in write for part in of_every_run)} == {
        f"patch {secret_path(place)}" for place in ("istio-system", "shop", "media")
    }
    unchanged(meshed, flags, SECOND)


def test_two_plans_with_different_passwords_have_one_digest(meshed: Sandbox, tmp_path: Path) -> None:
    """Nothing of a plan is derived from the password: all it tells is which Secrets are to be written."""
    flags = environment(tmp_path, VARIABLES)
    plans = [
        meshed.run("plan", *flags, "--output", "json", JFROG_USERNAME="bob", JFROG_PASSWORD=word).stdout
        for word in ("one-of-them", "another-one")
    ]
    assert plans[0] == plans[1]


def test_a_hand_edit_of_our_secret_is_mended(meshed: Sandbox, tmp_path: Path) -> None:
    edited = secret("shop", "jfrogauth", "by-hand")["data"]
    meshed.api.request(
        "PATCH",
        secret_path("shop"),
        query={"fieldManager": "kubectl-edit"},
        body={"data": edited},
        content_type="application/merge-patch+json",
    )
    done = install(meshed, environment(tmp_path, VARIABLES), SECOND)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "update pull Secret jfrogauth in shop" in done.stdout
    assert login(meshed, "shop") == SECOND


def test_somebody_elses_secret_is_left_alone(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environment(tmp_path, VARIABLES)
    apply(meshed.api, namespace("theirs"))
    for password, differs in ((SECOND, False), ("their-own", True)):
        meshed.api.delete(secret_path("theirs"))
        meshed.api.create("/api/v1/namespaces/theirs/secrets", secret("theirs", "jfrogauth", password))
        unchanged(meshed, flags, SECOND)
        assert login(meshed, "theirs") == password
        said = meshed.run("plan", *flags, JFROG_USERNAME="bob", JFROG_PASSWORD=SECOND).stdout
        assert ("Secret theirs/jfrogauth is somebody else's" in said) is differs
    meshed.api.delete(secret_path("theirs"))
    done = install(meshed, flags, SECOND)
    assert (done.returncode, login(meshed, "theirs")) == (0, SECOND), done.stdout + done.stderr
    meshed.api.delete("/api/v1/namespaces/theirs")


def test_a_variable_that_is_not_set(meshed: Sandbox, tmp_path: Path) -> None:
    said = refused(meshed, environment(tmp_path, VARIABLES))
    assert "the variables JFROG_USERNAME and JFROG_PASSWORD are not set" in said
    unmapped = install(meshed, environment(tmp_path, VARIABLES), "$(jfrogPassword)")
    assert unmapped.returncode == 3
    assert "the variable JFROG_PASSWORD is not set" in " ".join(unmapped.stderr.split())


def test_a_docker_config(meshed: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    flags = environment(tmp_path, {"dockerConfig": str(file)})
    assert "cannot be read: No such file" in refused(meshed, flags)
    file.write_text(json.dumps({"auths": {REGISTRY: {}}, "credsStore": "desktop"}))
    assert "in a credential helper (desktop)" in refused(meshed, flags)
    file.write_text('{"auths": {"registry.example.com": {"auth": "Ym9iOm90aGVy"}}}')
    assert "it has entries for: registry.example.com" in refused(meshed, flags)
    auth = b64encode(f"bob:{THIRD}".encode()).decode()
    others = {"registry.example.com": {"auth": "Ym9iOm90aGVy"}}
    file.write_text(json.dumps({"auths": others | {REGISTRY: {"auth": auth}}}))
    done = install(meshed, flags)
    assert done.returncode == 0, done.stdout + done.stderr
    found = meshed.api.get(secret_path("shop"))
    assert found is not None
    assert list(json.loads(b64decode(found["data"][".dockerconfigjson"]))["auths"]) == [REGISTRY]
    assert login(meshed, "shop") == THIRD
    unchanged(meshed, flags)


def test_several_registries_each_from_its_own_source(meshed: Sandbox, tmp_path: Path) -> None:
    """Base images and application images: a variable, a docker config and a copied Secret in one pull Secret."""
    file = tmp_path / "config.json"
    others = {
        "jfrog.example.com": {"dockerConfig": str(file)},
        "base.example.com:8443": {"secret": "base/registry"},
    }
    istio = {"pullSecret": "jfrogauth", "pullSecretSource": VARIABLES, "pullSecretRegistries": others}
    flags = own_environments(tmp_path, istio=istio, applicationNamespaces=["shop"])
    said = refused(meshed, flags)
    assert "the logins of 3 registries cannot be had" in said
    assert "istio.pullSecretSource: the variables JFROG_USERNAME and JFROG_PASSWORD are not set" in said
    assert f"istio.pullSecretRegistries[jfrog.example.com]: {file} cannot be read" in said
    assert "istio.pullSecretRegistries[base.example.com:8443]: Secret base/registry does not exist" in said

    entries = {"jfrog.example.com": FIRST, "elsewhere.example.com": SECOND}
    file.write_text(
        json.dumps({"auths": {key: {"username": "eve", "password": word} for key, word in entries.items()}})
    )
    apply(meshed.api, namespace("base", injected=False))
    data = json.dumps({"auths": {"base.example.com:8443": {"username": "ann", "password": THIRD}}})
    given = secret("base", "registry", "") | {"data": {".dockerconfigjson": b64encode(data.encode()).decode()}}
    one_missing = install(meshed, flags, SECOND)
    assert one_missing.returncode == 3
    assert "Secret base/registry does not exist" in one_missing.stderr
    meshed.api.create("/api/v1/namespaces/base/secrets", given)

    done = install(meshed, flags, SECOND)
    assert done.returncode == 0, done.stdout + done.stderr
    found = meshed.api.get(secret_path("shop"))
    assert found is not None
    auths = json.loads(b64decode(found["data"][".dockerconfigjson"]))["auths"]
    assert {key: (entry["username"], entry["password"]) for key, entry in auths.items()} == {
        REGISTRY: ("bob", SECOND),
        "jfrog.example.com": ("eve", FIRST),
        "base.example.com:8443": ("ann", THIRD),
    }
    unchanged(meshed, flags, SECOND)
    assert not any(word in done.stdout + done.stderr for word in (FIRST, SECOND, THIRD))


def test_a_copied_secret_and_its_rotation(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environment(tmp_path, {"secret": "platform/registry"})
    assert "Secret platform/registry does not exist" in refused(meshed, flags)
    apply(meshed.api, namespace("platform", injected=False))
    opaque = secret("platform", "registry", FIRST) | {"type": "Opaque"}
    meshed.api.create("/api/v1/namespaces/platform/secrets", opaque)
    assert "Secret platform/registry is of type Opaque" in refused(meshed, flags)
    meshed.api.delete(secret_path("platform", "registry"))
    meshed.api.create("/api/v1/namespaces/platform/secrets", secret("platform", "registry", FIRST))
    for password in (FIRST, SECOND):
        meshed.api.merge_patch(
            secret_path("platform", "registry"), {"data": secret("platform", "registry", password)["data"]}
        )
        done = install(meshed, flags)
        assert done.returncode == 0, done.stdout + done.stderr
        assert {login(meshed, place) for place in ("istio-system", "shop", "media")} == {password}
    unchanged(meshed, flags)


def test_an_uninstall_keeps_them_and_a_purge_takes_ours(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environment(tmp_path, VARIABLES)
    apply(meshed.api, namespace("aside", injected=False))
    meshed.api.create("/api/v1/namespaces/aside/secrets", secret("aside", "jfrogauth", "their-own"))
    kept = meshed.run("uninstall", *flags, "--yes")
    assert (kept.returncode, "3 pull Secrets" in kept.stdout) == (0, True), kept.stdout + kept.stderr
    assert login(meshed, "shop") != ""
    done = meshed.run("uninstall", *flags, "--yes", "--purge", "--confirm", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {place: bool(login(meshed, place)) for place in ("shop", "media", "aside")} == {
        "shop": False,
        "media": False,
        "aside": True,
    }


def _bytes_written(box: Sandbox, *folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of sohistio and of the sandbox but the database of the API server, which holds Secrets."""
    for folder in (box.state_home, *folders):
        for file in folder.rglob("*"):
            if file.is_file() and "etcd" not in file.relative_to(folder).parts:
                yield str(file), file.read_bytes()


def test_no_byte_that_a_run_writes_has_the_password(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environment(tmp_path, VARIABLES)
    out = tmp_path / "plan.json"
    said: list[str] = []
    for password in (FIRST, SECOND):
        runs = [
            meshed.run(*command, JFROG_USERNAME="bob", JFROG_PASSWORD=password)
            for command in (
                ("plan", *flags, "--out", str(out)),
                ("plan", *flags, "--output", "json", "--diff"),
                ("install", *flags, "--output", "json"),
                ("status", *flags, "--output", "json"),
                ("env", "show", *flags[2:], "local"),
                ("history", *flags, "--output", "json"),
            )
        ]
        assert [run.returncode for run in runs] == [0] * len(runs), [run.stderr for run in runs]
        said += [text for run in runs for text in (run.stdout, run.stderr, " ".join(run.args))]
    assert login(meshed, "shop") == SECOND
    record = meshed.api.get("/api/v1/namespaces/istio-system/configmaps/sohistio-record")
    written = [("record", json.dumps(record).encode()), *_bytes_written(meshed, tmp_path)]
    written += [(f"output {number}", text.encode()) for number, text in enumerate(said)]
    assert any(name.endswith("audit.log") for name, _ in written)
    needles = [form for word in (FIRST, SECOND, THIRD) for form in _forms(word)]
    found = [(name, form) for name, content in written for form in needles if form in content]
    assert found == []


def _forms(password: str) -> list[bytes]:
    """The password as it stands, and as base64 has it at any of the three offsets."""
    plain = password.encode()
    shifted = [b64encode(b"x" * offset + plain)[4:-4] for offset in range(3)]
    return [plain, *shifted]

"""A corporate CA from files, on a real mesh: plugged in once, over nothing; and certificates' ends, said in time."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts import account, kubeconfig_for
from certificate_authorities import Corporate, Shape, corporate, make
from certificates import tls_secret
from mesh_workloads import SIDECAR_PORT, deploy_workload
from own_environments import own_environments
from sandboxes import CHECKOUT, Sandbox
from shop import await_true, traffic_sandbox
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.model.kube_target import KubeTarget
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

SECRETS = "/api/v1/namespaces/istio-system/secrets"
CACERTS = f"{SECRETS}/cacerts"
ROOTS = "/api/v1/namespaces/{}/configmaps/istio-ca-root-cert"
GATEWAY = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "selector": {"istio": "ingressgateway"},
        "servers": [
            {
                "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
                "hosts": ["web.example.com"],
                "tls": {"mode": "SIMPLE", "credentialName": "web-tls"},
            }
        ],
    },
}
Done = subprocess.CompletedProcess[str]


@dataclass
class World:
    """The sandbox, a folder for environments, and the CA that is plugged in."""

    box: Sandbox
    folder: Path
    ca: Corporate = field(default_factory=lambda: corporate(days=60))

    def flags(
        self, ca: Corporate | None = None, *, without: str = "", parts: dict[str, str] | None = None
    ) -> tuple[str, ...]:
        """An environment that declares a CA's files, the plugged-in one's by default."""
        found = own_environments(self.folder, policy={"authority": {"files": {}}}, applicationNamespaces=["shop"])
        local = Path(found[-1]) / "local"
        (ca or self.ca).write(local, **(parts or {}))
        if without:
            (local / without).unlink()
        return found

    def refused(self, *flags: str) -> str:
        """What an install is refused with; nothing is written."""
        before = self.box.writes()
        done = self.box.run("install", *flags, "--yes")
        assert done.returncode == 3, done.stdout + done.stderr
        assert self.box.writes() == before
        return " ".join(done.stderr.split())

    def check(self, *more: str, variable: str = "") -> tuple[int, dict[str, list[dict[str, str]]]]:
        """Exit code, and the results of the two checks; the option may come from its variable."""
        command = ("check", *self.flags(), "--output", "json", *more)
        if variable:
            return rows(self.box.run(*command, SOHISTIO_FAIL_IF_EXPIRES_WITHIN=variable))
        return rows(self.box.run(*command))

    def serve(self, days: float) -> None:
        """The ingress gateway's certificate, from now on."""
        self.box.api.apply(f"{SECRETS}/web-tls", tls_secret("istio-system", "web-tls", days=days), "test", force=True)


def rows(done: Done) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Exit code, and the results that are about certificates."""
    found: dict[str, list[dict[str, str]]] = {}
    for item in json.loads(done.stdout)["checks"]:
        if item["name"].startswith("certificate-"):
            found.setdefault(item["name"], []).append(item)
    return done.returncode, found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with traffic_sandbox(tmp_path_factory.mktemp("state"), nodes=1) as box:
        apply(box.api, namespace("shop", injected=False))
        yield World(box, tmp_path_factory.mktemp("environments"))


def test_a_mesh_with_a_root_of_its_own_is_refused(world: World) -> None:
    """So is what an uninstalled mesh left: somebody must say that nobody trusts it any more."""
    plain = own_environments(world.folder, applicationNamespaces=["shop"])
    assert world.box.run("install", *plain, "--yes").returncode in (0, 5)
    code, found = rows(world.box.run("check", *plain, "--output", "json"))
    assert code == 0, found
    (said,) = found["certificate-authority"]
    assert said["message"].startswith("istiod's own self-signed root signs (Secret istio-ca-secret): O=cluster.local")

    words = world.refused(*world.flags())
    assert "istiod's own self-signed root signs (Secret istio-system/istio-ca-secret)" in words
    assert "rotated in stages" in words
    gone = world.box.run("uninstall", *plain, "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    words = world.refused(*world.flags())
    assert "There is no istiod. If no sidecar of the old mesh runs any more, delete it" in words
    assert world.box.api.get(CACERTS) is None
    assert world.box.api.delete(f"{SECRETS}/istio-ca-secret")


def test_unsound_material_is_refused_with_all_its_faults(world: World) -> None:
    other = corporate("Other")
    old = make("Old", world.ca.root, Shape(days=-0.5))
    wrong = {"ca_cert": old.pem, "cert_chain": old.pem, "ca_key": other.mesh.key_pem}
    words = world.refused(*world.flags(parts=wrong))
    assert "the CA of policy.authority cannot sign: ca-cert.pem: CN=Old expired on" in words
    assert "ca-key.pem is not the key of the certificate in ca-cert.pem" in words
    assert "BEGIN" not in words
    assert world.box.api.get(CACERTS) is None

    code, found = rows(world.box.run("check", *world.flags(parts=wrong), "--output", "json"))
    assert code == 3
    assert [item["result"] for item in found["certificate-authority"]] == ["failed", "failed"]
    assert "cannot be read: No such file" in world.refused(*world.flags(without="ca-key.pem"))


def test_the_first_install_plugs_it_in_with_the_right_for_it(world: World) -> None:
    """By the installer, for whom the administrator binds one more Role."""
    box, flags = world.box, world.flags()
    bind(box, "reader", "reader")  # whose role the installer's builds upon
    bind(box, "installer", "installer")
    user = kubeconfig_for(box, world.folder, account(box.api, "installer"))
    # The API server takes a moment to know a binding.
    api, record = KubeApi(KubeTarget(user, box.context)), "/api/v1/namespaces/istio-system/configmaps/sohistio-record"
    await_true(lambda: _may_get(api, record), 30)
    as_installer = (*flags, "--kubeconfig", str(user), "--context", box.context)
    lacking = box.run("install", *as_installer, "--yes", SOHISTIO_ISTIO_MIRROR=box.mirror)
    assert lacking.returncode == 3, lacking.stdout
    assert "secrets in istio-system (cacerts)" in lacking.stderr
    assert "Role sohistio-authority in rbac/authority.yaml" in " ".join(lacking.stderr.split())
    bind(box, "authority", "installer")

    planned = box.run("plan", *flags, "--output", "json")
    steps = [step for phase in json.loads(planned.stdout)["phases"] for step in phase["steps"]]
    assert steps[0]["id"] == "authority/write"
    done = box.run("install", *as_installer, "--yes", SOHISTIO_ISTIO_MIRROR=box.mirror)
    assert done.returncode == 0, done.stdout + done.stderr
    secret = box.api.get(CACERTS)
    assert secret is not None
    assert secret["data"] == {name: b64encode(text.encode()).decode() for name, text in world.ca.parts.items()}
    assert box.api.get(f"{SECRETS}/istio-ca-secret") is None, "istiod made none of its own"

    # The key is in the Secret (and in istiod's volume) alone.
    body = world.ca.mesh.key_pem.splitlines()[1]
    record = json.dumps(box.api.get("/api/v1/namespaces/istio-system/configmaps/sohistio-record"))
    assert all(body not in text for text in (planned.stdout, done.stdout, done.stderr, record))
    written = [file for name in ("logs", "backups") for file in (box.state_home / "sohistio" / name).rglob("*")]
    assert written
    assert all(body not in file.read_text(errors="replace") for file in written if file.is_file())


def test_workloads_trust_the_root_and_show_a_chain_to_it(world: World) -> None:
    api = world.box.api
    workload = deploy_workload(world.box, "shop", "web")
    workload.await_ready()
    for place in ("istio-system", "shop"):
        published = api.get(ROOTS.format(place))
        assert published is not None
        assert published["data"]["root-cert.pem"].strip() == world.ca.root.pem.strip()
    await_true(lambda: _trusted(workload.place, world.ca.root.pem))
    assert not _trusted(workload.place, corporate().root.pem), "another root of the same name"


def _trusted(address: str, root: str) -> bool:
    """Whether the chain that a sidecar shows verifies against a root."""
    context = ssl.create_default_context(cadata=root)
    context.check_hostname = False
    context.set_alpn_protocols(["istio"])
    try:
        with (
            socket.create_connection((address, SIDECAR_PORT), timeout=10) as plain,
            context.wrap_socket(plain) as wrapped,
        ):
            names = (wrapped.getpeercert() or {}).get("subjectAltName")
            return ("URI", "spiffe://cluster.local/ns/shop/sa/web") in list(names or ())
    except OSError:
        return False


def test_the_next_run_is_up_to_date_without_the_key(world: World) -> None:
    before = world.box.writes()
    again = world.box.run("install", *world.flags(without="ca-key.pem"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "up to date, nothing was written" in again.stdout
    assert world.box.writes() == before


def test_another_root_is_refused_and_another_certificate_of_the_same_is_left_alone(world: World) -> None:
    words = world.refused(*world.flags(corporate("Other")))
    assert "the mesh has another root (CN=Example Root" in words
    assert "rotated in stages" in words
    renewed = Corporate(world.ca.root, make("Example Mesh CA", world.ca.root, Shape(days=900)))
    planned = world.box.run("plan", *world.flags(renewed), "--output", "json", "--exit-code")
    assert planned.returncode == 0, planned.stdout
    (notice,) = (line for line in json.loads(planned.stdout)["notices"] if "cacerts" in line)
    assert "has another certificate (CN=Example Mesh CA" in notice


def test_what_ends_soon_fails_a_pipeline_in_time(world: World) -> None:
    """Warnings with exit 0 until the option says from when on it is an error; what has expired is one in any case."""
    world.serve(days=20)
    world.box.api.apply(world.box.api.path_of(GATEWAY), GATEWAY, "test", force=True)
    code, found = world.check()
    assert code == 0, found
    (said,) = found["certificate-authority"]
    assert (said["severity"], said["result"]) == ("warning", "failed"), "60 days are less than 90"
    assert "CN=Example Mesh CA ends in 59 days" in said["message"]
    served, workloads = found["certificate-expiry"]
    assert served["message"].startswith("the certificate of Secret istio-system/web-tls ends in 19 days")
    assert (served["severity"], served["result"]) == ("warning", "failed")
    assert workloads["message"].startswith("workloads' certificates live 24h (SECRET_TTL)")

    assert world.check("--fail-if-expires-within", "7d")[0] == 0
    code, found = world.check(variable="30d")
    assert code == 3
    assert [item["severity"] for item in (*found["certificate-authority"], found["certificate-expiry"][0])] == [
        "warning",
        "error",
    ]
    code, found = world.check("--fail-if-expires-within", "61d")
    assert (code, found["certificate-authority"][0]["severity"]) == (3, "error")
    wrong = world.box.run("check", *world.flags(), "--fail-if-expires-within", "soon")
    assert wrong.returncode == 2
    assert "--fail-if-expires-within 'soon' is not a duration" in wrong.stderr


def test_what_has_expired_fails_check_and_verify(world: World) -> None:
    world.serve(days=-1)
    code, found = world.check()
    assert code == 3
    assert "Secret istio-system/web-tls expired on" in found["certificate-expiry"][0]["message"]
    verified = world.box.run("verify", *world.flags(), "--output", "json")
    code, found = rows(verified)
    assert code == 5, verified.stdout
    assert found["certificate-expiry"][0]["result"] == "failed"
    world.serve(days=90)
    code, found = rows(world.box.run("verify", *world.flags(), "--output", "json"))
    assert code == 0, found
    assert found["certificate-authority"][0]["severity"] == "warning"


def test_who_lacks_the_right_to_read_secrets_hears_which_role_has_it(world: World) -> None:
    box = world.box
    user = kubeconfig_for(box, world.folder, account(box.api, "reader"))
    flags = (*own_environments(world.folder, applicationNamespaces=["shop"]), "--kubeconfig", str(user))
    where = ("--context", box.context, "--output", "json")
    _, found = rows(box.run("check", *flags, *where, SOHISTIO_ISTIO_MIRROR=box.mirror))
    unread, root = found["certificate-authority"]
    assert (unread["severity"], unread["result"]) == ("warning", "failed")
    assert "Role sohistio-installer of rbac/installer.yaml" in unread["hint"]
    assert root["message"].startswith("the mesh's root: CN=Example Root 3649 days left")
    assert "Role sohistio-certificates of rbac/sync.yaml" in found["certificate-expiry"][0]["hint"]
    late = ("--fail-if-expires-within", "30d")
    code, found = rows(box.run("check", *flags, *where, *late, SOHISTIO_ISTIO_MIRROR=box.mirror))
    assert (code, found["certificate-authority"][0]["severity"]) == (3, "error"), "it was not looked at"
    _, found = rows(box.run("verify", *flags, *where, SOHISTIO_ISTIO_MIRROR=box.mirror))
    assert found["certificate-authority"][0]["result"] == "skipped"


def _may_get(api: KubeApi, path: str) -> bool:
    try:
        api.get(path)
    except KubeError:
        return False
    return True


def bind(box: Sandbox, file: str, user: str) -> None:
    """The roles of a file of rbac/, with a service account in the place of the group."""
    for item in yaml.safe_load_all((CHECKOUT / "rbac" / f"{file}.yaml").read_text()):
        _for(item, user)
        box.api.apply(box.api.path_of(item), item, "administrator", force=True)


def _for(item: dict[str, Any], user: str) -> None:
    if item["kind"].endswith("Binding"):
        item["subjects"] = [{"kind": "ServiceAccount", "name": user, "namespace": "default"}]

"""What is read of a cluster's certificates, and how the CA's Secret is written: over nothing, and without force."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from api_server import ApiServer, Reply
from certificate_authorities import Corporate, corporate, make
from configured import configured
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.authority import declared_authority, read_authority, write_authority
from sohistio.adapters.kubernetes.certificates import go_seconds, mesh_certificates
from sohistio.errors import FailedError
from sohistio.model.certificate import WorkloadLife
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.plan.ownership import OWN_MANAGER
from sohistio.system.authority import Material, NamedText

SYSTEM = "/api/v1/namespaces/istio-system"
CACERTS, OWN = f"{SYSTEM}/secrets/cacerts", f"{SYSTEM}/secrets/istio-ca-secret"
ROOTS, MESH = f"{SYSTEM}/configmaps/istio-ca-root-cert", f"{SYSTEM}/configmaps/istio"
ISTIOD = "/apis/apps/v1/namespaces/istio-system/deployments/istiod"
FORBIDDEN = Reply({"message": "secrets is forbidden"}, 403)
CA = corporate()


def data(**texts: str) -> Reply:
    encoded = {name.replace("_", "."): b64encode(text.encode()).decode() for name, text in texts.items()}
    return Reply({"data": encoded})


def secret(ca: Corporate = CA) -> Reply:
    return Reply({"data": {name: b64encode(text.encode()).decode() for name, text in ca.parts.items()}})


def material(ca: Corporate = CA) -> Material:
    own, key, root, chain = (NamedText(name, text) for name, text in ca.parts.items())
    return Material(own, root, chain, key)


def subjects(found: Any) -> list[str]:
    return [item.subject for item in found]


def test_a_corporate_ca(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", CACERTS, secret())
    server.answers("GET", OWN, data(ca_cert_pem="unused"))
    found = read_authority(api)
    assert (found.secret, found.self_signed, found.unread) == ("cacerts", False, False)
    assert found.authority == declared_authority(material())
    assert subjects(found.authority.all) == ["CN=Example Mesh CA", "CN=Example Root"]


def test_the_names_of_a_tls_secret(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", CACERTS, data(tls_crt=CA.mesh.pem, ca_crt=CA.root.pem))
    assert subjects(read_authority(api).authority.all) == ["CN=Example Mesh CA", "CN=Example Root"]


def test_istiods_own(server: ApiServer, api: KubeApi) -> None:
    """Also where it keeps it under the other name, with a mark."""
    root = make("cluster.local").pem
    own = Reply({"data": {"ca-cert.pem": b64encode(root.encode()).decode()}})
    server.answers("GET", OWN, own)
    found = read_authority(api)
    assert (found.secret, found.self_signed) == ("istio-ca-secret", True)
    assert subjects(found.authority.roots) == ["CN=cluster.local"], "it is its own root"
    server.answers("GET", CACERTS, Reply({"data": own.body["data"] | {"istio-generated": ""}}))
    found = read_authority(api)
    assert (found.secret, found.self_signed) == ("cacerts", True)


def test_nothing_and_what_cannot_be_read(server: ApiServer, api: KubeApi) -> None:
    assert read_authority(api).secret == ""
    server.answers("GET", CACERTS, data(ca_cert_pem="nonsense"))
    found = read_authority(api)
    assert (found.secret, found.authority.certificate, found.authority.roots) == ("cacerts", None, ())
    server.answers("GET", CACERTS, Reply({"data": {"ca-cert.pem": "////"}}))
    assert read_authority(api).authority.certificate is None


def test_without_the_right_to_read_secrets_the_published_root_is_left(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", CACERTS, FORBIDDEN)
    server.answers("GET", ROOTS, Reply({"data": {"root-cert.pem": CA.root.pem}}))
    found = read_authority(api)
    assert (found.secret, found.unread) == ("", True)
    assert subjects(found.authority.roots) == subjects(found.published) == ["CN=Example Root"]
    server.answers("GET", CACERTS, Reply({"message": "no such host"}, 422))
    with pytest.raises(KubeError):
        read_authority(api)


def test_it_is_written_whole_and_never_forced(server: ApiServer, api: KubeApi) -> None:
    server.answers("PATCH", CACERTS, Reply({}))
    write_authority(api, material())
    (asked,) = (asked for asked in server.asked if asked.method == "PATCH")
    assert asked.query == {"fieldManager": OWN_MANAGER, "force": "false"}


@pytest.mark.parametrize("there", [True, False], ids=["there", "came between"])
def test_none_is_overwritten(server: ApiServer, api: KubeApi, there: bool) -> None:
    if there:
        server.answers("GET", CACERTS, secret(corporate("Other")))
    server.answers("PATCH", CACERTS, Reply({"message": "conflict"}, 409))
    with pytest.raises(FailedError, match="came into being just now: it is not overwritten") as caught:
        write_authority(api, material())
    assert "BEGIN" not in str((caught.value.what, caught.value.details, caught.value.todo))
    assert any(asked.method == "PATCH" for asked in server.asked) is not there


def gateway(*names: str) -> dict[str, Any]:
    servers = [{"port": {"number": 443}, "tls": {"credentialName": name}} for name in names]
    spec = {"selector": {"istio": "ingressgateway"}, "servers": servers}
    return configured("Gateway", spec=spec) | {"kind": "Gateway", "apiVersion": "networking.istio.io/v1"}


def test_the_gateways_and_the_workloads(server: ApiServer, api: KubeApi) -> None:
    """A Secret that is missing, one that is forbidden, one with a certificate; lives as configured."""
    server.answers("GET", f"{SYSTEM}/secrets/a", data(tls_crt=CA.mesh.pem))
    server.answers("GET", f"{SYSTEM}/secrets/b", FORBIDDEN)
    mesh = "defaultConfig:\n  proxyMetadata:\n    SECRET_TTL: 12h30m0s\n"
    server.answers("GET", MESH, Reply({"data": {"mesh": mesh}}))
    container = {"name": "discovery", "env": [{"name": "A"}, {"name": "MAX_WORKLOAD_CERT_TTL", "value": "24h"}]}
    server.answers("GET", ISTIOD, Reply({"spec": {"template": {"spec": {"containers": [container]}}}}))
    istiod = MeshDeployment(ObjectRef("Deployment", "istio-system", "istiod"), "istiod", 1, 1, 1)
    found = mesh_certificates(api, [gateway("a", "b", "c")], [istiod])
    assert [(item.secret.name, item.certificate is not None, item.unread) for item in found.gateways] == [
        ("a", True, False),
        ("b", False, True),
        ("c", False, False),
    ]
    assert found.workloads == WorkloadLife(12 * 3600 + 1800, 24 * 3600)


@pytest.mark.parametrize("mesh", ["", "[]", "- a", "defaultConfig: {proxyMetadata: {SECRET_TTL: soon}}", "{"])
def test_istios_defaults_where_nothing_is_said(server: ApiServer, api: KubeApi, mesh: str) -> None:
    server.answers("GET", MESH, Reply({"data": {"mesh": mesh}}))
    assert mesh_certificates(api, [], []).workloads == WorkloadLife(24 * 3600, 90 * 24 * 3600)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("24h0m0s", 86400),
        ("20s", 20),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("500ms", 0),
        ("1d", None),
        ("", None),
        (7, None),
    ],
)
def test_durations_as_go_writes_them(text: object, seconds: int | None) -> None:
    assert go_seconds(text) == seconds

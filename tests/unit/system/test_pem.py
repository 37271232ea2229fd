"""What is in PEM that people hand over beside what it is for."""

from __future__ import annotations

import pytest
from cryptography import x509

from certificate_authorities import Made, Shape, corporate, make
from sohistio.system.authority import Material, NamedText, material_faults
from sohistio.system.pem import certificates_pem, keys_in

CA = corporate()
URIS = x509.NameConstraints([x509.UniformResourceIdentifier("corp.example")], None)
NO_URIS = x509.NameConstraints(None, [x509.UniformResourceIdentifier("cluster.local")])
NAMES = x509.NameConstraints([x509.DNSName("corp.example")], None)


def material(*, root: str = CA.root.pem, mesh: Made = CA.mesh, key: str = "") -> Material:
    parts = {"ca-cert.pem": mesh.pem, "root-cert.pem": root, "cert-chain.pem": mesh.pem}
    own, above, chain = (NamedText(name, text) for name, text in parts.items())
    return Material(own, above, chain, NamedText("ca-key.pem", key) if key else None)


def below(shape: Shape) -> Made:
    return make("Mesh", CA.root, shape)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (material(root=CA.root.pem + CA.root.key_pem), "root-cert.pem holds a private key as well: what trusts is "),
        (material(root=CA.root.pem + make("Other").pem[:300]), "holds 2 certificates, of which 1 cannot be read"),
        (material(mesh=below(Shape(constraints=URIS))), "CN=Mesh has name constraints on URIs"),
        (material(mesh=below(Shape(constraints=NO_URIS))), "CN=Mesh has name constraints on URIs"),
        (material(mesh=below(Shape(unknown=True))), "CN=Mesh has the critical extension 1.3.6.1.4.1.99999.1"),
        (material(mesh=below(Shape(days=1))), "UTC: expected two days at least"),
        (material(key=CA.mesh.key_pem + make("Other").key_pem), "ca-key.pem holds several private keys"),
    ],
    ids=["a-key-among-roots", "a-root-cut-off", "uris", "no-uris", "critical", "a-day", "two-keys"],
)
def test_what_keeps_it_from_signing(given: Material, fault: str) -> None:
    assert any(fault in found for found in material_faults(given)), material_faults(given)


def test_constraints_on_hosts_keep_nobody_out() -> None:
    assert material_faults(material(mesh=below(Shape(constraints=NAMES)))) == ()


def test_only_what_it_is_for_is_taken_out() -> None:
    text = f"\ufeff# from the CA's people\r\n{CA.root.pem}{CA.root.key_pem}"
    assert certificates_pem(text) == CA.root.pem
    assert keys_in(text) == [CA.root.key_pem]
    assert keys_in(CA.mesh.key_pem.replace("\n", "\r\n")) == [CA.mesh.key_pem]
    assert "PRIVATE" not in certificates_pem(text)

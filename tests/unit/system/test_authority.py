"""What is wrong with a CA's material: a table of real certificates. Nothing of a key is in any message."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from certificate_authorities import SERVERS_ONLY, SOUND, Made, Shape, key_pem, make
from sohistio.system.authority import Material, NamedText, issuers_in, material_faults

WORD = "the-passphrase"


def material(mesh: Made, *above: Made, root: Made | None = None, **other: str | None) -> Material:
    """The CA's files: its chain is the CA and those above it, the last of which is the root."""
    top = root or (above[-1] if above else mesh)
    texts: dict[str, str | None] = {"certificate": mesh.pem, "root": top.pem, "key": mesh.key_pem}
    texts["chain"] = "".join(item.pem for item in (mesh, *above))
    texts.update(other)
    names = {"certificate": "ca-cert.pem", "root": "root-cert.pem", "chain": "cert-chain.pem", "key": "ca-key.pem"}
    found = {part: NamedText(names[part], text) for part, text in texts.items() if text is not None}
    return Material(found["certificate"], found["root"], found["chain"], found.get("key"))


@cache
def root() -> Made:
    return make("Root")


@cache
def mesh() -> Made:
    return make("Mesh", root(), Shape(path_length=0))


def shaped(shape: Shape) -> Material:
    return material(make("Mesh", root(), shape), root())


def below_root(shape: Shape) -> Material:
    above = make("Root", shape=shape)
    return material(make("Mesh", above), above)


def keyed(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> Material:
    return material(make("Mesh", root(), key=key), root())


def three(middle: Shape = SOUND, top: Shape = SOUND) -> Material:
    above = make("Root", shape=top)
    between = make("Middle", above, middle)
    return material(make("Mesh", between), between, above)


def test_sound_ones() -> None:
    assert material_faults(material(mesh(), root())) == ()
    assert material_faults(material(mesh(), root(), chain=mesh().pem)) == (), "the chain may leave the root out"
    assert material_faults(material(root())) == (), "the root itself may sign"
    assert material_faults(three()) == ()
    assert material_faults(three(Shape(path_length=1), Shape(path_length=2))) == ()
    assert material_faults(material(mesh(), root(), key=None)) == (), "who only compares does not read the key"
    assert material_faults(keyed(rsa.generate_private_key(65537, 2048))) == ()
    assert material_faults(keyed(ec.generate_private_key(ec.SECP384R1()))) == ()
    assert material_faults(_with_root(make("New Root").pem + root().pem)) == (), "a rotation has both"


def _with_root(pem: str) -> Material:
    return replace(material(mesh(), root()), root=NamedText("root-cert.pem", pem))


EXPECTED = "expected RSA of 2048 bits or more, or ECDSA on P-256 or more"
OTHER = make("Other Root")


@pytest.mark.parametrize(
    ("found", "faults"),
    [
        (material(mesh(), root(), certificate="nonsense"), ["ca-cert.pem holds no certificate that can be read"]),
        (
            material(mesh(), root(), certificate=mesh().pem + root().pem),
            ["ca-cert.pem holds 2 certificates: expected the CA's alone"],
        ),
        (_with_root(""), ["root-cert.pem holds no certificate that can be read"]),
        (material(mesh(), root(), chain=""), ["cert-chain.pem holds no certificate that can be read"]),
        (
            material(mesh(), root(), chain=root().pem),
            ["cert-chain.pem does not begin with the certificate of ca-cert.pem"],
        ),
        (_with_root(OTHER.pem), ["cert-chain.pem: CN=Root is not signed by a root of root-cert.pem"]),
        (
            material(mesh(), root(), chain=mesh().pem + OTHER.pem),
            ["cert-chain.pem: CN=Mesh is not signed by the next certificate, CN=Other Root"],
        ),
        (
            _with_root(mesh().pem),
            [
                "root-cert.pem: CN=Mesh is not self-signed, so it is no root",
                "cert-chain.pem: CN=Root is not signed by a root of root-cert.pem",
            ],
        ),
        (shaped(Shape(days=-0.5)), ["ca-cert.pem: CN=Mesh expired on "]),
        (shaped(Shape(begins=3)), ["ca-cert.pem: CN=Mesh is valid from "]),
        (below_root(Shape(days=-0.5)), ["root-cert.pem: CN=Root expired on "]),
        (shaped(Shape(is_ca=False)), ["ca-cert.pem: CN=Mesh is not the certificate of a CA (basicConstraints)"]),
        (
            shaped(Shape(may_sign=False)),
            ["ca-cert.pem: CN=Mesh lacks permission to sign certificates (keyUsage keyCertSign)"],
        ),
        (
            shaped(Shape(may_sign=None)),
            ["ca-cert.pem: CN=Mesh lacks permission to sign certificates (keyUsage keyCertSign)"],
        ),
        (
            shaped(SERVERS_ONLY),
            ["ca-cert.pem: CN=Mesh is not meant for TLS servers and clients (extendedKeyUsage), and hands that on"],
        ),
        (
            below_root(Shape(path_length=0)),
            ["root-cert.pem: CN=Root allows 0 CAs below it (path length), and there are 1"],
        ),
        (
            three(Shape(path_length=0)),
            ["cert-chain.pem: CN=Middle allows 0 CAs below it (path length), and there are 1"],
        ),
        (three(Shape(days=-0.5)), ["cert-chain.pem: CN=Middle expired on "]),
        (
            keyed(rsa.generate_private_key(65537, 1024)),  # noqa: S505 — the weak one
            [f"ca-cert.pem: CN=Mesh: its key is RSA of 1024 bits: {EXPECTED}"],
        ),
        (
            keyed(ec.generate_private_key(ec.SECP256K1())),
            [f"ca-cert.pem: CN=Mesh: its key is ECDSA on secp256k1: {EXPECTED}"],
        ),
        (
            keyed(ed25519.Ed25519PrivateKey.generate()),
            [f"ca-cert.pem: CN=Mesh: its key is neither RSA nor ECDSA: {EXPECTED}"],
        ),
        (
            material(mesh(), root(), key=OTHER.key_pem),
            ["ca-key.pem is not the key of the certificate in ca-cert.pem"],
        ),
        (material(mesh(), root(), key="nonsense"), ["ca-key.pem holds no private key that can be read (PEM)"]),
        (
            material(mesh(), root(), key=key_pem(mesh().key, WORD.encode())),
            ["ca-key.pem is encrypted: istiod reads a key without a passphrase only"],
        ),
        (
            material(make("Mesh", root(), Shape(days=-0.5, is_ca=False)), root(), key=OTHER.key_pem),
            [
                "ca-cert.pem: CN=Mesh expired on ",
                "ca-cert.pem: CN=Mesh is not the certificate of a CA (basicConstraints)",
                "ca-key.pem is not the key of the certificate in ca-cert.pem",
            ],
        ),
    ],
)
def test_faults(found: Material, faults: list[str]) -> None:
    """All in one list, each with the part's name."""
    said = material_faults(found)
    assert len(said) == len(faults), said
    for line, expected in zip(said, faults, strict=True):
        assert line.startswith(expected), line


def test_no_message_has_a_part_of_a_key() -> None:
    secret = "MIGHAgEAMBMGByqGSM49"
    for key in (f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n", mesh().key_pem[:-60]):
        found = material(mesh(), root(), key=key)
        said = " ".join((*material_faults(found), repr(found)))
        assert "ca-key.pem holds no private key" in said
        assert secret not in said
        assert "BEGIN" not in said


def test_who_a_ca_is() -> None:
    own, above = issuers_in(mesh().pem + root().pem)
    assert (own.subject, own.issuer, above.subject) == ("CN=Mesh", "CN=Root", "CN=Root")
    assert own.ends == mesh().certificate.not_valid_after_utc
    assert len(own.fingerprint) == 64
    assert issuers_in("") == ()

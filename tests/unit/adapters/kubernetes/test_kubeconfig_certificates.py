"""Certificates of a kubeconfig that TLS could not use: told before anything is asked, and without what they hold."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from certificate_authorities import key_pem, make
from one_context import target
from sohistio.adapters.kubernetes.kubeconfig import client_for
from sohistio.errors import ExitCode, UsageError
from sohistio.model.kube_target import KubeTarget
from sohistio.system.parallel import WORKERS, side_by_side

SOMEONE, ANOTHER = make("someone"), make("another")
NO_PEM = "aGlkZGVu"


def with_data(folder: Path, cluster: Mapping[str, str], user: Mapping[str, str]) -> KubeTarget:
    """`cluster` and `user` by their keys; all end in -data, and are given as text."""
    own, others = (
        {key: base64.b64encode(text.encode()).decode() for key, text in entry.items()} for entry in (cluster, user)
    )
    return target(folder, "https://127.0.0.1:6443", others, **own)


def test_sound_ones(tmp_path: Path) -> None:
    user = {"client-certificate-data": SOMEONE.pem, "client-key-data": SOMEONE.key_pem}
    assert client_for(with_data(tmp_path, {"certificate-authority-data": SOMEONE.pem}, user))


def test_several_threads_use_the_same_authority(tmp_path: Path) -> None:
    """Its file is whole before any of them reads it: `status --all` over contexts of one authority."""
    for number in range(25):
        asked = with_data(tmp_path, {"certificate-authority-data": make(f"authority {number}").pem}, {})
        start = threading.Barrier(WORKERS)

        def use(_: int, asked: KubeTarget = asked, start: threading.Barrier = start) -> bool:
            start.wait()
            return bool(client_for(asked))

        assert all(side_by_side(use, range(WORKERS)))


@pytest.mark.parametrize("with_user", [True, False])
def test_an_authority_that_is_no_certificate(tmp_path: Path, *, with_user: bool) -> None:
    with pytest.raises(UsageError) as caught:
        client_for(with_data(tmp_path, {"certificate-authority-data": NO_PEM}, {}), with_user=with_user)
    where = tmp_path / "kubeconfig"
    assert caught.value.what == f"the certificate-authority of context 'x' in the kubeconfig {where} cannot be used"
    assert caught.value.details == ("NO_CERTIFICATE_OR_CRL_FOUND",)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        pytest.param(NO_PEM, SOMEONE.key_pem, id="no certificate"),
        pytest.param(SOMEONE.pem, NO_PEM, id="no key"),
        pytest.param(SOMEONE.pem, ANOTHER.key_pem, id="the key of another"),
        pytest.param(SOMEONE.pem, key_pem(SOMEONE.key, b"passphrase"), id="a key with a password"),
    ],
)
def test_a_client_certificate_that_cannot_be_used(tmp_path: Path, certificate: str, key: str) -> None:
    user = {"client-certificate-data": certificate, "client-key-data": key}
    with pytest.raises(UsageError) as caught:
        client_for(with_data(tmp_path, {"certificate-authority-data": SOMEONE.pem}, user))
    where = tmp_path / "kubeconfig"
    assert caught.value.what == f"the client-certificate of context 'x' in the kubeconfig {where} cannot be used"
    assert NO_PEM not in str(caught.value.document())

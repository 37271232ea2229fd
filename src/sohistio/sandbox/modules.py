"""The Go modules the sandbox is built from, and the programs that come out of each."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from sohistio.sandbox.location import parts_cache

ISTIO_VERSIONS = ("1.29.8", "1.30.4", "1.30.5", "1.31.1")
"""What the release mirror offers: two minors back, one minor back (two patches), the current."""
KUBERNETES_VERSION = "v1.35.4"
_KWOK_VERSION = "v0.8.0"

_STRIP = "-s -w"
_KUBERNETES_STAMP = " ".join(
    f"-X k8s.io/component-base/version.{key}={value}"
    for key, value in {"gitVersion": KUBERNETES_VERSION, "gitMajor": "1", "gitMinor": "35"}.items()
)


@dataclass(frozen=True, slots=True)
class Program:
    """One program of a module. `release` is the Istio release whose archive it goes into, if it goes into one."""

    module: str
    name: str
    package: str
    ldflags: str
    release: str = ""

    @property
    def title(self) -> str:
        return f"{self.name} {self.release}".rstrip()

    @property
    def output(self) -> Path:
        """The finished file in the cache: the program, or the archive it is packed into."""
        folder = parts_cache() / f"{self.module}-{module_key(self.module)}"
        if self.release:
            return folder / "releases" / self.release / archive_name(self.release)
        return folder / "bin" / self.name


def archive_name(release: str) -> str:
    """The name that Istio's releases give the archive of istioctl for this machine."""
    return f"istioctl-{release}-linux-{architecture()}.tar.gz"


def architecture() -> str:
    """This machine's architecture as Go and Istio's releases name it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def istio_stamp(release: str) -> str:
    """Linker flags that make Istio's code report a release."""
    values = {"buildVersion": release, "buildTag": release, "buildHub": "docker.io/istio", "buildStatus": "Clean"}
    return " ".join(f"-X istio.io/istio/pkg/version.{key}={value}" for key, value in values.items())


def programs(*, traffic: bool = False) -> tuple[Program, ...]:
    """All programs, in the order they are built: the quick way to a first sign of life comes first.

    With `traffic`, the agent that runs a gateway's Envoy is one of them.
    """
    kubernetes = tuple(
        Program("kubernetes", name, f"k8s.io/kubernetes/cmd/{name}", f"{_STRIP} {_KUBERNETES_STAMP}")
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    )
    current = ISTIO_VERSIONS[-1]
    agent = Program("istio", "pilot-agent", "istio.io/istio/pilot/cmd/pilot-agent", f"{_STRIP} {istio_stamp(current)}")
    return (
        Program("kubernetes", "etcd", "go.etcd.io/etcd/server/v3", _STRIP),
        *kubernetes,
        Program(
            "kwok",
            "kwok",
            "sigs.k8s.io/kwok/cmd/kwok",
            f"{_STRIP} -X sigs.k8s.io/kwok/pkg/consts.Version={_KWOK_VERSION}",
        ),
        Program(
            "istio", "pilot-discovery", "istio.io/istio/pilot/cmd/pilot-discovery", f"{_STRIP} {istio_stamp(current)}"
        ),
        *(
            Program(
                "istio", "istioctl", "istio.io/istio/istioctl/cmd/istioctl", f"{_STRIP} {istio_stamp(release)}", release
            )
            for release in reversed(ISTIO_VERSIONS)
        ),
        *((agent,) if traffic else ()),
    )


def releases_folder() -> Path:
    """The archives the release mirror serves: a folder a release."""
    return istio_folder() / "releases"


def istio_folder() -> Path:
    """What is built from Istio's code."""
    return parts_cache() / f"istio-{module_key('istio')}"


def program_path(name: str) -> Path:
    """The program to run: the one KUBEBUILDER_ASSETS provides, or else the built one."""
    return provided(name) or next(program.output for program in programs(traffic=True) if program.name == name)


def provided(name: str) -> Path | None:
    """A program that KUBEBUILDER_ASSETS (the convention of controller-runtime's envtest) already provides."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not assets or name not in ("etcd", "kube-apiserver"):
        return None
    path = Path(assets) / name
    return path if os.access(path, os.X_OK) and path.is_file() else None


def module_folder(module: str) -> Path:
    """The folder with our go.mod and go.sum of a module."""
    return Path(__file__).parent / "modules" / module


def module_key(module: str) -> str:
    """Changes when what is built from the module would."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((module_folder(module) / name).read_bytes())
    stamps = {
        "kubernetes": (_STRIP, _KUBERNETES_STAMP),
        "kwok": (_STRIP, _KWOK_VERSION),
        "istio": (_STRIP, *(istio_stamp(release) for release in ISTIO_VERSIONS)),
    }
    digest.update(repr((stamps[module], architecture())).encode())
    return digest.hexdigest()[:12]

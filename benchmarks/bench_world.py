"""What the benchmarks work on: a sandbox with a mesh in sync, its istioctl, its IstioOperator, and ways to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measured import SOHISTIO, Run, timed
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.model.versions import Version
from sohistio.system.paths import cache_dir
from warm import WARM

BASELINE, CAREFUL = (Path(__file__).with_name(name) for name in ("baseline.sh", "careful.sh"))
VERSION = "1.31.1"


@dataclass(frozen=True)
class World:
    """`sohistio`, `istioctl` and the script against one cluster, over a way that takes as long as is wanted."""

    box: Sandbox
    folder: Path
    istioctl: Path
    flags: tuple[str, ...] = ("--env", "local")

    def operator(self, version: str = VERSION) -> Path:
        """The environment's one IstioOperator for a version, as istioctl takes it."""
        path = self.folder / f"operator-{version}.yaml"
        if not path.exists():
            path.write_text(self.box.run("render", *self.flags, "--version", version).stdout, encoding="utf-8")
        return path

    def sohistio(self, *words: str, kubeconfig: Path | None = None, **variables: str) -> Run:
        where = ["--kubeconfig", str(kubeconfig or self.box.kubeconfig), "--context", self.box.context]
        command = [*SOHISTIO, *words, *self.flags, *where]
        env = self.box.environ(SOHISTIO_ISTIO_MIRROR=self.mirror, **variables)
        return timed(command, env, CHECKOUT)

    def istioctl_install(self, kubeconfig: Path | None = None) -> Run:
        where = ["--kubeconfig", str(kubeconfig or self.box.kubeconfig), "--context", self.box.context]
        command = [str(self.istioctl), "install", "-y", "-f", str(self.operator()), *where]
        return timed(command, self.box.environ(), CHECKOUT)

    def careful(self, *words: str, version: str = VERSION, istioctl: Path | None = None) -> Run:
        """`istioctl install` of a version, by its own istioctl, with the waits that sohistio has."""
        command = [str(CAREFUL), self.box.context, str(self.operator(version)), *words]
        env = self.box.environ(ISTIOCTL=str(istioctl or self.istioctl), KUBECONFIG=str(self.box.kubeconfig))
        return timed(command, env, CHECKOUT)

    def script(self, kubeconfig: Path | None = None) -> Run:
        command = [str(BASELINE), self.box.context, str(self.operator()), VERSION]
        env = self.box.environ(ISTIOCTL=str(self.istioctl), KUBECONFIG=str(kubeconfig or self.box.kubeconfig))
        return timed(command, env, CHECKOUT)

    @property
    def mirror(self) -> str:
        """As a company's own. What a sandbox offers under the name that it gives it is built on this machine: such a
        mirror is asked in each run, and nobody else's is where istioctl is there already.
        """
        file = self.folder / "mirror"
        if not file.exists():
            file.write_text(self.box.mirror.replace("127.0.0.1", "localhost"), encoding="utf-8")
        return file.read_text(encoding="utf-8")


@contextmanager
def bench_world(folder: Path) -> Iterator[World]:
    """A sandbox of its own with a mesh in sync."""
    box = Sandbox(folder, folder / "sohistio" / "sandbox" / "local" / "kubeconfig")
    try:
        for words in (("sandbox", "up"), ("install", "--env", "local")):
            done = box.run(*words)
            assert done.returncode == 0, done.stdout + done.stderr
        source = IstioctlSource(cache=cache_dir(), mirror=Mirror.parse(box.mirror))
        yield World(box, folder, obtain_istioctl(Version.parse(VERSION), source, lambda _: None).path)
    finally:
        box.run("sandbox", "down")
        WARM.end()

"""istioctl of each version that a command needs, and what it makes of IstioOperators and pods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sohistio.adapters.kubernetes.manifest import read_manifest
from sohistio.adapters.releases.kept_manifests import KeptManifests
from sohistio.adapters.releases.obtain import IstioctlSource, cached_istioctl, obtain_istioctl
from sohistio.errors import FailedError, RefusedError
from sohistio.images.needed import to_inject
from sohistio.istioctl import Istioctl
from sohistio.model.desired import DesiredMesh, desired_mesh
from sohistio.model.sidecar import Injector
from sohistio.model.versions import Version
from sohistio.system.parallel import begun
from sohistio.system.paths import cache_dir

_Manifest = list[dict[str, Any]]


@dataclass
class Istioctls:
    """Each obtained once, from the `source` of its version. `environment` is whose IstioOperators they render."""

    environment: str
    source: Callable[[Version], IstioctlSource]
    say: Callable[[str], None]
    _obtained: dict[Version, Istioctl] = field(default_factory=dict)
    _ahead: dict[tuple[Version, str], Future[_Manifest | None]] = field(default_factory=dict)

    def of(self, version: Version) -> Istioctl:
        """istioctl of a version. Raises NotObtainedError."""
        if version not in self._obtained:
            self._obtained[version] = obtain_istioctl(version, self.source(version), self.say)
        return self._obtained[version]

    def render_ahead(self, version: Version, operator: Callable[[], str]) -> None:
        """Begin to render what will most likely be asked for, while the cluster is looked at. Nothing is fetched for
        it, and what comes out, an error too, is only seen by who asks. Raises what `operator` raises.
        """
        source = self.source(version)
        cached = begun(lambda: cached_istioctl(version, source))
        text = operator()  # written while the digest of istioctl is taken

        def manifest() -> _Manifest | None:
            istioctl = cached.result()
            if istioctl is None:
                return None
            self._obtained.setdefault(version, istioctl)
            return self._manifest(istioctl, text)

        if (version, text) not in self._ahead:
            self._ahead[version, text] = begun(manifest)

    def render(self, version: Version, operator: str) -> tuple[DesiredMesh, _Manifest]:
        """What istioctl of a version makes of an IstioOperator. Raises RefusedError with istioctl's own words."""
        ahead = self._ahead.pop((version, operator), None)
        manifest = ahead.result() if ahead else None
        if manifest is None:
            manifest = self._manifest(self.of(version), operator)
        return desired_mesh(manifest, version, operator), manifest

    def _manifest(self, istioctl: Istioctl, operator: str) -> _Manifest:
        kept = KeptManifests(cache_dir() / "manifests")
        return kept.of(istioctl.digest, operator, lambda: self._rendered(istioctl, operator))

    def _rendered(self, istioctl: Istioctl, operator: str) -> _Manifest:
        version, name = istioctl.version, self.environment
        try:
            printed = istioctl.manifest_generate(operator)
        except FailedError as error:
            raise RefusedError(
                f"istioctl {version} cannot render the IstioOperator of {name}",
                details=(error.what, *error.details),
                todo=f"Correct istiooperator.yaml (`sohistio render --env {name}` shows all of it).",
            ) from error
        try:
            return read_manifest(printed)
        except FailedError as error:
            raise RefusedError(
                f"istioctl {version} printed no manifest for the IstioOperator of {name}",
                details=(error.what, *error.details, f"istioctl is {istioctl.path}"),
                todo=f"See what it prints: `sohistio render --env {name} | {istioctl.path} manifest generate -f -`. "
                "Is it Istio's own istioctl?",
            ) from error

    def injected(self, version: Version, manifest: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """What the injector of a manifest makes of pods, its gateways among them. Raises RefusedError."""
        import yaml

        injector = Injector.from_manifest(manifest)
        if injector is None:
            return ()
        asked = yaml.safe_dump_all([dict(item) for item in to_inject(manifest)])
        try:
            return read_manifest(self.of(version).inject(asked, injector))
        except FailedError as error:
            raise RefusedError(
                f"istioctl {version} cannot inject pods with the injector of {self.environment}",
                details=(error.what, *error.details),
                todo="Correct istiooperator.yaml.",
            ) from error

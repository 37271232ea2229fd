"""The sidecar that the mesh gives to new pods: its image, as istiod's injector works it out. Plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sohistio.model.injected import Change
    from sohistio.model.state import ObjectRef

RESTARTED_FOR = "sohistio/restarted-for"
"""An annotation on a pod template: the proxy image that sohistio restarted it for. Pods that carry it and still have
another do so by somebody's will."""
RESTARTED_UNDER = "sohistio/restarted-under"
"""Beside it: the digest of the injector's configuration at that restart. Under the same one no restart helps."""
RESTARTED_FOR_SETTINGS = "sohistio/restarted-for-settings"
"""Beside it: the digest of what a new pod was to get, where the settings of its sidecar were compared."""

RESTARTED_BARE = "sohistio/restarted-without-sidecar"
"""Beside it: the same image, where the pods had been restarted for it before, and had no sidecar all the same."""


@dataclass(frozen=True, slots=True)
class Injector:
    """What an injector works by, as texts: its templates (`config`) and `values` (ConfigMap istio-sidecar-injector),
    and the mesh's configuration (`mesh`, ConfigMap istio). `beside` is when something else that it works by changed
    last (ISO 8601, UTC): a ProxyConfig, or what istiod itself is started with."""

    config: str
    values: str
    mesh: str
    beside: str = field(default="", compare=False)

    @property
    def digest(self) -> str:
        """A short digest of the texts."""
        return hashlib.sha256(json.dumps([self.config, self.values, self.mesh]).encode()).hexdigest()[:16]

    @property
    def known_as(self) -> str:
        """What is said of a look at sidecars: under which texts it was, and what was beside them."""
        return f"{self.digest}@{self.beside}" if self.beside else self.digest

    @classmethod
    def from_manifest(cls, manifest: Sequence[Mapping[str, Any]]) -> Injector | None:
        """Read it out of a rendered manifest; None where that has no injector."""
        maps = {
            item["metadata"]["name"]: item.get("data") or {}
            for item in manifest
            if item.get("kind", "ConfigMap") == "ConfigMap"  # in a list of one kind, items have none
        }
        try:
            injector, mesh = maps["istio-sidecar-injector"], maps["istio"]
            return cls(str(injector["config"]), str(injector["values"]), str(mesh["mesh"]))
        except KeyError:
            return None


AHEAD = "9999-12-31T23:59:59Z"
"""In place of a time: it is not in force yet."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What another injector configuration, of this digest, will change in the sidecars of workloads."""

    digest: str = ""
    changes: Mapping[ObjectRef, tuple[Change, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SidecarTemplate:
    """The proxy image that the mesh's injector gives to new pods (ConfigMap istio-sidecar-injector, key values).

    `since` is when every istiod had it for certain (ISO 8601, UTC); empty where that is not known, or lies ahead.
    `changed` is when it came into force, `configured` when anything did that an injector works by; empty where that is
    not known. What the template of an older or younger pod says it was restarted for may be of an earlier stay there.
    `live` is true of the one in the cluster, by whose webhook running pods may have been compared (`ObservedPod`);
    `foreseen` is what its configuration changes beside the image, of one that is not there yet.
    """

    hub: str
    tag: str
    image: str = "proxyv2"
    variant: str = ""
    since: str = field(default="", compare=False)
    changed: str = field(default="", compare=False)
    configured: str = field(default="", compare=False)
    live: bool = field(default=False, compare=False)
    foreseen: Foreseen = field(default_factory=Foreseen, compare=False)

    @classmethod
    def from_injector(
        cls, injector: Mapping[str, Any] | None, since: str = "", *, changed: str = AHEAD, live: bool = False
    ) -> SidecarTemplate | None:
        """Read a ConfigMap istio-sidecar-injector, live or rendered; None where it says nothing usable."""
        try:
            values = json.loads((injector or {})["data"]["values"])["global"]
            return cls(
                hub=str(values["hub"]),
                tag=str(values["tag"]),
                image=str(values.get("proxy", {}).get("image") or "proxyv2"),
                variant=str(values.get("variant") or ""),
                since=since,
                changed=changed,
                live=live,
            )
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
            return None

    def image_for(self, annotations: Mapping[str, str]) -> str:
        """The image a pod with these annotations gets; follows istiod's own rule (pkg/kube/inject, proxyImageURL)."""
        explicit = annotations.get("sidecar.istio.io/proxyImage", self.image)
        if "/" in explicit:
            return explicit
        variant = annotations.get("sidecar.istio.io/proxyImageType", self.variant)
        tag = self.tag
        if variant == "default":
            tag = tag.removesuffix("-distroless").removesuffix("-debug")
        elif variant and not tag.endswith(f"-{variant}"):
            tag = f"{tag}-{variant}"
        return f"{self.hub}/{self.image}:{tag}"


def is_same_image(image: str, expected: str) -> bool:
    """Whether a pod's image is the expected one; a digest that a policy pinned its tag to makes no difference."""
    return expected in (image, image.partition("@")[0])

"""Which workloads take plaintext, by the mesh's PeerAuthentications, as istiod resolves them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.policy.objects import ROOT, selected_labels
from sohistio.policy.running import RawObject, Running

_UNSET = "UNSET"


@dataclass(frozen=True, slots=True)
class MtlsModes:
    """The PeerAuthentications of a mesh, the oldest first; what is not there yet is the newest."""

    objects: tuple[RawObject, ...]

    @classmethod
    def of(cls, objects: Iterable[RawObject]) -> MtlsModes:
        """Those among any objects."""
        found = (item for item in objects if item.get("kind") == "PeerAuthentication")
        return cls(tuple(sorted(found, key=_age)))

    def strict(self, workload: Running, port: int = 0) -> bool:
        """Whether a workload refuses plaintext, at a port of its containers if one is given."""
        for item in self._of_workload(workload):
            spec = item.get("spec") or {}
            ports: Mapping[str, Any] = spec.get("portLevelMtls") or {}
            if port and (mode := _mode(ports.get(str(port)))) != _UNSET:
                return mode == "STRICT"
            if (mode := _mode(spec.get("mtls"))) != _UNSET:
                return mode == "STRICT"
        return self.strict_namespace(workload.namespace)

    def strict_namespace(self, name: str) -> bool:
        """The same for a workload of which nothing special is said."""
        for place in (name, ROOT):
            item = next((item for item in self.objects if _place(item) == place and not _selector(item)), None)
            mode = _mode(((item or {}).get("spec") or {}).get("mtls"))
            if mode != _UNSET:
                return mode == "STRICT"
        return False  # Istio's own default is PERMISSIVE

    def _of_workload(self, workload: Running) -> list[RawObject]:
        """The oldest that selects it; one in istio-system never selects elsewhere."""
        for item in self.objects:
            labels = _selector(item)
            if labels and _place(item) == workload.namespace and labels.items() <= workload.labels.items():
                return [item]
        return []


def _age(item: RawObject) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata.get("creationTimestamp") or "9999", metadata["name"]


def _place(item: RawObject) -> str:
    found: str = item["metadata"].get("namespace", "")
    return found


def _selector(item: RawObject) -> Mapping[str, str]:
    return selected_labels(item.get("spec") or {})


def _mode(mtls: Mapping[str, Any] | None) -> str:
    found: str = (mtls or {}).get("mode") or _UNSET
    return found

"""Which keys of environment.yaml are promoted from one environment to the next. Data, and its reading. Pure.

What is not named in `PROMOTED` is an environment's own affair and never promoted, new keys included: who it is and
where (`name`, `cluster`, `ingressAddress`), its load balancer and its longest requests (`gateways`), what guards it
(`protected`), how traffic gets to it (`failover`, `sync`), where its images and logins come from (`istio.hub`,
`istio.pullSecret`, `images`), its namespaces, its size (`timeouts`, `restarts`), its hosts, tokens and authority
(`policy.hosts`, `.ingress`, `.jwt`, `.egress.hosts`, `.authority`), and what watches it (`monitoring`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]

VERSION: Path = ("istio", "version")
PROMOTED: tuple[Path, ...] = (
    VERSION,
    ("istio", "pinDigests"),
    ("policy", "stage"),
    ("policy", "mtls"),
    ("policy", "workloads"),
    ("policy", "egress", "mode"),
    ("policy", "defaults"),
    ("policy", "telemetry"),
)
_OWN_WITHIN: tuple[Path, ...] = (
    # Namespaces whose migration goes on here, whatever the other environment has reached.
    ("policy", "mtls", "permissive"),
)
_MISSING = object()


def is_promoted(path: Path) -> bool:
    """Whether the value at a path goes from one environment to the next."""
    return _is_below(path, PROMOTED) and not _is_below(path, _OWN_WITHIN)


def own_part(path: Path) -> Path:
    """The beginning of a path that says whose it is: `cluster` of `cluster.aks.name`, `istio.hub` of itself."""
    shared = {place[:depth] for place in (*PROMOTED, *_OWN_WITHIN) for depth in range(1, len(place))}
    return next((path[:depth] for depth in range(1, len(path)) if path[:depth] not in shared), path)


def leaves(content: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each value with its path: what is no map, and empty maps. A list is one value, as layers replace it whole."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def value_at(content: Mapping[str, Any], path: Path) -> Any:
    """The value at a path, None where there is none."""
    found = _found(content, path)
    return None if found is _MISSING else found


def has(content: Mapping[str, Any], path: Path, value: Any) -> bool:
    """Whether laying the value over the content changes nothing."""
    found = _found(content, path)
    return isinstance(found, Mapping) if value == {} else found == value and found is not _MISSING


def _found(content: Mapping[str, Any], path: Path) -> Any:
    found: Any = content
    for key in path:
        found = found.get(key, _MISSING) if isinstance(found, Mapping) else _MISSING
    return found


def _is_below(path: Path, places: tuple[Path, ...]) -> bool:
    return any(path[: len(place)] == place for place in places)

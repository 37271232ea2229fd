"""Strategies: clusters as they may be found, most of them no healthy ones, and versions beside each other."""

from __future__ import annotations

from hypothesis import strategies as st

from observed import HUB, budget, istiod, mesh, pod, sidecar, state, workload
from sohistio.model.desired import DesiredDeployment, DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.model.revision import Revision
from sohistio.model.state import ClusterState, Istiod, ObjectRef, ObservedPod
from sohistio.model.versions import Version
from sohistio.plan.changes import Action, Changes, ObjectChange

MINORS = st.integers(28, 32)
SUFFIXES = st.sampled_from(["", "", "", "alpha.1", "beta.2", "rc.0", "rc.10"])
VERSIONS = st.builds(Version, st.just(1), MINORS, st.integers(0, 3), SUFFIXES)
TARGETS = st.builds(Version, st.just(1), st.integers(29, 31), st.integers(0, 2), SUFFIXES)
# What is found where a version is looked for.
TAGS = st.one_of(
    VERSIONS.map(str),
    VERSIONS.map(lambda version: f"{version}-distroless"),
    st.sampled_from(["", "latest", "1.31", "v1.31.1", "1.31.1@sha256:0", "999.999.999", "1.31.1-solo.2"]),
    st.text(max_size=8),
)
VIA = st.lists(VERSIONS, max_size=3).map(tuple) | st.lists(VERSIONS, max_size=3).map(lambda found: tuple(sorted(found)))
REFS = st.builds(
    ObjectRef,
    st.sampled_from(["Deployment", "Service", "MutatingWebhookConfiguration", "CustomResourceDefinition"]),
    st.sampled_from(["", "istio-system", "edge"]),
    st.sampled_from(["istiod", "istio-ingressgateway", "istio-sidecar-injector", "x"]),
)
_PLACES = st.sampled_from(["istio-system"] * 4 + ["aks-istio-system", "other"])
_REVISIONS = st.sampled_from(["default"] * 5 + ["canary"]).map(Revision)
_LINES = st.sampled_from(["Deployments: 403", "Pods: the API server cannot be reached"])


@st.composite
def _istiods(draw: st.DrawFn) -> Istiod:
    image = draw(TAGS)
    label = draw(st.one_of(st.just(image), st.just(image), TAGS))
    name = draw(st.sampled_from(["istiod", "istiod", "istiod-old"]))
    return Istiod(ObjectRef("Deployment", draw(_PLACES), name), draw(_REVISIONS), image, label)


def proxies(tags: st.SearchStrategy[str] = TAGS) -> st.SearchStrategy[tuple[ObservedPod, ...]]:
    """The pods of a workload with their sidecars."""
    one = st.builds(
        lambda tag, rev: pod(annotations={"istio.io/rev": rev}, proxy_image=f"{HUB}/proxyv2:{tag}"), tags, _REVISIONS
    )
    return st.lists(one, max_size=2).map(tuple)


WORKLOADS = st.builds(
    lambda name, pods, changes: workload(name, pods=pods, **changes),
    st.sampled_from(["web", "db", "api"]),
    proxies(),
    st.fixed_dictionaries(
        {},
        optional={
            "desired": st.integers(0, 3),
            "paused": st.booleans(),
            "strategy": st.sampled_from(["Recreate", "OnDelete", "Partitioned"]),
            "max_unavailable": st.integers(0, 4),
            "rolling": st.booleans(),
        },
    ),
)
_OF_THE_MESH = st.builds(mesh, st.sampled_from(["istiod", "istio-ingressgateway"]), ready=st.integers(0, 3))
_MISSES: st.SearchStrategy[tuple[object, ...]] = st.just(())


def _few(items: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(items, max_size=2).map(tuple)


_BESIDE = {
    "leftovers": _few(REFS),
    "leftover_versions": _few(TAGS),
    "mesh_deployments": _few(_OF_THE_MESH),
    "released": _few(REFS),
    "workloads": _few(WORKLOADS),
    "carriers": _few(WORKLOADS),
    "budgets": _few(st.builds(budget, headroom=st.integers(0, 2))),
    "sidecar": st.one_of(st.none(), VERSIONS.map(lambda version: sidecar(str(version)))),
}
MESHES: st.SearchStrategy[ClusterState] = st.builds(
    state, istiods=VERSIONS.map(lambda version: (istiod(str(version)),)), **_BESIDE
)
"""With an istiod that can be managed."""
CLUSTERS: st.SearchStrategy[ClusterState] = MESHES | st.builds(
    state,
    istiods=_few(_istiods()),
    unreadable=st.one_of(_MISSES, _MISSES, _MISSES, _few(_LINES)),
    helm_releases=st.one_of(_MISSES, _MISSES, _MISSES, _few(st.just("istiod"))),
    kubernetes_version=st.one_of(st.integers(28, 38).map(lambda minor: f"1.{minor}.2"), st.just(""), st.text()),
    **_BESIDE,
)
"""Whatever may be found."""
CHANGES = _few(st.builds(ObjectChange, REFS, st.sampled_from(Action))).map(
    lambda found: Changes(tuple(item for item in found if isinstance(item, ObjectChange)))
)
RUNS: st.SearchStrategy[RunEntry | None] = st.none() | st.builds(
    RunEntry,
    *[st.just("x")],
    st.sampled_from(Mode),
    *[st.just("qa")] * 3,
    *[st.sampled_from(["1.30.5", "1.31.1"])] * 2,
    *[st.just("x")] * 3,
    outcome=st.sampled_from(["done", "running", "failed", "interrupted", "verificationFailed", "brokeOff", "other"]),
)


def mesh_of(version: Version) -> DesiredMesh:
    """What is rendered for a version: istiod and a gateway."""
    deployments = tuple(
        DesiredDeployment(mesh(name).ref, component, 3, "")
        for name, component in (("istiod", "istiod"), ("istio-ingressgateway", "gateway"))
    )
    return DesiredMesh(version, f"# {version}\n", deployments, (), sidecar(str(version)))

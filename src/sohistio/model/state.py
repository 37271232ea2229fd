"""ClusterState: what was seen in the cluster, frozen. Plain data; adapters fill it, planners read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sohistio.model.gateway_api import GatewayApi
from sohistio.model.injected import Compared
from sohistio.model.refused_pod import Refusal
from sohistio.model.revision import DEFAULT_REVISION, Revision, revision_of
from sohistio.model.sidecar import Injector, SidecarTemplate
from sohistio.model.webhooks import Webhooks

ISTIO_NAMESPACE = "istio-system"


@dataclass(frozen=True, order=True, slots=True)
class ObjectRef:
    """One object of the cluster; namespace is empty for cluster-wide kinds."""

    kind: str
    namespace: str
    name: str

    @property
    def short(self) -> str:
        """As progress names it: without the kind, and without the mesh's own namespace."""
        return self.name if self.namespace in ("", ISTIO_NAMESPACE) else f"{self.namespace}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Ending:
    """An object that is being deleted: it is there until its finalizers are gone."""

    ref: ObjectRef
    finalizers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Istiod:
    """A Deployment labelled app=istiod. `image_version` and `label_version` are empty where they cannot be read."""

    ref: ObjectRef
    revision: Revision
    image_version: str
    label_version: str
    managed_by: str = ""


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """A running pod of a workload: its istio-proxy image (empty when it has none) and what decides its injection.

    `created` is ISO 8601 in UTC; `job` is the Job whose pod it is, if any; `compared` how it differs from a new pod of
    its template, by a dry run through the mesh's own webhook, None where that was not asked.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    proxy_image: str
    ready: bool
    host_network: bool = False
    created: str = ""
    job: str = ""
    compared: Compared | None = None

    @property
    def injected(self) -> bool:
        """Whether an injector has been at it; a proxy of its template's own alone is no sidecar."""
        return "sidecar.istio.io/status" in self.annotations

    @property
    def revision(self) -> Revision:
        """The revision of the istiod that injected it, which a tag leads to; istiod writes it as an annotation."""
        return revision_of(self.annotations)

    @property
    def opted_out(self) -> bool:
        """True where the injector leaves the pod alone; the label beats the annotation, as in istiod."""
        key = "sidecar.istio.io/inject"
        return self.host_network or self.labels.get(key, self.annotations.get(key, "")) == "false"

    @property
    def grpc_template(self) -> str:
        """The injection template for proxyless gRPC that the pod asks for, empty where it asks for none."""
        asked = self.annotations.get("inject.istio.io/templates", "").split(",")
        return next((name for name in map(str.strip, asked) if name.startswith("grpc-")), "")


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet with its running pods.

    `strategy` is its update's type, or Partitioned for a StatefulSet whose update leaves some pods as they are;
    `max_unavailable` is the number of pods that it takes down at a time; `rolling` is true while one is under way, and
    `arriving` are the pods of it that do not run yet;
    `brings_proxy` where its own template has the proxy, as a gateway's has: nobody injects it. `own_image` is that
    proxy's image, empty where the injector chooses it; `opted_in` where the labels of its pods, or its namespace's
    `istio.io/rev`, ask for a sidecar without the label `istio-injection`. `annotations` are its own about restarts;
    `template` is the raw template of its pods.
    """

    ref: ObjectRef
    desired: int
    paused: bool
    strategy: str
    max_unavailable: int
    rolling: bool
    pods: tuple[ObservedPod, ...]
    brings_proxy: bool = False
    own_image: str = ""
    opted_in: bool = False
    arriving: tuple[ObservedPod, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    template: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget; counts are those of its status. `over` are the owners of the pods it selects, or the pods
    that none owns.
    """

    ref: ObjectRef
    selector: Mapping[str, Any]
    min_available: str
    max_unavailable: str
    desired_healthy: int
    expected_pods: int
    disruptions_allowed: int
    over: frozenset[ObjectRef] = frozenset()

    @property
    def headroom(self) -> int:
        """How many pods may be away while all the others are healthy."""
        return self.expected_pods - self.desired_healthy


@dataclass(frozen=True, slots=True)
class MeshDeployment:
    """istiod or a gateway as a Deployment: what its spec wants and what its status shows.

    `scaled_by` is the field manager that set the replicas, where that was not istioctl's; `replicas_applied` where
    istioctl's manager owns them: an apply without them would set them back to 1 (istio#41481). `proxy_images` are those
    of a gateway's running pods; `rolling` while a rollout is under way, `held` where sohistio has paused it, `paused`
    where somebody else has.
    """

    ref: ObjectRef
    component: str
    desired: int
    ready: int
    total: int
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    scaled_by: str = ""
    replicas_applied: bool = False
    proxy_images: tuple[str, ...] = ()
    rolling: bool = False
    held: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class ObservedService:
    """A gateway's Service: the address its annotation asks for, and the one it got.

    `load_balancer_ip` is what the deprecated field of its spec asks for: the annotation beats it.
    """

    ref: ObjectRef
    type: str
    wanted_address: str
    addresses: tuple[str, ...]
    load_balancer_ip: str = ""


@dataclass(frozen=True, slots=True)
class ObservedNamespace:
    """A namespace: whether the default revision, or a tag of it, injects its pods (`istio-injection` beats
    `istio.io/rev`), the two labels' values (None where there is none), and whether sohistio, and nobody else, set
    `istio-injection`; `ending` while it is being deleted. `set_by` is the field manager that wrote the label which
    decides, empty where nothing tells. `annotations` are those about restarts.
    """

    name: str
    injected: bool
    injection: str | None = None
    revision: str | None = None
    labelled_by_sohistio: bool = False
    ending: bool = False
    set_by: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ClusterState:
    """All that planners know of a cluster, and of the mesh of `revision` in it. `unreadable` lists what could not be
    read, and why;
    `ca_root` is the SHA-256 of the mesh's root certificate, empty where there is none.

    `workloads` and `unowned_pods` are those of injected namespaces, and those that opted in elsewhere; `carriers` and
    `unowned_carriers` (with the pod) those of any namespace with a proxy in a running pod, without the mesh's own
    gateways. `released` are Deployments and Services of gateways whose labels a replacement took off, or has not put
    right yet. `operator_controllers` are the Deployments of Istio's in-cluster operator that are not at 0,
    `operator_resources` the IstioOperators that its finalizer holds. `ending` are Istio's CRDs that are being deleted
    and, where somebody has looked, its custom resources. `injector` is what the mesh's injector works by, and
    `not_compared` says, once a reason, of which namespaces' workloads only the image could be compared:
    those in `uncompared`. New pods of those `passed_over` get no sidecar by a dry run; of those `refused` none starts.
    """

    server: str
    revision: Revision = DEFAULT_REVISION
    kubernetes_version: str = ""
    unreadable: tuple[str, ...] = ()
    istiods: tuple[Istiod, ...] = ()
    helm_releases: tuple[str, ...] = ()
    operator_controllers: tuple[ObjectRef, ...] = ()
    operator_resources: tuple[ObjectRef, ...] = ()
    leftovers: tuple[ObjectRef, ...] = ()
    leftover_versions: tuple[str, ...] = ()
    sidecar: SidecarTemplate | None = None
    ca_root: str = ""
    mesh_deployments: tuple[MeshDeployment, ...] = ()
    released: tuple[ObjectRef, ...] = ()
    gateway_services: tuple[ObservedService, ...] = ()
    budgets: tuple[Budget, ...] = ()
    workloads: tuple[Workload, ...] = ()
    unowned_pods: tuple[ObjectRef, ...] = ()
    carriers: tuple[Workload, ...] = ()
    unowned_carriers: Mapping[ObjectRef, ObservedPod] = field(default_factory=dict)
    namespaces: tuple[ObservedNamespace, ...] = ()
    gateway_api: GatewayApi = field(default_factory=GatewayApi)
    ending: tuple[Ending, ...] = ()
    webhooks: Webhooks = field(default_factory=Webhooks)
    injector: Injector | None = None
    not_compared: tuple[str, ...] = ()
    uncompared: frozenset[ObjectRef] = frozenset()
    passed_over: frozenset[ObjectRef] = frozenset()
    refused: Mapping[ObjectRef, Refusal] = field(default_factory=dict)

    @property
    def has_ready_istiod(self) -> bool:
        """Whether an istiod of this mesh answers: its webhook takes custom resources and injects pods."""
        return any(item.component == "istiod" and item.ready for item in self.mesh_deployments)

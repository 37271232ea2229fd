"""What a mesh leaves in a cluster, object by object, and what an uninstall asks of it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.model.state import ISTIO_NAMESPACE, Ending, ObjectRef

NAMESPACE_REF = ObjectRef("Namespace", "", ISTIO_NAMESPACE)
ISTIOD_REF = ObjectRef("Deployment", ISTIO_NAMESPACE, "istiod")


@dataclass(frozen=True, slots=True)
class MeshObject:
    """An object of the mesh, with the labels by which istioctl finds it; empty where it has none."""

    ref: ObjectRef
    component: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """An object that sohistio made for an environment, with its REST path."""

    ref: ObjectRef
    path: str
    environment: str


@dataclass(frozen=True, slots=True)
class Footprint:
    """`objects` are the mesh's own, known by label or by name; `certificates` the ConfigMaps that istiod puts into
    every namespace; `others` what else lives in the mesh's namespace and would go with it. `namespace` tells whether
    that exists; `ca_root` is the SHA-256 of the root certificate as the CA's Secret has it, empty without one;
    `monitoring` is what sohistio made to watch it, for whatever environment, in the order in which it can go.
    `custom_resources` counts those of Istio's own groups, which go with `crds`; `pull_secrets` are those that sohistio
    wrote, in any namespace. `of_aks` carries istioctl's labels too, and is the istiod's of AKS application routing: it
    stays. `ending` are the custom resources among them that are being deleted.
    """

    objects: tuple[MeshObject, ...] = ()
    certificates: tuple[ObjectRef, ...] = ()
    crds: tuple[ObjectRef, ...] = ()
    custom_resources: int = 0
    ca_secrets: tuple[ObjectRef, ...] = ()
    ca_root: str = ""
    namespace: bool = False
    others: tuple[ObjectRef, ...] = ()
    pull_secrets: tuple[ObjectRef, ...] = ()
    monitoring: tuple[Owned, ...] = ()
    of_aks: tuple[MeshObject, ...] = ()
    ending: tuple[Ending, ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """What is asked for: to go on although sidecars run, to take what is otherwise kept, to restart workloads.

    `include_ca` adds the CA's key, encrypted, to the backup of a purge.
    """

    with_sidecars: bool = False
    purge: bool = False
    restart_workloads: bool = False
    include_ca: bool = False

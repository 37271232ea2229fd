"""Adapter: which of Istio's objects are being deleted, and what holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.custom_resources import resource_ref
from sohistio.adapters.kubernetes.served_kinds import ISTIO_SUFFIX, NOT_CONFIGURATION, ServedKind, served_kinds
from sohistio.model.ending import described
from sohistio.model.state import Ending, ObjectRef
from sohistio.system.parallel import side_by_side


def is_ending(item: Object) -> bool:
    """Whether somebody has deleted it, and a finalizer keeps it."""
    return "deletionTimestamp" in item["metadata"]


def ending_of(item: Object, ref: ObjectRef) -> Ending:
    """The object with its finalizers; a namespace has its own kind of them."""
    own = item["metadata"].get("finalizers") or ()
    return Ending(ref, (*own, *(item["spec"].get("finalizers", ()) if ref.kind == "Namespace" else ())))


def why_in_vain(applied: Object) -> str:
    """Why an object that was just applied will not stay; empty where it will."""
    return f"{described(ending_of(applied, resource_ref(applied)))} is being deleted" if is_ending(applied) else ""


def lasting(resources: Iterable[Object]) -> list[Object]:
    """Those of the custom resources that are not being deleted: what will be there tomorrow."""
    return [item for item in resources if not is_ending(item)]


def ending_in(resources: Iterable[Object]) -> tuple[Ending, ...]:
    """Those that are."""
    return tuple(ending_of(item, resource_ref(item)) for item in resources if is_ending(item))


def ending_definitions(definitions: Sequence[Object]) -> tuple[Ending, ...]:
    """Of all CRDs those of Istio's configuration that are being deleted, and with them all their objects."""
    return tuple(
        ending_of(item, ObjectRef("CustomResourceDefinition", "", name))
        for item in definitions
        if is_ending(item) and (name := str(item["metadata"]["name"])).endswith(ISTIO_SUFFIX)
        if name.partition(".")[2] not in NOT_CONFIGURATION
    )


def resource_metadata(api: KubeApi) -> list[Object]:
    """The metadata of Istio's own custom resources, with apiVersion and kind; of kinds that may not be listed nothing
    is known.

    Raises KubeError.
    """

    def look(kind: ServedKind) -> list[Object]:
        try:
            found = api.items(f"/apis/{kind.group_version}/{kind.plural}", metadata_only=True)
        except KubeError as error:
            if error.status in (403, 404):  # the latter: its CRD has just gone
                return []
            raise
        return [{**item, "apiVersion": kind.group_version, "kind": kind.kind} for item in found]

    kinds = [kind for kind in served_kinds(api) if kind.is_istios]
    return [item for found in side_by_side(look, kinds) for item in found]

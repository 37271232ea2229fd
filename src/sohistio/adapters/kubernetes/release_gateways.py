"""Takes istioctl's labels off the gateways' objects, so that an uninstall leaves them (and their addresses) alone.

The next install finds them by name and puts its labels back: same UID, same address. What it does not ship, because the
manifest has changed since or because it is another IstioOperator's, is still known by a mark of sohistio.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.gateways import (
    COMPONENT,
    GATEWAY_KINDS,
    GATEWAYS,
    KEPT,
    is_released,
    kept_component,
    kept_mark,
    owner_of,
)
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.model.footprint import ISTIOD_REF
from sohistio.model.revision import DEFAULT_REVISION, LABEL
from sohistio.model.state import ObjectRef
from sohistio.plan.gateway_steps import objects_of

# `istioctl uninstall` looks for the component's label and for this revision's.
_TAKEN = f"{COMPONENT} in ({','.join(GATEWAYS)}),{LABEL}={DEFAULT_REVISION}"

_Labels = Mapping[str, str | None]


def release_gateways(api: KubeApi, gateways: Collection[ObjectRef] | None = None) -> None:
    """Put sohistio's mark in the place of istioctl's labels, in one patch an object: nothing is ever without both.

    Of these gateways (their Deployments), or of all.
    """
    istiod = api.get(path_of(ISTIOD_REF))
    owner = owner_of(istiod) if istiod else None
    named = None if gateways is None else {ref for gateway in gateways for ref in objects_of(gateway)}

    def released(item: Object) -> _Labels:
        return {KEPT: kept_mark(item, owner), COMPONENT: None, LABEL: None}

    _patch(api, GATEWAY_KINDS, _TAKEN, released, named)


def relabel_gateways(api: KubeApi) -> None:
    """Put the labels back where no install did, and only then take the marks off: a run that dies here goes on here."""

    def relabelled(item: Object) -> _Labels:
        return {COMPONENT: kept_component(item), LABEL: DEFAULT_REVISION} if is_released(item) else {}

    _patch(api, GATEWAY_KINDS, KEPT, relabelled)
    _patch(api, GATEWAY_KINDS[::-1], KEPT, lambda _item: {KEPT: None})


def _patch(
    api: KubeApi,
    kinds: Sequence[str],
    selector: str,
    labels_for: Callable[[Object], _Labels],
    named: Collection[ObjectRef] | None = None,
) -> None:
    for kind in kinds:
        # `istioctl uninstall` looks in every namespace, and a gateway may live in one of its own.
        for item in api.items(collection_path(kind), labels=selector, metadata_only=True):
            ref = ObjectRef(kind, item["metadata"]["namespace"], item["metadata"]["name"])
            labels = labels_for(item)
            if labels and (named is None or ref in named):
                api.merge_patch(path_of(ref), {"metadata": {"labels": labels}})

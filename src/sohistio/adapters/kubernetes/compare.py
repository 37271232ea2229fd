"""Adapter: the rendered manifest against the live objects, by server-side apply dry runs. Nothing is written.

Where every object certainly is as the manifest has it, no dry run is asked for; as soon as one is not, all are: an
install applies them all.

Who lacks permission to patch gets sohistio's own comparison, and a notice that says so. What admission or a quota
denies is an error: an install would run into it half way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sohistio.adapters.kubernetes.access import may_apply
from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.denied import Denied, denial, is_of_fields
from sohistio.adapters.kubernetes.errors import understood
from sohistio.adapters.kubernetes.gateways import (
    COMPONENT,
    KEPT,
    is_of_another,
    is_owned_by,
    is_released,
    owner_of,
)
from sohistio.adapters.kubernetes.live_objects import Kind, LiveObjects
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.adapters.kubernetes.webhooks import dead_here, read_webhooks
from sohistio.model.default_tag import VALIDATOR, is_of_a_tag
from sohistio.model.footprint import ISTIOD_REF
from sohistio.model.revision import TAG_LABEL
from sohistio.model.webhooks import MUTATING, VALIDATING
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange, component_of, ref_of
from sohistio.plan.drift.fields import changed_fields, injecting_changes
from sohistio.plan.drift.in_sync import is_in_sync
from sohistio.plan.drift.noise import REVISION_TAG
from sohistio.plan.drift.strange_urls import strange_urls
from sohistio.plan.drift.subset import missing_fields
from sohistio.plan.drift.tag import is_call, tag_changes
from sohistio.plan.ownership import ISTIOCTL_MANAGER
from sohistio.system.parallel import workers
from sohistio.system.plain_yaml import loaded

# A dry run by istioctl's own field manager sees what istioctl would do.
FIELD_MANAGER = ISTIOCTL_MANAGER
MAY_NOT_PATCH = "compared without a dry run: you lack permission to patch{}; defaulting and admission were not asked"


def read_text(text: str) -> Mapping[str, Any] | None:
    """The mapping that a text of YAML or JSON holds, with plain values; None where it holds none."""
    if ":" not in text:
        return None
    try:
        found = loaded(text, aliases=False)
    except ValueError:
        return None
    return _plain(found) if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    """What JSON can hold: YAML also knows dates, and keys that are no text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float)) or value is None else str(value)


def compare(api: KubeApi, manifest: list[Object], live: LiveObjects, places: Collection[str] = ()) -> Changes:
    """What applying the manifest would create, change and remove.

    `live` are its objects as they are. `places` are namespaces where earlier manifests of this mesh had gateways: what
    is left there is its own, too.

    Raises RefusedError with the server's words where it would deny an object (admission, quota), KubeError where it
    does not answer.
    """
    comparison = _Comparison(api, live)
    equal: list[Object] = []
    others: list[Object] = []
    with understood(api.server), workers() as pool:
        for obj in manifest:
            (equal if comparison.is_equal(obj) else others).append(obj)
        changed = [change for change in pool.map(comparison.of, others) if change]
        removed = _no_longer_shipped(api, manifest, live, places, pool)
        if changed or removed:
            changed += [change for change in pool.map(comparison.of, equal) if change]
    if comparison.denied:
        raise denial(comparison.denied)
    kinds = f" {', '.join(sorted(comparison.not_patchable))}" if comparison.patchable else ""
    notices = [MAY_NOT_PATCH.format(kinds)] if comparison.not_patchable else []
    notices += sorted(comparison.not_dry_runnable)
    objects = tuple(sorted([*changed, *removed], key=lambda change: change.ref))
    return Changes(objects, "; ".join(notices))


class _Comparison:
    """One look at a manifest's objects, from several threads; gathers what the server would not answer."""

    def __init__(self, api: KubeApi, live: LiveObjects) -> None:
        self._api = api
        self._live = live
        self.denied: list[Denied] = []
        self.patchable = False
        self.not_patchable: set[str] = set()
        self.not_dry_runnable: set[str] = set()

    def is_equal(self, obj: Object) -> bool:
        """Whether it is certain without a dry run that nothing happens to an object."""
        live = self._live.of(obj)
        return live is not None and is_in_sync(live, obj, read_text) and not self._beside_the_manifest(obj, live)

    def of(self, obj: Object) -> ObjectChange | None:
        """What happens to one object, None for nothing."""
        created = ObjectChange(ref_of(obj), Action.CREATED, component=component_of(obj))
        try:
            path = self._api.path_of(obj)
        except KubeError as error:
            if error.status == 404:  # a kind whose CRD is yet to come
                return created
            raise
        live = self._live.of(obj)
        # The server refuses a Service beside the URL. A run takes that away first (modes/webhooks.py).
        astray = live is not None and bool(strange_urls(obj["kind"], live))
        applied = None if astray else self._applied(path, obj, live)
        if live is None:
            return created
        fields = changed_fields(live, applied, read_text) if applied else missing_fields(live, obj, read_text)
        fields += self._beside_the_manifest(obj, live)
        return ObjectChange(ref_of(obj), Action.CHANGED, fields, component_of(obj)) if fields else None

    def _beside_the_manifest(self, obj: Object, live: Object) -> tuple[FieldChange, ...]:
        """What an install puts right that no manifest has."""
        if live["kind"] != MUTATING:
            return _labels_off(live)
        tag = self._api.get(f"{collection_path(MUTATING)}/{REVISION_TAG}")
        return injecting_changes(live, tag) + (self._of_the_tag(obj, tag) if tag else ())

    def _of_the_tag(self, injector: Object, tag: Object) -> tuple[FieldChange, ...]:
        """Without what a run puts right before all else: calls of a Service here with no istiod behind it."""
        changes = tag_changes(injector, tag, self._api.get(f"{collection_path(VALIDATING)}/{VALIDATOR}"))
        if not any(is_call(change) for change in changes):
            return changes
        repaired = dead_here(read_webhooks(self._api))
        return tuple(change for change in changes if not (is_call(change) and change.path.startswith(repaired)))

    def _applied(self, path: str, obj: Object, live: Object | None) -> Object | None:
        """What an apply would leave, as the server said before where the live object has not changed since."""
        version = live["metadata"].get("resourceVersion", "") if live else "none"
        text = json.dumps(obj, sort_keys=True).encode()
        key = f"{path} {version} {hashlib.sha256(text).hexdigest()}"
        known = self._api.dry_runs.get(key) or self._dry_run(path, obj, is_there=live is not None)
        if known is not None:
            self._api.dry_runs[key] = known
        return known

    def _dry_run(self, path: str, obj: Object, *, is_there: bool) -> Object | None:
        """What an apply would leave; None where the dry run could not be asked, or would be denied."""
        kind = path.rsplit("/", 2)[-2]
        if kind in self.not_patchable:
            return None
        try:
            applied = self._api.dry_run_apply(path, obj, FIELD_MANAGER)
        except KubeError as error:
            if error.status == 404:  # its namespace is yet to come
                return None
            if error.status == 403 and not may_apply(self._api, path):
                self.not_patchable.add(kind)
                return None
            if error.status == 400:  # a webhook of somebody's that has side effects takes no dry run
                self.not_dry_runnable.add(f"compared without a dry run: {', '.join(error.details) or error.what}")
                return None
            if error.status in (403, 409, 413, 422):
                said = ", ".join(error.details) or error.what
                self.denied.append(Denied(ref_of(obj), said, of_edit=is_there and is_of_fields(error.status, said)))
                return None
            raise
        self.patchable = True
        return applied


def _labels_off(live: Object) -> tuple[FieldChange, ...]:
    """A Deployment or Service without istioctl's label: no uninstall would find it. Our mark is there for a while."""
    labels = live["metadata"].get("labels") or {}
    fields = []
    if live["kind"] in ("Deployment", "Service") and COMPONENT not in labels:
        fields.append(FieldChange(f"metadata.labels.{COMPONENT}", None, "(istioctl's)"))
    if KEPT in labels:
        fields.append(FieldChange(f"metadata.labels.{KEPT}", labels[KEPT], None))
    return tuple(fields)


def _no_longer_shipped(
    api: KubeApi, manifest: list[Object], live: LiveObjects, earlier: Collection[str], pool: ThreadPoolExecutor
) -> list[ObjectChange]:
    """Objects that istioctl installed and this manifest does not have; those of revision tags are kept.

    Of a tag is what has its label, or a name of one: it injects all the same if somebody took the label away.

    What another IstioOperator put there (a gateway of another team's, say) is nothing to miss: it has another owner,
    or lives where this manifest has nothing, and no earlier one had. Without istiod nobody can tell, but for what a
    replacement released: sohistio's mark says whose that is.
    """
    istiod = live.of_ref(ISTIOD_REF) or api.get(path_of(ISTIOD_REF))
    places = {*earlier, *(obj["metadata"].get("namespace", "") for obj in manifest)}
    wanted = {ref_of(obj) for obj in manifest}

    def is_ours(item: Object) -> bool:
        if is_released(item):
            return not is_of_another(item)
        return istiod is not None and is_owned_by(item, owner_of(istiod))

    def surplus(kind: Kind) -> list[ObjectChange]:
        found = [item for item in live.labelled[kind] if not _is_of_a_tag(kind[1], item)]
        found += released.get(kind, ())
        return [
            ObjectChange(ref_of(item), Action.REMOVED, component=component_of(item))
            for item in found
            if ref_of(item) not in wanted and is_ours(item) and item["metadata"].get("namespace", "") in places
        ]

    kinds = [kind for kind in live.labelled if "CustomResource" not in kind[1]]
    released = live.released(kinds)
    return [change for changes in pool.map(surplus, kinds) for change in changes]


def _is_of_a_tag(kind: str, item: Object) -> bool:
    return TAG_LABEL in item["metadata"]["labels"] or is_of_a_tag(kind, item["metadata"]["name"])

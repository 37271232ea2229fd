"""Adapter: the record, ConfigMap istio-system/sohistio-record. Written only by the run that holds the lock."""

from __future__ import annotations

import json

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.errors import RefusedError
from sohistio.model.json_values import mapping_in, text_in
from sohistio.model.record import RECORD_NAME, Record
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef

RECORD_REF = ObjectRef("ConfigMap", ISTIO_NAMESPACE, RECORD_NAME)
_KEY = "record.json"


class NotUnderstoodError(RefusedError):
    """The record is there, and damaged or of a newer sohistio: the cluster can be looked at all the same."""


def read_record(api: KubeApi) -> Record | None:
    """The record, None where there is none. Raises NotUnderstoodError where it cannot be understood."""
    found = api.get(path_of(RECORD_REF))
    if found is None:
        return None
    try:
        return Record.of(json.loads(text_in(mapping_in(found.get("data") or {}, "data"), _KEY, "data")))
    except (ValueError, RecursionError) as error:  # the latter: brackets in brackets in brackets
        raise NotUnderstoodError(
            f"{RECORD_REF} is not a record that this sohistio understands",
            details=(str(error),),
            todo="A newer sohistio may have written it: use that one. Only if it is damaged, delete it.",
        ) from error


def write_record(api: KubeApi, record: Record) -> str:
    """Write the record, making it where there is none; returns the object's uid. Raises KubeError."""
    path = path_of(RECORD_REF)
    data = {_KEY: json.dumps(record.document(), indent=1)}
    try:
        written = api.merge_patch(path, {"data": data})
    except KubeError as error:
        if error.status != 404:
            raise
        body: Object = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": RECORD_NAME, "labels": {"app.kubernetes.io/managed-by": "sohistio"}},
            "data": data,
        }
        written = api.create(collection_path("ConfigMap", ISTIO_NAMESPACE), body)
    return str((written.get("metadata") or {}).get("uid", ""))

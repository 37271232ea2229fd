"""What istioctl makes at the end of an install beside the manifest, the default tag's: what of it is not so. Pure.

The tag is made of the injector's own configuration, as the manifest has it (istioctl/pkg/tag, generate.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sohistio.model.default_tag import VALIDATOR
from sohistio.model.revision import DEFAULT_REVISION, LABEL
from sohistio.plan.changes import FieldChange

Object = Mapping[str, Any]


def tag_changes(injector: Object, tag: Object, validator: Object | None) -> tuple[FieldChange, ...]:
    """What an install changes of the tag and of its `validator`; nothing where the tag is another revision's.

    `injector` is the manifest's.
    """
    if (tag["metadata"].get("labels") or {}).get(LABEL, DEFAULT_REVISION) != DEFAULT_REVISION:
        return ()
    changes = [] if validator else [FieldChange(VALIDATOR, "is not there", "as istioctl makes it")]
    wanted = next((_called(hook) for hook in injector.get("webhooks") or ()), "")
    for obj, app in ((tag, "sidecar-injector"), (validator, "istiod")):
        if obj is not None:
            changes += _app(obj, app)
            changes += _calls(obj, wanted)
    return tuple(changes)


def _app(obj: Object, wanted: str) -> Iterator[FieldChange]:
    """The label by which istiod, istioctl and sohistio's checks find it."""
    app = (obj["metadata"].get("labels") or {}).get("app")
    if app != wanted:
        yield FieldChange(f"{obj['metadata']['name']}.metadata.labels.app", app, wanted)


def _calls(obj: Object, wanted: str) -> Iterator[FieldChange]:
    """Whom it calls. Where the environment wants a URL, which one is istioctl's to know: paths differ."""
    for hook in obj.get("webhooks") or ():
        called = _called(hook)
        if called != wanted and wanted.startswith("Service "):
            path = f"{obj['metadata']['name']}.webhooks[{hook['name']}].clientConfig"
            yield FieldChange(path, called, wanted)


def _called(hook: Object) -> str:
    client = hook.get("clientConfig") or {}
    service = client.get("service")
    return f"Service {service['namespace']}/{service['name']}" if service else str(client.get("url"))

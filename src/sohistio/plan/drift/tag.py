"""What istioctl makes at the end of an install beside the manifest, the default tag's: what of it is not so. Pure.

The tag is made of the injector's own configuration, as the manifest has it (istioctl/pkg/tag, generate.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sohistio.model.default_tag import VALIDATOR
from sohistio.model.revision import DEFAULT_REVISION, LABEL
from sohistio.model.webhooks import FAIL_AGAIN
from sohistio.plan.changes import FieldChange
from sohistio.plan.drift.managers import Item, owns, path_text, writer_of
from sohistio.plan.drift.noise import REVISION_TAG, quiet
from sohistio.plan.ownership import ISTIOCTL_MANAGER

Object = Mapping[str, Any]
_CLIENT = ".clientConfig"
# What istioctl's charts write. An apply leaves what they do not: matchConditions, matchPolicy, timeoutSeconds.
_DECIDING = ("failurePolicy", "namespaceSelector", "objectSelector", "rules")


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
    return (*changes, *_decides(injector, tag))


def _decides(injector: Object, tag: Object) -> Iterator[FieldChange]:
    """What decides which pods the tag is asked about and whether they start without an answer, where somebody else than
    istioctl wrote it: an overlay may have changed the injector's, which the tag is not made of then.
    """
    made = {hook["name"]: hook for hook in _quiet(injector)}
    entries = tag["metadata"].get("managedFields") or ()
    istioctls = [entry for entry in entries if entry.get("manager") == ISTIOCTL_MANAGER]
    opened = FAIL_AGAIN in (tag["metadata"].get("annotations") or {})
    for hook in _quiet(tag):
        wanted = made.get(hook["name"], {})
        for key in _DECIDING:
            path = ("webhooks", Item(hook["name"], hook), key)
            if key not in wanted or hook.get(key) == wanted[key] or any(owns(entry, path) for entry in istioctls):
                continue
            if not (key == "failurePolicy" and opened):  # sohistio's own, until an istiod is ready
                manager = writer_of(entries, path)
                yield FieldChange(f"{REVISION_TAG}.{path_text(path)}", hook.get(key), wanted[key], manager)


def _quiet(obj: Object) -> list[dict[str, Any]]:
    """Its webhooks without what AKS adds, and with what the server fills in."""
    hooks: list[Object] = obj.get("webhooks") or []
    quieted: list[dict[str, Any]] = quiet(obj, parked=False).get("webhooks") or []
    for hook, result in zip(hooks, quieted, strict=True):
        result["failurePolicy"] = hook.get("failurePolicy", "Fail")
        result["rules"] = [{"scope": "*", **rule} for rule in hook.get("rules") or ()]
    return quieted


def is_call(change: FieldChange) -> bool:
    """Whether a change is one of whom they call."""
    return change.path.endswith(_CLIENT) and str(change.before).startswith("Service ")


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
            path = f"{obj['metadata']['name']}.webhooks[{hook['name']}]{_CLIENT}"
            yield FieldChange(path, called, wanted)


def _called(hook: Object) -> str:
    client = hook.get("clientConfig") or {}
    service = client.get("service")
    return f"Service {service['namespace']}/{service['name']}" if service else str(client.get("url"))

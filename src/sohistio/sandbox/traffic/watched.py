"""A list of the cluster, kept up to date by a watch."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError

_WATCH_SECONDS = 300
_PAUSE_SECONDS = 0.5


class Watched:
    """The objects of one list. `changed` is called, in a thread of its own, whenever they may have changed."""

    def __init__(self, api: ClusterApi, path: str, changed: Callable[[], None], **parameters: str) -> None:
        self._api = api
        self._path = path
        self._changed = changed
        self._parameters = parameters
        self._objects: dict[str, dict[str, Any]] | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._follow, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Report nothing more. The thread ends with its connection."""
        self._stopped.set()

    def objects(self) -> list[dict[str, Any]] | None:
        """The objects as last reported, None before the first list was read. They must not be changed."""
        found = self._objects
        return None if found is None else list(found.values())

    def _follow(self) -> None:
        trouble = ""
        while not self._stopped.is_set():
            try:
                self._list_and_watch()
                trouble = ""
            except ClusterApiError as error:
                if error.what != trouble and not self._stopped.is_set():
                    print(error.what, flush=True)
                trouble = error.what
                self._stopped.wait(_PAUSE_SECONDS)

    def _list_and_watch(self) -> None:
        listed = self._api.get(self._path, **self._parameters)
        objects = {item["metadata"]["uid"]: item for item in listed.get("items") or []}
        self._report(objects)
        version = listed["metadata"]["resourceVersion"]
        for event in self._api.watch(self._path, _WATCH_SECONDS, resourceVersion=version, **self._parameters):
            if event["type"] == "ERROR":  # too old: list again
                return
            item = event["object"]
            objects = {uid: known for uid, known in objects.items() if uid != item["metadata"]["uid"]}
            if event["type"] != "DELETED":
                objects[item["metadata"]["uid"]] = item
            self._report(objects)

    def _report(self, objects: dict[str, dict[str, Any]]) -> None:
        if not self._stopped.is_set():
            self._objects = objects
            self._changed()

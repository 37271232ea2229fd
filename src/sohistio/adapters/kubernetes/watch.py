"""One list of the API server, kept up to date by a watch: one request for all that happens to its objects.

As the API server's "efficient detection of changes" has it: a list, then a watch from the list's resourceVersion on;
bookmarks move that forward; a version that is too old (410) begins with a list again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.errors import Object, page_of
from sohistio.adapters.kubernetes.requests import Listing
from sohistio.adapters.kubernetes.sender import TRIES
from sohistio.adapters.kubernetes.stream import Stream

# The server ends a watch after this long; ended ones are taken up where they were.
_WATCH_SECONDS = 240
# Between lists where a watch cannot be had, and at most between tries after it broke.
POLL_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.25
_AT_ONCE_SECONDS = 1.0


class Watch:
    """Follows one collection in a thread of its own, until `stop`.

    `all_seen` gets the objects of each list, `changed` each one that was added or changed since, `gone` each that was
    deleted; all in that thread. `error` is what ended it: a list that may not be read, or that nobody answers for
    longer than the api is patient. `polls` says why lists are read again and again instead (it lacks permission to
    watch, or something on the way does not let watches through); empty where it watches.
    """

    def __init__(
        self,
        api: KubeApi,
        path: str,
        all_seen: Callable[[Iterable[Object]], None],
        changed: Callable[[Object], None],
        gone: Callable[[Object], None],
    ) -> None:
        self.path = path
        self.error: Exception | None = None
        self.polls = ""
        self._api = api
        self._all_seen = all_seen
        self._changed = changed
        self._gone = gone
        self._stopped = threading.Event()
        self._stream: Stream | None = None
        self._unopened = 0
        self._thread = threading.Thread(target=self._follow, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End: nothing is reported any more."""
        self._stopped.set()
        if (stream := self._stream) is not None:
            stream.end()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, at most so long: a request of it may be under way."""
        self._thread.join(seconds)

    def _follow(self) -> None:
        pause = 0.0
        try:
            while not self._stopped.wait(pause):
                version = self._list()
                heard = not self.polls and self._watch(version)
                pause = 0.0 if heard else POLL_SECONDS if self.polls else _longer(pause)
        except Exception as error:  # noqa: BLE001 — whoever waits for this thread's news has to hear of it
            self.error = error

    def _list(self) -> str:
        """Read the whole list; returns its version. Pages that expire meanwhile begin again. Raises KubeError."""
        for attempt in range(TRIES):
            try:
                return self._pages()
            except KubeError as error:
                if error.status != 410 or attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _pages(self) -> str:
        items: list[Object] = []
        token = ""  # where the list goes on, no password  # nosec B105
        while True:
            page = self._api.request("GET", self.path, query=Listing(self.path).query(token))
            found, token = page_of(self._api.server, page)
            items += found
            if not token:
                self._all_seen(items)
                return str((page.get("metadata") or {}).get("resourceVersion", ""))

    def _watch(self, version: str) -> bool:
        """Follow what happens from this version on, through watches that end, until a list is needed again.

        Returns whether anything was heard. Raises KubeError.
        """
        heard, pause = False, 0.0
        while not self._stopped.wait(pause):
            stream = self._opened(version)
            if stream is None:
                break
            self._stream = stream
            began, last = time.monotonic(), version
            try:
                version = self._read(stream, version)
            finally:
                self._stream = None
                stream.close()
            if not version:
                break
            heard = heard or version != last
            # One that ends at once, without a word, is not asked for again at once.
            pause = _longer(pause) if version == last and time.monotonic() - began < _AT_ONCE_SECONDS else 0.0
        return heard

    def _opened(self, version: str) -> Stream | None:
        """The watch from this version on; None where a list is needed first. Raises KubeError."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        try:
            stream = self._api.opened(self.path, query)
        except KubeError as error:
            self._unopened += 1
            if error.status in (403, 405) or (error.passing and self._unopened >= TRIES):
                self.polls = ", ".join((error.what, *error.details))
            elif not (error.passing or error.status == 410):
                raise
            return None
        self._unopened = 0
        return stream

    def _read(self, stream: Stream, version: str) -> str:
        """Report what comes; returns the version to go on from, empty where the server does not know it any more."""
        for event in stream.documents():
            kind, item = event.get("type"), event.get("object")
            if self._stopped.is_set() or kind == "ERROR" or not isinstance(item, dict):
                return ""
            version = str((item.get("metadata") or {}).get("resourceVersion", ""))
            if kind == "DELETED":
                self._gone(item)
            elif kind in ("ADDED", "MODIFIED"):
                self._changed(item)
        return version


def _longer(pause: float) -> float:
    return min(max(pause * 2, _FIRST_PAUSE_SECONDS), POLL_SECONDS)

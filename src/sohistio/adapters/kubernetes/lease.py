"""Adapter: the Lease that keeps two runs apart. It expires when its run dies; a live run renews it.

Whether a run lives is judged as client-go's leader election does it: by watching its Lease change, for as long as this
machine's own clock takes to count LEASE_SECONDS. The times in the Lease are for people: machines' clocks differ.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.hold import LEASE_SECONDS, RENEW_SECONDS, Hold
from sohistio.adapters.kubernetes.holder import Holder, Watched, has_certainly_ended, holder_in, spec_of, taken
from sohistio.adapters.kubernetes.istio_namespace import ensure_namespace
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.errors import InterruptedRunError, RefusedError
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.system.machine import clock, has_ended, this_process

LEASE_REF = ObjectRef("Lease", ISTIO_NAMESPACE, "sohistio")
_LOOK_SECONDS = 0.5
# After a renewal that failed. The deadline of one request is RENEW_SECONDS.
_AGAIN_SECONDS = 1.0
# The lock of a process that is gone is free at once, but what it had sent last may still be on its way into etcd. Its
# istioctl is gone as well: the kernel kills it before the process itself counts as gone (system/lifeline.py).
_SETTLE_SECONDS = 0.5
# Giving the lock back must not hold up a run's end: if it cannot be, it expires.
_RELEASE_SECONDS = 12.0
_REASON = "sohistio/unlocked-because"


def holder_of(api: KubeApi) -> Holder | None:
    """Who holds the lock, dead or alive; None where it is free."""
    return holder_in(api.get(path_of(LEASE_REF)))


@dataclass(slots=True)
class Lock:
    """The lock as one run takes it. `say` takes lines about waiting; `stop` ends the waiting.

    `watched` is what its command has watched before: a holder that was found dead is not waited for again.
    """

    api: KubeApi
    say: Callable[[str], None]
    stop: threading.Event
    watched: Watched = field(default_factory=Watched)
    now: Callable[[], float] = time.monotonic

    def await_free(self) -> Object | None:
        """Return once nobody holds it, or its holder has shown no sign of life for LEASE_SECONDS: the Lease as seen.

        A holder whose process was on this very machine and is gone is not waited for. Raises RefusedError that names a
        holder who is alive, InterruptedRunError.
        """
        return self._await_free(_SETTLE_SECONDS)

    def _await_free(self, settle: float) -> Object | None:
        first = self._read()
        holder = holder_in(first)
        if first is None or holder is None:
            return first
        spec: Object = first["spec"]
        waited = self.watched.unchanged_for(spec, self.now())
        self._tell(
            "held", f"the lock is held by {holder.line(datetime.now(UTC))}: checking whether that run is still alive …"
        )
        while waited < LEASE_SECONDS:
            if has_certainly_ended(holder, has_ended):
                self._tell("ended", "its process was on this machine and has ended: the lock is free")
                self._pause(settle)
                return first
            self._pause(_LOOK_SECONDS)
            now = self._read()
            if now is None or holder_in(now) is None:
                return now
            if now["spec"] != spec:
                raise _held(holder_in(now) or holder)
            waited = self.watched.unchanged_for(spec, self.now())
            if waited > 2 * RENEW_SECONDS:
                left = max(LEASE_SECONDS - waited, 0.0)
                self._tell(
                    "dead", f"it no longer renews its lock and is probably dead: the lock expires in {left:.0f} s …"
                )
        self._tell("expired", "the lock has expired")
        return first

    def _tell(self, what: str, line: str) -> None:
        """Once for each holder: a command looks at the lock before it plans, and when it takes it."""
        if what not in self.watched.lines:
            self.watched.lines.add(what)
            self.say(line)

    @contextmanager
    def held(self, identity: str, hold: Hold) -> Iterator[None]:
        """Hold the lock for the block. Raises as `await_free` does; `hold` says whether it is confirmed, or lost.

        The namespace is made where it is missing: a lock must come before everything else that is written.
        """
        try:
            ensure_namespace(self.api)
            self._take(identity, hold)
        except KubeError as error:  # nothing of the mesh was touched
            raise _not_taken(error) from error
        done = threading.Event()
        # A renewal that hangs must end long before the lock does.
        renewal = _Renewal(self.api.within(RENEW_SECONDS), identity, hold, done)
        renewer = threading.Thread(target=renewal.keep_up, name="lease", daemon=True)
        watchdog = threading.Thread(target=hold.watch, args=(done,), name="lease watchdog", daemon=True)
        renewer.start()
        watchdog.start()
        try:
            yield
        finally:
            done.set()
            renewer.join(_RELEASE_SECONDS)

    def _pause(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise InterruptedRunError("interrupted while waiting for the lock", todo="Nothing was changed.")

    def _read(self) -> Object | None:
        try:
            return self.api.get(path_of(LEASE_REF))
        except KubeError as error:
            if error.status in (0, 401):  # nothing to do with the lock: it is only the first thing asked for
                raise RefusedError(error.what, details=error.details, todo=error.todo) from error
            raise _not_taken(error) from error

    def _take(self, identity: str, hold: Hold) -> None:
        """Create or take over the Lease as it was seen; by its resourceVersion the API server lets one of two win."""
        lease = self._await_free(0)  # who plans again under the lock needs no settling
        now = datetime.now(UTC)
        spec = spec_of(identity, now, now, LEASE_SECONDS)
        new: Object = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE_REF.name}}
        asked = clock()
        try:
            if lease is None:
                self.api.create(collection_path("Lease", ISTIO_NAMESPACE), taken(new, spec, this_process()))
            else:
                self.api.replace(path_of(LEASE_REF), taken(lease, spec, this_process()))
        except KubeError as error:
            if error.status != 409:
                raise
            winner = holder_of(self.api)
            if winner is None:
                raise RefusedError("another run took the lock just now", todo="Run it again.") from error
            raise _held(winner) from error
        hold.confirm(asked)


def unlock(api: KubeApi, reason: str) -> Holder | None:
    """Free the lock, whoever holds it; returns who did. The reason stays on the Lease."""
    lease = api.get(path_of(LEASE_REF))
    holder = holder_in(lease)
    if lease is not None and holder is not None:
        lease["spec"] = {}
        lease["metadata"].setdefault("annotations", {})[_REASON] = reason
        api.replace(path_of(LEASE_REF), lease)
    return holder


def _not_taken(error: KubeError) -> RefusedError:
    return RefusedError(
        "the lock that keeps two runs apart could not be taken",
        details=(error.what, *error.details),
        todo=error.todo or "Fix what the API server says, or try again. The mesh was not touched.",
    )


def _held(holder: Holder) -> RefusedError:
    return RefusedError(
        "another run is active on this cluster",
        details=(f"the lock is held by {holder.line(datetime.now(UTC))}",),
        todo="Wait for it. Only if you know that it does nothing any more: `sohistio unlock --env … --reason …`.",
    )


@dataclass(frozen=True, slots=True)
class _Renewal:
    """Renews the lock until `done`, then gives it back. It is lost only where the Lease shows it: never by a guess."""

    api: KubeApi
    identity: str
    hold: Hold
    done: threading.Event

    def keep_up(self) -> None:
        pause = RENEW_SECONDS
        try:
            while not self.done.wait(pause):
                pause = RENEW_SECONDS
                try:
                    if not self._renew():
                        return
                except KubeError:
                    pause = _AGAIN_SECONDS
        except Exception:
            self.hold.lose()  # a lock that nobody renews any more is lost, whatever ended the renewing
            raise
        _release(self.api, self.identity)

    def _renew(self) -> bool:
        """Whether there is more to renew. Raises KubeError."""
        lease = self.api.get(path_of(LEASE_REF))
        holder = holder_in(lease)
        if lease is None and _namespace_is_going(self.api):
            self.hold.keep()  # a purge takes the lock with the namespace, in which nobody can take it meanwhile
            return False
        if lease is None or holder is None or holder.identity != self.identity:
            self.hold.lose()
            return False
        lease["spec"] = spec_of(self.identity, holder.since, datetime.now(UTC), LEASE_SECONDS)
        asked = clock()
        self.api.replace(path_of(LEASE_REF), lease)
        self.hold.confirm(asked)
        return True


def _namespace_is_going(api: KubeApi) -> bool:
    namespace = api.get(path_of(ObjectRef("Namespace", "", ISTIO_NAMESPACE)))
    return namespace is None or "deletionTimestamp" in namespace["metadata"]


def _release(api: KubeApi, identity: str) -> None:
    try:
        lease = api.get(path_of(LEASE_REF))
        holder = holder_in(lease)
        if lease is not None and holder is not None and holder.identity == identity:
            api.replace(path_of(LEASE_REF), lease | {"spec": {}})
    except KubeError:
        return  # it expires by itself

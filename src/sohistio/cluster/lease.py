"""Adapter: the Lease that keeps two runs apart. It expires when its run dies; a live run renews it.

Whether a run lives is judged as client-go's leader election does it: by watching its Lease change, for as long as this
machine's own clock takes to count LEASE_SECONDS. The times in the Lease are for people: machines' clocks differ.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sohistio.cluster.kube import KubeApi, KubeError, Object
from sohistio.cluster.paths import collection_path, path_of
from sohistio.errors import InterruptedRunError, RefusedError
from sohistio.state import ISTIO_NAMESPACE, ObjectRef

LEASE_REF = ObjectRef("Lease", ISTIO_NAMESPACE, "sohistio")
# A dead run's lock is free after this long. A live one renews it six times in that span, so that a run beside it knows
# soon; and it stops once it could not for as long: by then another may have the lock.
LEASE_SECONDS = 30.0
RENEW_SECONDS = 5.0
_LOOK_SECONDS = 0.5
_REASON = "sohistio/unlocked-because"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock: `identity` is who@host and the run's id; times are those of the holder's clock."""

    identity: str
    since: datetime
    renewed: datetime

    def told(self, now: datetime) -> str:
        """For people."""
        ago = max((now - self.renewed).total_seconds(), 0.0)
        return f"{self.identity}, since {self.since:%Y-%m-%d %H:%M:%S} UTC, last sign of life {ago:.0f} s ago"


def holder_of(api: KubeApi) -> Holder | None:
    """Who holds the lock, dead or alive; None where it is free."""
    return _holder(api.get(path_of(LEASE_REF)))


@dataclass(slots=True)
class Lock:
    """The lock as one run takes it. `told` takes lines about waiting; `stop` ends the waiting."""

    api: KubeApi
    told: Callable[[str], None]
    stop: threading.Event

    def await_free(self) -> Object | None:
        """Return once nobody holds it, or its holder has shown no sign of life for LEASE_SECONDS: the Lease as seen.

        Raises RefusedError that names a holder who is alive, InterruptedRunError.
        """
        first = self._read()
        holder = _holder(first)
        if first is None or holder is None:
            return first
        self.told(f"the lock is held by {holder.told(datetime.now(UTC))}: looking whether that run lives …")
        begun = time.monotonic()
        looks_dead = False
        while (waited := time.monotonic() - begun) < LEASE_SECONDS:
            if self.stop.wait(_LOOK_SECONDS):
                raise InterruptedRunError("interrupted while waiting for the lock", todo="Nothing was changed.")
            now = self._read()
            if now is None or _holder(now) is None:
                return now
            if now["spec"] != first["spec"]:
                raise _held(_holder(now) or holder)
            if not looks_dead and waited > 2 * RENEW_SECONDS:
                looks_dead = True
                left = LEASE_SECONDS - waited
                self.told(f"it does not renew its lock and seems to be dead: the lock expires in {left:.0f} s …")
        self.told("the lock has expired")
        return first

    @contextmanager
    def held(self, identity: str, lost: threading.Event) -> Iterator[None]:
        """Hold the lock for the block. Raises as `await_free` does; `lost` is set when it is lost.

        The namespace is made where it is missing: a lock must come before everything else that is written.
        """
        try:
            _ensure_namespace(self.api)
            self._take(identity)
        except KubeError as error:  # nothing of the mesh was touched
            raise _not_taken(error) from error
        done = threading.Event()
        # A renewal that hangs must end long before the lock does.
        patient = self.api.within(RENEW_SECONDS)
        renewer = threading.Thread(target=_renew, args=(patient, identity, done, lost), name="lease", daemon=True)
        renewer.start()
        try:
            yield
        finally:
            done.set()
            renewer.join()
            _release(patient, identity)

    def _read(self) -> Object | None:
        try:
            return self.api.get(path_of(LEASE_REF))
        except KubeError as error:
            if error.status in (0, 401):  # nothing to do with the lock: it is only the first thing asked for
                raise RefusedError(error.what, details=error.details, todo=error.todo) from error
            raise _not_taken(error) from error

    def _take(self, identity: str) -> None:
        """Create or take over the Lease as it was seen; by its resourceVersion the API server lets one of two win."""
        lease = self.await_free()
        now = datetime.now(UTC)
        try:
            if lease is None:
                body: Object = {
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": {"name": LEASE_REF.name},
                    "spec": _spec(identity, now, now),
                }
                self.api.create(collection_path("Lease", ISTIO_NAMESPACE), body)
            else:
                self.api.replace(path_of(LEASE_REF), lease | {"spec": _spec(identity, now, now)})
        except KubeError as error:
            if error.status != 409:
                raise
            winner = holder_of(self.api)
            raise _held(winner) if winner else RefusedError("another run took the lock just now") from error


def unlock(api: KubeApi, reason: str) -> Holder | None:
    """Free the lock, whoever holds it; returns who did. The reason stays on the Lease."""
    lease = api.get(path_of(LEASE_REF))
    holder = _holder(lease)
    if lease is not None and holder is not None:
        lease["spec"] = {}
        lease["metadata"].setdefault("annotations", {})[_REASON] = reason
        api.replace(path_of(LEASE_REF), lease)
    return holder


def _ensure_namespace(api: KubeApi) -> None:
    if api.get(path_of(ObjectRef("Namespace", "", ISTIO_NAMESPACE))) is None:
        namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ISTIO_NAMESPACE}}
        try:
            api.create(collection_path("Namespace"), namespace)
        except KubeError as error:
            if error.status != 409:  # somebody else was quicker
                raise


def _not_taken(error: KubeError) -> RefusedError:
    return RefusedError(
        "the lock that keeps two runs apart could not be taken",
        details=(error.what, *error.details),
        todo=error.todo or "Look at the message above; the mesh was not touched.",
    )


def _held(holder: Holder) -> RefusedError:
    return RefusedError(
        "another run is at work on this cluster",
        details=(f"the lock is held by {holder.told(datetime.now(UTC))}",),
        todo="Wait for it. Only if you know that it does nothing any more: `sohistio unlock --reason …`.",
    )


def _renew(api: KubeApi, identity: str, done: threading.Event, lost: threading.Event) -> None:
    renewed = time.monotonic()
    while not done.wait(RENEW_SECONDS):
        begun = time.monotonic()
        try:
            lease = api.get(path_of(LEASE_REF))
            holder = _holder(lease)
            if lease is None and _namespace_is_going(api):
                return  # a purge takes the lock with the namespace, in which nobody can take it meanwhile
            if lease is None or holder is None or holder.identity != identity:
                lost.set()
                return
            lease["spec"] = _spec(identity, holder.since, datetime.now(UTC))
            api.replace(path_of(LEASE_REF), lease)
            renewed = begun
        except KubeError:  # tried again in a moment
            if time.monotonic() - renewed > LEASE_SECONDS - RENEW_SECONDS:
                lost.set()
                return
        except Exception:
            lost.set()  # a lock that nobody renews any more is lost, whatever ended the renewing
            raise


def _namespace_is_going(api: KubeApi) -> bool:
    namespace = api.get(path_of(ObjectRef("Namespace", "", ISTIO_NAMESPACE)))
    return namespace is None or "deletionTimestamp" in namespace["metadata"]


def _release(api: KubeApi, identity: str) -> None:
    try:
        lease = api.get(path_of(LEASE_REF))
        holder = _holder(lease)
        if lease is not None and holder is not None and holder.identity == identity:
            api.replace(path_of(LEASE_REF), lease | {"spec": {}})
    except KubeError:
        return  # it expires by itself


def _spec(identity: str, since: datetime, now: datetime) -> Object:
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": int(LEASE_SECONDS),
        "acquireTime": _micro(since),
        "renewTime": _micro(now),
    }


def _micro(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _holder(lease: Object | None) -> Holder | None:
    spec = (lease or {}).get("spec") or {}
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        return None
    renewed = datetime.fromisoformat(spec["renewTime"])
    return Holder(spec["holderIdentity"], datetime.fromisoformat(spec.get("acquireTime") or spec["renewTime"]), renewed)

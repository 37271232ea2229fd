"""Adapter: the Lease that keeps two runs apart. It expires when its run dies; a live run renews it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sohistio.cluster.kube import KubeApi, KubeError, Object
from sohistio.cluster.paths import collection_path, path_of
from sohistio.errors import RefusedError
from sohistio.state import ISTIO_NAMESPACE, ObjectRef

LEASE_REF = ObjectRef("Lease", ISTIO_NAMESPACE, "sohistio")
# A dead run's lock is free after this long; a live one renews it three times in that span.
LEASE_SECONDS = 30
_RENEW_SECONDS = LEASE_SECONDS / 3
_REASON = "sohistio/unlocked-because"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock: `identity` is who@host and the run's id; times are those of the Lease."""

    identity: str
    since: datetime
    renewed: datetime

    def is_dead(self, now: datetime) -> bool:
        """Whether its run has stopped renewing."""
        return now - self.renewed > timedelta(seconds=LEASE_SECONDS)

    def told(self, now: datetime) -> str:
        """For people."""
        ago = (now - self.renewed).total_seconds()
        return f"{self.identity}, since {self.since:%Y-%m-%d %H:%M:%S} UTC, last sign of life {ago:.0f} s ago"


def holder_of(api: KubeApi) -> Holder | None:
    """Who holds the lock, dead or alive; None where it is free."""
    return _holder(api.get(path_of(LEASE_REF)))


def unlock(api: KubeApi, reason: str) -> Holder | None:
    """Free the lock, whoever holds it; returns who did. The reason stays on the Lease."""
    lease = api.get(path_of(LEASE_REF))
    holder = _holder(lease)
    if lease is not None and holder is not None:
        lease["spec"] = {}
        lease["metadata"].setdefault("annotations", {})[_REASON] = reason
        api.replace(path_of(LEASE_REF), lease)
    return holder


@contextmanager
def locked(api: KubeApi, identity: str, lost: threading.Event) -> Iterator[None]:
    """Hold the lock for the block. Raises RefusedError that names the holder; `lost` is set if it is taken away.

    The namespace is made where it is missing: a lock must come before everything else that is written.
    """
    _ensure_namespace(api)
    _take(api, identity)
    stop = threading.Event()
    renewer = threading.Thread(target=_renew, args=(api, identity, stop, lost), name="lease", daemon=True)
    renewer.start()
    try:
        yield
    finally:
        stop.set()
        renewer.join()
        _release(api, identity)


def _ensure_namespace(api: KubeApi) -> None:
    if api.get(path_of(ObjectRef("Namespace", "", ISTIO_NAMESPACE))) is None:
        namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ISTIO_NAMESPACE}}
        try:
            api.create(collection_path("Namespace"), namespace)
        except KubeError as error:
            if error.status != 409:  # somebody else was quicker
                raise


def _take(api: KubeApi, identity: str) -> None:
    """Create or take over the Lease; the API server's resourceVersion check lets one of two win."""
    lease = api.get(path_of(LEASE_REF))
    now = datetime.now(UTC)
    holder = _holder(lease)
    if holder is not None and not holder.is_dead(now):
        raise _held(holder, now)
    try:
        if lease is None:
            body: Object = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": LEASE_REF.name},
                "spec": _spec(identity, now, now),
            }
            api.create(collection_path("Lease", ISTIO_NAMESPACE), body)
        else:
            api.replace(path_of(LEASE_REF), lease | {"spec": _spec(identity, now, now)})
    except KubeError as error:
        if error.status != 409:
            raise
        winner = holder_of(api)
        raise _held(winner, now) if winner else RefusedError("another run took the lock just now") from error


def _held(holder: Holder, now: datetime) -> RefusedError:
    return RefusedError(
        "another run is at work on this cluster",
        details=(holder.told(now),),
        todo=f"Wait for it. If it is dead its lock expires {LEASE_SECONDS} s after its last sign of life; "
        "`sohistio unlock --reason …` frees it at once.",
    )


def _renew(api: KubeApi, identity: str, stop: threading.Event, lost: threading.Event) -> None:
    while not stop.wait(_RENEW_SECONDS):
        try:
            lease = api.get(path_of(LEASE_REF))
            holder = _holder(lease)
            if lease is None or holder is None or holder.identity != identity:
                lost.set()
                return
            lease["spec"] = _spec(identity, holder.since, datetime.now(UTC))
            api.replace(path_of(LEASE_REF), lease)
        except KubeError:
            continue  # tried again in a moment; if it stays so, the run's own requests fail with the reason


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
        "leaseDurationSeconds": LEASE_SECONDS,
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

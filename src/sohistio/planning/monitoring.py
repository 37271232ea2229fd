"""Reads how the cluster's monitoring compares with what the environment declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.monitoring import has_key, has_monitoring, look
from sohistio.errors import RefusedError
from sohistio.model.monitoring import (
    GRAFANA_ADMIN,
    REHEARSAL,
    Alerts,
    Exposure,
    Monitoring,
    Part,
    SecretKey,
)
from sohistio.model.record import MONITORING, Record
from sohistio.model.rollout import progress_of
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.model.words import counted, first_lines
from sohistio.modes.planner import OwnPhases
from sohistio.monitoring.compare import Comparison, compared
from sohistio.monitoring.planner import monitoring_phase
from sohistio.planning.declared_monitoring import DeclaredMonitoring, declared_monitoring
from sohistio.planning.owned import left_alone, somebody_elses
from sohistio.planning.reads import or_refused
from sohistio.planning.session import Session

_OLD_LOGIN = (
    "Secret grafana-admin was gone: Grafana's database still has the old password. This sets the new one: `kubectl "
    "exec -n istio-system deploy/grafana -- sh -c 'grafana cli admin reset-admin-password \"$(cat "
    "/etc/grafana-admin/password)\"'`"
)
WIZARD = "kiali_wizard"
"""The label of what Kiali's wizards write."""
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class MonitoringFacts:
    """What the environment declares, and how the cluster compares. `not_asked` are resources that may not be patched:
    of these no dry run was asked.
    """

    declared: DeclaredMonitoring = field(default_factory=DeclaredMonitoring)
    comparison: Comparison = field(default_factory=Comparison)
    paths: Mapping[ObjectRef, str] = field(default_factory=dict)
    not_asked: tuple[str, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether there is any, or will be."""
        return bool(self.declared.objects or self.comparison.live)

    @property
    def phases(self) -> OwnPhases:
        """What a plan takes of it."""
        comparison = self.comparison
        return OwnPhases(
            others=monitoring_phase(comparison, self.declared.environment, self.paths),
            changes=comparison.changes,
            refusal=self._refusal,
            todo=self._todo,
            notices=self._notices,
        )

    @property
    def _refusal(self) -> str:
        return somebody_elses(self.comparison.foreign, "an object of monitoring")

    @property
    def _todo(self) -> str:
        return "Delete it where it was made, or take the part out of the environment. Nothing was changed."

    @property
    def _notices(self) -> tuple[str, ...]:
        monitoring, comparison = self.declared.monitoring, self.comparison
        found = list(_notices_on(monitoring)) if comparison.changes else []
        if expose := monitoring.expose:
            found.append(f"https://{expose.host}/ serves {', '.join(monitoring.exposed)} to {_let_in(expose)}")
        if GRAFANA_ADMIN in comparison.secrets and _grafana_was_there(comparison):
            found.append(_OLD_LOGIN)
        found += left_alone(self.comparison.unowned)
        if self.not_asked:
            found.append(
                f"monitoring was compared without a dry run: you lack permission to patch {', '.join(self.not_asked)}"
            )
        return tuple(found)


def _let_in(expose: Exposure) -> str:
    if expose.addresses:
        return f"callers from {', '.join(expose.addresses)}, without a login where the page has none"
    claims = "; ".join(f"{name}: {' or '.join(values)}" for name, values in expose.claims)
    return f"who has a valid token with {claims}" if claims else "who has a valid token, whatever it says"


def _grafana_was_there(comparison: Comparison) -> bool:
    """Whether its database is older than its new password: on a disk, or with a pod that runs."""
    kinds = ("PersistentVolumeClaim", "Deployment")
    return any(ObjectRef(kind, ISTIO_NAMESPACE, Part.GRAFANA.value) in comparison.live for kind in kinds)


def _notices_on(monitoring: Monitoring) -> list[str]:
    found = [
        f"{part} keeps its data in an emptyDir: gone whenever its pod is made anew (monitoring.{part}.storage)"
        for part, declared in ((Part.PROMETHEUS, monitoring.prometheus), (Part.GRAFANA, monitoring.grafana))
        if declared and declared.storage is None
    ]
    if monitoring.prometheus and monitoring.alerts is None:
        found.append("alerts reach nobody: monitoring.alerts is not set")
    return found


def look_at_monitoring(session: Session, record: Record | None, *, brief: bool = False) -> MonitoringFacts:
    """Compare with the cluster. Raises RefusedError, also with what the API server would deny.

    Where none is declared and there is none, that is all that is asked; with `brief` the record is believed about it.
    """
    declared = declared_monitoring(session, record)
    what = "monitoring could not be read"
    if brief and not declared.objects and record is not None and record.has_none(MONITORING):
        return MonitoringFacts(declared)
    if not declared.objects and not or_refused(what, lambda: has_monitoring(session.api)):
        return MonitoringFacts(declared)
    return or_refused(what, lambda: read_monitoring(session.api, declared))


def read_monitoring(api: KubeApi, declared: DeclaredMonitoring) -> MonitoringFacts:
    """How the cluster's compares. Raises KubeError, and RefusedError with what the API server would deny."""
    found = look(api, declared.objects)
    # Where it may not be asked, it is not said to be missing: who installs may ask.
    needed = {ref: ref in found.live or ref in found.unread for ref in declared.monitoring.secrets}
    beside = (REHEARSAL,) if declared.monitoring.prometheus else ()
    comparison = compared(declared.objects, found.live, found.differences, declared.environment, needed, beside)
    if found.denied and not comparison.foreign:
        raise RefusedError(
            f"the API server would deny {counted(len(found.denied), 'object')} of monitoring",
            details=first_lines(found.denied, _MOST_NAMED),
            todo="Each line is the server's. A disk can grow and do nothing else: for another class take the part out "
            "of the environment, install (its data goes), and put it back. Nothing was changed.",
        )
    paths = {ref: api.path_of(dict(found.live[ref])) for ref in comparison.surplus}
    return MonitoringFacts(declared, comparison, paths, found.not_asked)


def not_ready(comparison: Comparison) -> dict[ObjectRef, str]:
    """Why each Deployment of monitoring that does not run yet does not."""
    found = {}
    for ref, live in comparison.live.items():
        progress = progress_of(dict(live), 1) if ref.kind == "Deployment" else None
        if progress and not progress.done and ref not in comparison.surplus:
            found[ref] = progress.message
    return found


def receivers_keys(api: KubeApi, alerts: Alerts | None) -> dict[SecretKey, bool | None]:
    """Whether the cluster has each key that alerts need; None where it may not be read. Raises KubeError."""
    return {item: has_key(api, item.secret, item.key) for item in (alerts.secrets if alerts else ())}

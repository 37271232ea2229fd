"""What a support bundle consists of: each part a file, what it is read from, and how long that may take."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sohistio import __version__
from sohistio.adapters.kubernetes.api import KubeError, Object
from sohistio.adapters.kubernetes.lease import holder_of
from sohistio.adapters.kubernetes.support import (
    WithoutSecrets,
    containers_with_logs,
    read_cluster_wide,
    read_config_maps,
    read_events,
    read_log,
    read_objects,
    read_resources,
)
from sohistio.errors import FailedError, SohistioError
from sohistio.model.record import Record, RunEntry, run_document
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.model.words import counted
from sohistio.modes.install_plan import Request
from sohistio.plan.changes import ref_of
from sohistio.plan.plan import Plan
from sohistio.planning.install import plan_install
from sohistio.planning.reads import recorded
from sohistio.planning.session import Session
from sohistio.system.once import Once
from sohistio.system.parallel import side_by_side, within

Content = Mapping[str, Any]
_SECONDS = 45.0
_PLAN_SECONDS = 150.0
_ISTIOCTL_SECONDS = 20.0
_MOST_LOGS = 12
# Keys of environment.yaml that say what a mesh is. The others have programs' arguments, URLs, headers, tokens' issuers.
_KEYS = ("name", "protected", "standbyOf", "promotesFrom", "ingressAddress", "cluster", "applicationNamespaces")
_ISTIO = ("version", "hub", "pinDigests", "pullSecret")
_POLICY = ("stage", "mtls", "telemetry")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by their names, and why others are missing, by what each would have been."""

    found: Mapping[str, str]
    problems: Mapping[str, SohistioError]


@dataclass(frozen=True, slots=True)
class SupportPart:
    """One part: a document at `file`, or several texts below it. `free_text` says that others wrote what is in it."""

    name: str
    file: str
    read: Callable[[], Content | Texts]
    free_text: bool = False
    seconds: float = _SECONDS


def support_parts(session: Session, *, logs: bool) -> tuple[SupportPart, ...]:
    """All of them. The session asks for no Secret from now on. Raises UsageError for an environment that is not valid,
    RefusedError where its cluster has no address or login.
    """
    environment = session.environment
    session.api = session.api.under(WithoutSecrets())
    api, namespaces = session.api, _namespaces(session)
    resources = Once(lambda: read_resources(api))
    parts = (
        SupportPart("versions", "versions.json", lambda: read_versions(session)),
        SupportPart("environment", "environment.json", lambda: _environment(environment.document())),
        SupportPart("plan", "plan.json", lambda: _plan(session), seconds=_PLAN_SECONDS),
        SupportPart("record", "record.json", lambda: _record(recorded(session))),
        SupportPart("lock", "lock.json", lambda: _lock(session)),
        SupportPart("objects", "objects.json", lambda: {"objects": read_objects(api, namespaces)}),
        SupportPart("cluster-wide", "cluster-wide.json", lambda: {"objects": read_cluster_wide(api)}),
        SupportPart("config-maps", "config-maps.json", lambda: {"objects": read_config_maps(api)}),
        SupportPart("custom-resources", "custom-resources.json", lambda: {"objects": resources()[0]}),
        SupportPart("analyze", "analyze.json", lambda: _analyzed(session, resources()[1]), seconds=_PLAN_SECONDS),
        SupportPart("events", "events.json", lambda: {"events": read_events(api, namespaces)}, free_text=True),
    )
    if not logs:
        return parts
    return (*parts, SupportPart("logs", "logs", lambda: _logs(session), free_text=True))


def _namespaces(session: Session) -> tuple[str, ...]:
    return tuple(sorted({ISTIO_NAMESPACE, *(gateway.namespace for gateway in session.environment.gateways)}))


def read_versions(session: Session, istioctl_seconds: float = _ISTIOCTL_SECONDS) -> Content:
    """What could not be asked, or did not answer in time, is None: the others are known all the same."""

    def known(read: Callable[[], str]) -> str | None:
        try:
            return read()
        except SohistioError:
            return None

    kubernetes = known(lambda: str(session.api.request("GET", "/version").get("gitVersion", "")))
    # Its download may wait for a mirror that does not answer: last, and not at the others' expense.
    istioctl = within(istioctl_seconds, lambda: known(lambda: str(session.istioctl(session.version).version)), None)
    return {
        "sohistio": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "istioTarget": str(session.version),
        "istioctl": istioctl,
        "kubernetes": kubernetes,
    }


def _environment(document: Content) -> Content:
    found = {key: document[key] for key in _KEYS if key in document}
    for part, keys in (("istio", _ISTIO), ("policy", _POLICY)):
        if values := document.get(part):
            found[part] = {key: values[key] for key in keys if key in values}
    return found


def _plan(session: Session) -> Content:
    """Which objects and fields would change, without their values; the manifest by its objects."""
    planned = plan_install(session, Request())
    return {
        **_plan_document(planned.plan),
        "unreadable": list(planned.state.unreadable),
        "manifest": [str(ref_of(item)) for item in planned.rendered.manifest],
    }


def _plan_document(plan: Plan) -> Content:
    return {
        "mode": plan.mode.value,
        "installedVersion": plan.installed_version,
        "targetVersion": plan.target_version,
        "reasons": list(plan.reasons),
        "refusal": plan.refusal,
        "steps": [{"id": step.id, "summary": step.summary, "risk": step.risk.value} for step in plan.steps],
        "changes": [
            {
                "object": str(change.ref),
                "action": change.action.value,
                "fields": [{"path": field.path, "manager": field.manager} for field in change.fields],
            }
            for change in plan.changes.objects
        ],
    }


def _record(record: Record | None) -> Content:
    """The history. What was applied by its version only: an IstioOperator holds what people put into it."""
    if record is None:
        return {"environment": None, "runs": []}
    mark = record.failover
    return {
        "environment": record.environment,
        "current": record.current.version if record.current else None,
        "previous": record.previous.version if record.previous else None,
        "gatewayNamespaces": list(record.gateway_namespaces),
        "failover": {"stage": mark.stage.value, "since": mark.since, "switched": mark.switched} if mark else None,
        "readiness": [{"name": item.name, "result": item.result.value, "at": item.at} for item in record.readiness],
        "runs": [_run(run) for run in record.runs],
    }


def _run(run: RunEntry) -> Content:
    """Without its reason, which is people's own text."""
    return {key: value for key, value in run_document(run).items() if key != "reason"}


def _lock(session: Session) -> Content:
    holder = holder_of(session.api)
    if holder is None:
        return {"holder": None}
    return {"holder": holder.identity, "since": holder.since.isoformat(), "renewed": holder.renewed.isoformat()}


def _analyzed(session: Session, resources: list[Object]) -> Content:
    """istioctl over the custom resources as they were read: asked about the cluster it would read all Secrets.

    Without its messages: they may quote what it looks at.
    """
    if not resources:
        return {"findings": []}
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": resources})
    findings = session.istioctl(session.version).analyze_objects(listed)
    return {
        "findings": [
            {"code": one.code, "level": one.level, "origin": one.origin, "documentation": one.documentation_url}
            for one in findings
        ]
    }


def _logs(session: Session) -> Texts:
    """A text for each container that could be read, and why others could not."""
    places: dict[str, list[str]] = {ISTIO_NAMESPACE: ["istiod"]}
    for gateway in session.environment.gateways:
        places.setdefault(gateway.namespace, []).append(gateway.name)
    problems: dict[str, SohistioError] = {}
    containers: list[tuple[str, str, str]] = []
    for namespace, apps in places.items():
        try:
            containers += containers_with_logs(session.api, namespace, apps)
        except SohistioError as error:
            problems[f"pods of {namespace}"] = error
    left_out = len(containers) - _MOST_LOGS
    if left_out > 0:
        problems[counted(left_out, "container")] = FailedError(
            f"left out: a bundle has {_MOST_LOGS} at most", todo="Read the others with `kubectl logs`."
        )

    unread: dict[str, SohistioError] = {}

    def read(place: tuple[str, str, str]) -> tuple[str, str]:
        name = f"{'_'.join(place)}.log"
        try:
            return name, read_log(session.api, *place)
        except SohistioError as error:
            unread[name] = error
            return name, ""

    found = side_by_side(read, containers[:_MOST_LOGS])
    return Texts({name: text for name, text in found if text}, problems | _told_once(unread))


def _told_once(unread: Mapping[str, SohistioError]) -> dict[str, SohistioError]:
    """Of many that the API server answers alike, each with words of its own, one stands for all: no kubelet answers."""
    alike: dict[object, list[str]] = {}
    for name in sorted(unread):
        error = unread[name]
        alike.setdefault(error.status if isinstance(error, KubeError) and error.passing else name, []).append(name)
    return {
        first if not others else f"{counted(len(others) + 1, 'log')}, such as {first}": unread[first]
        for first, *others in alike.values()
    }

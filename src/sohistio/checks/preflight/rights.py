"""Which rights a plan takes, from its steps and its manifest. Pure, but for asking the server about them at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import assert_never

from sohistio.adapters.kubernetes.access import Right, lacking
from sohistio.adapters.kubernetes.api import KubeError, Object
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.served_kinds import served_kinds
from sohistio.checks.preflight.check import Good, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.checks.preflight.roles import role_of
from sohistio.model.fault import Fault
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef
from sohistio.model.webhooks import MUTATING
from sohistio.model.words import first_names
from sohistio.modes.namespaces_plan import is_missing
from sohistio.modes.webhooks import is_own
from sohistio.plan.adoption_steps import MoveFieldManagers, RecordAdoption, StopOperator
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.backup_steps import CheckBackup, RestoreAuthority, RestoreObjects, TakeBackup
from sohistio.plan.changes import Action, component_of, ref_of
from sohistio.plan.failover_steps import AwaitOldAnswers, MarkFailover, ProveName, ProveSide, SwitchRecord, WatchHealth
from sohistio.plan.gateway_steps import AwaitAddresses, HandOverAddress, RelabelGateways, ReleaseGateways, objects_of
from sohistio.plan.image_steps import PrepullImages
from sohistio.plan.monitoring_steps import (
    ApplyMonitoring,
    AwaitMonitoring,
    MakeSecrets,
    PruneMonitoring,
    ReportRehearsal,
)
from sohistio.plan.namespace_steps import (
    LabelNamespaces,
    MakeNamespace,
    UnlabelNamespaces,
    VerifyNamespaces,
    WritePullSecrets,
)
from sohistio.plan.plan import Plan
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy
from sohistio.plan.steps import (
    AwaitRollouts,
    CompleteRecord,
    HoldStandby,
    InstallIstio,
    KeepReplicas,
    RemoveObjects,
    RestartWorkloads,
    ScaleUp,
    Step,
    UninstallIstio,
    VerifyGone,
    VerifyMesh,
)
from sohistio.plan.sync_steps import PruneSynced, RecordSync, SyncObjects
from sohistio.plan.webhook_steps import RepairWebhooks

_LEASE, _RECORD = ("coordination.k8s.io", "leases"), ("", "configmaps")
# Every run: the lock, taken and given back, and the record. What is created by POST is asked for without its name.
_EVERY_RUN = (
    Right("get", *_LEASE, ISTIO_NAMESPACE, "sohistio"),
    Right("update", *_LEASE, ISTIO_NAMESPACE, "sohistio"),
    Right("create", *_LEASE, ISTIO_NAMESPACE),
    Right("patch", *_RECORD, ISTIO_NAMESPACE, "sohistio-record"),
    Right("create", *_RECORD, ISTIO_NAMESPACE),
)
# istioctl (1.29 to 1.31) lists them in all namespaces while it prunes and uninstalls, and fails where it may not.
_ISTIOCTLS = (Right("list", "", "secrets"),)
_NEW_NAMESPACE = Right("create", "", "namespaces")
_WEBHOOKS = "admissionregistration.k8s.io"
# What istioctl writes beside the manifest: the default revision's tag, and the injector once that is there.
_TAG = (
    ObjectRef("MutatingWebhookConfiguration", "", "istio-revision-tag-default"),
    ObjectRef("ValidatingWebhookConfiguration", "", "istiod-default-validator"),
    ObjectRef("Service", ISTIO_NAMESPACE, "istiod-revision-tag-default"),
)
_INJECTOR = Right("update", _WEBHOOKS, "mutatingwebhookconfigurations", name="istio-sidecar-injector")
_CA_SECRETS = ("cacerts", "istio-ca-secret")
_NEVER_TAKEN = ("CustomResourceDefinition", "Namespace")
_MOST_NAMED = 3
PathOf = Callable[[Object], str]


def permissions(context: Context) -> Iterator[Verdict]:
    """Every verb that the plan uses is asked of the API server (SelfSubjectAccessReview)."""
    plan = context.planned.plan
    needed = rights_of(plan, context.planned.rendered.manifest, context.api.path_of)
    if not needed:
        yield Good("the plan writes nothing")
        return
    if is_missing(context.state):
        needed.add(_NEW_NAMESPACE)
    if any(isinstance(step, UninstallIstio) for step in plan.steps):
        needed |= set(letting_go(context.state))
    if not plan.mode.leaves_configuration:
        # Before and after a run all custom resources are compared; half of them would be taken for all.
        needed |= {Right("list", kind.group, kind.plural) for kind in served_kinds(context.api)}
    missing = lacking(context.api, needed)
    yield from verdict_on(missing, len(needed), role_of(plan))


def letting_go(state: ClusterState) -> Iterator[Right]:
    """What it takes that no webhook of the mesh refuses anything once its istiod goes: tags of one's own, too."""
    for item in state.webhooks.configurations:
        if is_own(item, state.revision):
            verb = "update" if item.kind == MUTATING else "delete"
            yield Right.on(verb, path_of(ObjectRef(item.kind, "", item.name)))


def verdict_on(missing: Sequence[Right], asked: int, hint: str = "") -> Iterator[Verdict]:
    """One fault for each resource, with the verbs, names and namespaces that are missing.

    `hint` names the role that has them, where it is not the installer's.
    """
    if not missing:
        yield Good(f"all {asked} rights that the plan takes are there")
    places: dict[tuple[str, str, str], list[Right]] = {}
    for right in missing:
        places.setdefault((right.group, right.resource, right.namespace), []).append(right)
    alike: dict[tuple[str, ...], list[str]] = {}
    for (group, resource, namespace), rights in places.items():
        verbs = ", ".join(sorted({right.verb for right in rights}))
        names = first_names(sorted({right.name for right in rights if right.name}), _MOST_NAMED)
        kind = f"{resource}.{group}" if group else resource
        alike.setdefault((f"you lack permission to {verbs} {kind}", f" ({names})" if names else ""), []).append(
            namespace
        )
    for (what, names), namespaces in sorted(alike.items()):
        place = first_names(sorted(filter(None, namespaces)), _MOST_NAMED)
        yield Fault(f"{what}{f' in {place}' if place else ''}{names}", hint)


def rights_of(plan: Plan, manifest: Sequence[Object], path_for: PathOf) -> set[Right]:
    """What carrying the plan out takes; nothing where it writes nothing.

    A plan that is refused for its versions has no steps: then it is what applying its manifest takes. `path_for` gives
    an object's REST path, and raises KubeError for a kind that the server does not know yet.
    """
    if not plan.changes_pending and not (plan.refusal and manifest):
        return set()
    rights = set(_EVERY_RUN)
    for step in plan.steps:
        rights |= set(_of(step, path_for))
    if plan.refusal or any(isinstance(step, InstallIstio) for step in plan.steps):
        rights |= set(_applying(plan, manifest, path_for))
    if any(isinstance(step, UninstallIstio) for step in plan.steps):
        kept = [obj for obj in manifest if obj["kind"] not in _NEVER_TAKEN and component_of(obj) in ("base", "istiod")]
        rights |= set(_on(("delete",), _paths(kept, path_for)))
    return rights


def _applying(plan: Plan, manifest: Sequence[Object], path_for: PathOf) -> Iterator[Right]:
    """A server-side apply is a patch, and a create as well where the object is not there (yet, or any more)."""
    there_at_first = not any(isinstance(step, UninstallIstio) for step in plan.steps)
    created = {change.ref for change in plan.changes.objects if change.action is Action.CREATED}
    for obj in manifest:
        is_new = ref_of(obj) in created or not (there_at_first or obj["kind"] in _NEVER_TAKEN)
        yield from _on(("patch", "create") if is_new else ("patch",), _paths([obj], path_for))
    verbs = ("patch",) if plan.installed_version and there_at_first else ("patch", "create")
    yield from _on(verbs, map(path_of, _TAG))
    yield _INJECTOR
    yield from _ISTIOCTLS


def _of(step: Step, path_for: PathOf) -> Iterator[Right]:  # noqa: PLR0912 — one case a kind of step
    match step:
        case TakeBackup():
            secrets = _CA_SECRETS if step.authority else ()
            yield from (Right("get", "", "secrets", ISTIO_NAMESPACE, name) for name in secrets)
        case RepairWebhooks():
            yield from _on(("update",), (path_of(repair.ref) for repair in step.repairs))
        case StopOperator():
            yield from _on(("patch",), map(path_of, (*step.controllers, *step.operators)))
        case MoveFieldManagers() | LabelNamespaces() | UnlabelNamespaces():
            yield from _on(("patch",), map(path_of, step.objects))
        case UninstallIstio():
            yield from _ISTIOCTLS
            yield from _on(("delete",), map(path_of, step.objects))
        case ScaleUp():
            yield from _on(("patch",), (path_of(ref) for ref, _ in step.minimums))
        case HoldStandby():
            yield from _on(("patch",), map(path_of, step.gateways))
        case HandOverAddress():
            yield Right.on("delete", path_of(step.giver))
            yield Right.on("patch", path_of(step.taker))
        case RemoveObjects():
            yield from _on(("delete",), map(path_of, step.objects))
        case RestartWorkloads():
            yield from _on(("patch",), map(path_of, step.workloads))
        case RestoreObjects() | SyncObjects() | ApplyPolicy() | ApplyMonitoring():
            yield from _on(("patch", "create"), _paths(step.parsed, path_for))
        case RestoreAuthority():
            places = (path_of(ObjectRef("Secret", ISTIO_NAMESPACE, name)) for name in _CA_SECRETS)
            yield from _on(("get", "patch", "create"), places)
        case WriteAuthority():
            yield from _on(("get", "patch", "create"), [path_of(step.object)])
        case MakeNamespace():
            yield _NEW_NAMESPACE
        case WritePullSecrets() | MakeSecrets():
            yield from _on(("get", "patch", "create"), map(path_of, step.objects))
        case KeepReplicas():
            yield from _on(("patch",), map(path_of, step.deployments))
        case ReleaseGateways() | RelabelGateways():
            yield from _on(("patch",), (path_of(ref) for gateway in step.gateways for ref in objects_of(gateway)))
        case PrepullImages():
            yield from _on(("get", "patch", "create", "delete"), (path_of(step.object),))
        case ReportRehearsal():
            yield from _on(("patch", "create"), [path_of(step.object)])
        case PruneSynced() | PrunePolicy() | PruneMonitoring():
            yield from _on(("get", "delete"), step.paths)
        case (
            CheckBackup()
            | AwaitRollouts()
            | AwaitMonitoring()
            | AwaitAddresses()
            | VerifyGone()
            | VerifyMesh()
            | VerifyNamespaces()
        ):
            return  # they only look
        case MarkFailover() | ProveSide() | SwitchRecord() | ProveName() | AwaitOldAnswers() | WatchHealth():
            return  # the record, which every run writes; the rest is no object of the cluster
        case InstallIstio() | CompleteRecord() | RecordAdoption() | RecordSync():
            return  # what the manifest says, and what every run does
        case _:
            assert_never(step)


def _on(verbs: Iterable[str], paths: Iterable[str]) -> Iterator[Right]:
    wanted = tuple(verbs)
    for path in paths:
        yield from (Right.on(verb, path) for verb in wanted)


def _paths(objects: Iterable[Object], path_for: PathOf) -> Iterator[str]:
    for obj in objects:
        try:
            yield path_for(obj)
        except KubeError as error:
            if error.status != 404:  # a kind whose CRD is among the objects: istioctl makes it first
                raise

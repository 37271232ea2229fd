"""One executor for each kind of step. A step is data; what it takes to carry it out is in the room it names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from sohistio.adapters.kubernetes.custom_resources import resource_ref
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.release_gateways import relabel_gateways, release_gateways
from sohistio.checks.result import CheckResult
from sohistio.errors import VerificationError
from sohistio.model.state import ObjectRef
from sohistio.plan.adoption_steps import MoveFieldManagers, RecordAdoption, StopOperator
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.backup_steps import CheckBackup, RestoreAuthority, RestoreObjects, TakeBackup
from sohistio.plan.failover_steps import (
    AwaitOldAnswers,
    MarkFailover,
    ProveName,
    ProveSide,
    SwitchRecord,
    WatchHealth,
)
from sohistio.plan.gateway_steps import AwaitAddresses, HandOverAddress, RelabelGateways, ReleaseGateways
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
from sohistio.run.adopt import move_field_managers, stop_operator
from sohistio.run.authority import plug_in
from sohistio.run.backup import check_backup, take_backup
from sohistio.run.failover import Traffic, await_old_answers, prove_name, prove_side, switch_record
from sohistio.run.hand_over import await_addresses, hand_over
from sohistio.run.install import await_rollouts, install, uninstall
from sohistio.run.monitoring import (
    apply_monitoring,
    await_monitoring,
    make_secrets,
    prune_monitoring,
    report_rehearsal,
)
from sohistio.run.namespaces import prepare_namespaces, verify_namespaces
from sohistio.run.policy import apply_policy, prune_policy
from sohistio.run.prepull import prepull
from sohistio.run.recorder import Recorder
from sohistio.run.remove import remove
from sohistio.run.restart import restart
from sohistio.run.restore import restore_authority, restore_objects
from sohistio.run.scale import hold_standby, keep_replicas, scale_up
from sohistio.run.sync import prune_objects, sync_objects
from sohistio.run.tools import Tools
from sohistio.run.verify import Verification, verify_gone, verify_mesh
from sohistio.run.wait import Waiting
from sohistio.run.watch_health import watch_health
from sohistio.run.webhooks import repair_webhooks

_NOT_ALL_GONE = "the mesh was uninstalled, but not everything is as it should be"
_CHECKS_SAY = "Each check marked × says what to do about it."


@dataclass(slots=True)
class Execution:
    """Executes steps; `checks` holds the newest verification's results, `backup` the folder written.

    `approved` are the workloads of the restarts so far, `policy_written` the policy's objects: the verification holds
    the run to them, and to no others. `restarted` is how many workloads were.
    """

    tools: Tools
    waiting: Waiting
    recorder: Recorder
    checks: tuple[CheckResult, ...] = ()
    backup: str = ""
    approved: set[ObjectRef] = field(default_factory=set)
    policy_written: set[ObjectRef] = field(default_factory=set)
    restarted: int = 0

    def execute(self, step: Step) -> None:  # noqa: PLR0912, PLR0915 — one case a kind of step
        """Carry one step out. Raises FailedError with reasons, InterruptedRunError when the user stops it."""
        tools, waiting = self.tools, self.waiting
        match step:
            case TakeBackup():
                self.backup = str(take_backup(tools, step))
                waiting.observer.note(f"written to {self.backup}")
            case CheckBackup():
                check_backup(tools)
            case WriteAuthority():
                plug_in(tools, step)
            case MakeNamespace() | WritePullSecrets() | LabelNamespaces() | UnlabelNamespaces():
                prepare_namespaces(tools, waiting, step)
            case RepairWebhooks():
                repair_webhooks(tools.api, step)
            case StopOperator():
                stop_operator(tools, waiting, step)
            case MoveFieldManagers():
                move_field_managers(tools, step)
            case ReleaseGateways():
                release_gateways(tools.api, None if step.others_too else step.gateways)
            case RelabelGateways():
                relabel_gateways(tools.api)
            case UninstallIstio():
                uninstall(tools, waiting, step)
            case InstallIstio():
                install(tools, waiting, step)
            case KeepReplicas():
                keep_replicas(tools, step)
            case ScaleUp():
                scale_up(tools, step)
            case AwaitRollouts():
                await_rollouts(tools, waiting, step)
            case HoldStandby():
                hold_standby(tools, waiting, step)
            case HandOverAddress():
                hand_over(tools, waiting, step)
            case AwaitAddresses():
                await_addresses(tools, waiting, step)
            case RemoveObjects():
                remove(tools, waiting, step)
            case RestartWorkloads():
                self.approved.update(step.workloads)
                self.approved -= restart(waiting, tools.restarts, step, self._count)
            case VerifyNamespaces():
                self._checked(verify_namespaces(tools, step), "the namespaces are not as the environment has them")
            case VerifyGone():
                self._checked(verify_gone(tools, step, self.approved), _NOT_ALL_GONE)
            case VerifyMesh():
                self._verify(step)
            case RestoreObjects():
                restore_objects(tools, waiting, step)
            case RestoreAuthority():
                restore_authority(tools, step)
            case MarkFailover():
                self.recorder.mark(step.stage, step.accepted, step.switched)
            case ProveSide():
                prove_side(self._traffic, waiting, step)
            case SwitchRecord():
                switch_record(self._traffic, waiting, step)
                self.recorder.switched()
            case ProveName():
                prove_name(self._traffic, waiting, step)
            case AwaitOldAnswers():
                await_old_answers(waiting, step)
            case WatchHealth():
                watch_health(self._traffic, waiting, step)
            case SyncObjects():
                sync_objects(tools, waiting, step)
            case PruneSynced():
                prune_objects(tools, waiting, step)
            case PrepullImages():
                prepull(tools, waiting, step)
            case ApplyPolicy():
                self.policy_written.update(map(resource_ref, step.parsed))
                apply_policy(tools, waiting, step)
            case PrunePolicy():
                self.policy_written.update(step.objects)
                prune_policy(tools, waiting, step)
            case MakeSecrets():
                make_secrets(tools, step)
            case ApplyMonitoring():
                apply_monitoring(tools, waiting, step)
            case AwaitMonitoring():
                await_monitoring(waiting, step, tools.component_seconds)
            case PruneMonitoring():
                prune_monitoring(tools, waiting, step)
            case ReportRehearsal():
                report_rehearsal(tools, step, self.recorder.began)
            case CompleteRecord() | RecordAdoption() | RecordSync():
                pass  # the recorder writes it when the run has ended well
            case _:
                assert_never(step)

    def _count(self, restarted: int) -> None:
        self.restarted += restarted

    @property
    def _traffic(self) -> Traffic:
        if self.tools.traffic is None:
            raise AssertionError("a plan that moves traffic is carried out with what moves it")
        return self.tools.traffic

    def _verify(self, step: VerifyMesh) -> None:
        """An intermediate version that does not verify ends the chain; the last one's checks are the run's result."""
        tools = self.tools
        asked = Verification(tools.api, tools.istioctl.target, tools.istioctl.of, tools.before)
        state = observe(tools.api, dry_runs=True)
        self.recorder.compared(state)
        asked = replace(asked, waiting=self.waiting, approved=self.approved, policy_written=self.policy_written)
        asked = replace(asked, restraint=tools.restarts.restraint, held_back=tools.restarts.held_back)
        asked = replace(asked, state=state)
        if step.version == tuple(tools.meshes)[-1]:  # of a chain they are applied after its last version
            asked = replace(asked, policy=tools.policy, monitoring=tools.monitoring)
        what = f"the mesh of {step.version} is applied, but its verification failed"
        self._checked(verify_mesh(asked, tools.meshes[step.version]), what)

    def _checked(self, checks: tuple[CheckResult, ...], otherwise: str) -> None:
        """Keep a verification's results. Raises VerificationError that says `otherwise` where one does not hold."""
        self.checks = checks
        if any(check.breaks for check in checks):
            raise VerificationError(otherwise, todo=_CHECKS_SAY)

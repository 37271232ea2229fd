"""Plans of every kind, for what prints and serialises them."""

from __future__ import annotations

from sohistio.checks.result import CheckResult, Result
from sohistio.model.fault import Severity
from sohistio.model.mode import Mode
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.backup_steps import TakeBackup
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import (
    AwaitRollouts,
    HoldStandby,
    InstallIstio,
    LeftAlone,
    RemoveObjects,
    RestartWorkloads,
    UninstallIstio,
    VerifyMesh,
)

CLUSTER = "https://aks-qa.example.com"
ISTIOD, INGRESS, EGRESS = (
    ObjectRef("Deployment", "istio-system", name) for name in ("istiod", "istio-ingressgateway", "istio-egressgateway")
)
WEB, DB, LEGACY = (ObjectRef("Deployment", "shop", name) for name in ("web", "db", "legacy"))
HPA = ObjectRef("HorizontalPodAutoscaler", "istio-system", "istiod")
V29, V31 = Version(1, 29, 8), Version(1, 31, 1)
OPERATOR = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"

VERIFY = Phase("verify", (VerifyMesh("verify/mesh", "verify the mesh of 1.31.1", V31),))
RESTART = RestartWorkloads(
    "sidecars/restart",
    "restart 2 workloads without the sidecar proxyv2:1.31.1",
    (DB, WEB),
    (LeftAlone(LEGACY, "opted out of injection"),),
)


def control_plane(verb: str, *watched: ObjectRef) -> Phase:
    minimums = tuple((ref, 3) for ref in watched)
    names = ", ".join(f"{ref.name} ≥ 3" for ref in watched)
    return Phase(
        "control-plane",
        (
            InstallIstio("control-plane/install", f"{verb} Istio 1.31.1", V31, OPERATOR, watched),
            AwaitRollouts("control-plane/await", f"wait for {names}", minimums),
        ),
    )


def created(count: int) -> tuple[ObjectChange, ...]:
    refs = (ObjectRef("ConfigMap", "istio-system", f"c{number:02}") for number in range(count))
    return tuple(ObjectChange(ref, Action.CREATED, component="istiod") for ref in refs)


FRESH = Plan(
    environment="qa",
    cluster=CLUSTER,
    mode=Mode.INSTALL,
    installed_version="",
    target_version="1.31.1",
    reasons=("no mesh: there is no istiod and nothing of one",),
    phases=(control_plane("install", INGRESS, ISTIOD), VERIFY),
    changes=Changes(created(14)),
)
UPGRADE = Plan(
    environment="qa",
    cluster=CLUSTER,
    mode=Mode.UPGRADE,
    installed_version="1.30.5",
    target_version="1.31.1",
    reasons=("1.30.5 is installed; 1.31.1 is the next minor, newer",),
    phases=(
        Phase("backup", (TakeBackup("backup/take", "back up custom resources and what is installed"),)),
        control_plane("upgrade to", INGRESS, ISTIOD),
        Phase("sidecars", (RESTART,)),
        VERIFY,
    ),
    changes=Changes(
        (
            ObjectChange(HPA, Action.CHANGED, (FieldChange("spec.maxReplicas", 20, 10, "kubectl-edit"),), "istiod"),
            ObjectChange(ObjectRef("Service", "istio-system", "old"), Action.REMOVED, component="other"),
        )
    ),
    notices=("somebody should know this",),
)
NOTHING = Plan(
    environment="qa",
    cluster=CLUSTER,
    mode=Mode.NONE,
    installed_version="1.31.1",
    target_version="1.31.1",
    reasons=("1.31.1 is installed and differs in nothing",),
)
REFUSED = Plan(
    environment="qa",
    cluster="https://[fd00::1]:443",
    mode=Mode.UNKNOWN,
    installed_version="",
    target_version="1.31.1",
    reasons=('Deployments: forbidden: User "nosy" cannot list [/apis/apps/v1]', "Pods: forbidden"),
    refusal="the cluster could not be read",
)
STANDBY = Plan(
    environment="dr",
    cluster="https://aks-dr.example.com",
    mode=Mode.INSTALL,
    installed_version="",
    target_version="1.31.1",
    reasons=("no mesh: there is no istiod and nothing of one",),
    phases=(
        control_plane("install", ISTIOD),
        Phase(
            "standby",
            (
                HoldStandby(
                    "standby/gateways-off",
                    f"keep {EGRESS.name}, {INGRESS.name} at 0 pods",
                    (EGRESS, INGRESS),
                ),
            ),
        ),
        VERIFY,
    ),
)
REPLACEMENT = Plan(
    environment="prod",
    cluster=CLUSTER,
    mode=Mode.REINSTALL,
    installed_version="1.29.8",
    target_version="1.31.1",
    reasons=("1.29.8 is 2 minors behind 1.31.1",),
    phases=(
        Phase(
            "old-control-plane",
            (UninstallIstio("old-control-plane/uninstall", "uninstall Istio 1.29.8", V29, (HPA,)),),
        ),
        control_plane("install", INGRESS, ISTIOD),
        Phase("obsolete", (RemoveObjects("obsolete/remove", "remove 1 object", (HPA,)),)),
        VERIFY,
    ),
)

GOOD = CheckResult("istiod-version", Severity.ERROR, Result.PASSED, "istiod runs 1.31.1")
BAD = CheckResult("pods-ready", Severity.ERROR, Result.FAILED, "istiod 2/3 ready", "describe it")
WARNED = CheckResult("sidecars-current", Severity.WARNING, Result.FAILED, "paused [/shop]", "restart it")

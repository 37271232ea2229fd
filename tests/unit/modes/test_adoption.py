"""Whose mesh it is, what taking it over takes, and where that stands in a plan."""

from __future__ import annotations

import pytest

from observed import budget, istiod, mesh, state
from sohistio.adapters.kubernetes.foreign import helm_releases, operator_controllers
from sohistio.model.desired import DesiredDeployment, DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.record import Applied, Record, RunEntry
from sohistio.model.state import Budget, ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.adopt import Adoption, adopt_plan, adoption, decided, taking_over, with_undeclared
from sohistio.modes.budgets import surplus_budgets
from sohistio.modes.decide import Asked, Decision, decide
from sohistio.plan.adoption_steps import RecordAdoption
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.ownership import ObjectOwners
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import CompleteRecord, RemoveObjects, VerifyMesh

VERSION = Version(1, 31, 1)
GATEWAY = ObjectRef("Deployment", "istio-system", "istio-ingressgateway")
OTHER = ObjectRef("Deployment", "istio-system", "istio-egressgateway")
CONTROLLER = ObjectRef("Deployment", "istio-operator", "istio-operator")
RESOURCE = ObjectRef("IstioOperator", "istio-system", "example")
CLIENT_SIDE = ObjectOwners(GATEWAY, ("kubectl-client-side-apply",))


def desired(*, budgets: bool = True) -> DesiredMesh:
    minimum = "2" if budgets else ""
    deployments = tuple(DesiredDeployment(ref, "gateway", 3, minimum) for ref in (GATEWAY, OTHER))
    return DesiredMesh(VERSION, "kind: IstioOperator", deployments, (), None)


def over(name: str, app: str, *others: ObjectRef, expected: int = 3) -> Budget:
    found = budget(name, app=app, namespace="istio-system")
    owners = frozenset({ObjectRef("Deployment", "istio-system", app), *others})
    return Budget(found.ref, found.selector, "1", "", 1, expected, 2, owners)


INGRESS, EGRESS = "istio-ingressgateway", "istio-egressgateway"
OWN = over(INGRESS, INGRESS)
OWN_EGRESS = over(EGRESS, EGRESS)
BY_HAND = over("by-hand", INGRESS)
ANOTHER = over("another", INGRESS)


def seen(*budgets: Budget, **changes: object) -> ClusterState:
    return state(budgets=budgets, mesh_deployments=(mesh(INGRESS), mesh(EGRESS)), **changes)


def run(mode: str = "install", outcome: str = "done") -> RunEntry:
    return RunEntry("1", Mode(mode), "qa", "", "", "", "1.31.1", "me", "here", "2026-01-01", outcome=outcome)


@pytest.mark.parametrize(
    ("budgets", "own_rendered", "now", "once_installed"),
    [
        pytest.param((OWN, OWN_EGRESS), True, [], [], id="one-each"),
        pytest.param((OWN, BY_HAND), True, ["by-hand"], [], id="beside-the-charts"),
        pytest.param((BY_HAND, ANOTHER), True, ["by-hand"], ["another"], id="only-hand-made"),
        pytest.param((OWN, over("by-hand", INGRESS, expected=4)), True, ["by-hand"], [], id="while-a-rollout-surges"),
        pytest.param((BY_HAND,), True, [], ["by-hand"], id="stays-until-the-charts-is-there"),
        pytest.param((BY_HAND,), False, [], [], id="the-manifest-has-none"),
        pytest.param((BY_HAND, ANOTHER), False, ["by-hand"], [], id="two-and-the-manifest-has-none"),
        pytest.param((over("elsewhere", "shop"),), True, [], [], id="over-other-pods"),
    ],
)
def test_one_budget_stays(
    budgets: tuple[Budget, ...], own_rendered: bool, now: list[str], once_installed: list[str]
) -> None:
    surplus = surplus_budgets(seen(*budgets), desired(budgets=own_rendered))
    assert [found.ref.name for found in surplus.now] == now
    assert [found.ref.name for found in surplus.once_installed] == once_installed
    assert surplus.notices == ()


def test_a_budget_over_pods_of_others_too_stays() -> None:
    wide = over("wide", INGRESS, ObjectRef("StatefulSet", "istio-system", "redis"))
    surplus = surplus_budgets(seen(OWN, wide), desired())
    assert (surplus.now, surplus.once_installed) == ((), ())
    assert "istio-system/wide is over pods of others too" in surplus.notices[0]


def test_the_only_budget_over_one_gateway_stays_though_it_is_one_too_many_over_another() -> None:
    both = Budget(BY_HAND.ref, {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "1", "", 1, 6, 2)
    assert surplus_budgets(seen(OWN, both), desired()).now == ()
    assert [found.ref.name for found in surplus_budgets(seen(OWN, OWN_EGRESS, both), desired()).now] == ["by-hand"]


@pytest.mark.parametrize(
    ("seen_state", "owners", "record", "said", "steps"),
    [
        pytest.param(seen(), (), Record("qa", runs=(run(),)), "", [], id="ours"),
        pytest.param(seen(), (), None, "installed by istioctl by hand", [], id="istioctl-by-hand"),
        pytest.param(state(istiods=()), (), None, "", [], id="no-mesh"),
        pytest.param(
            seen(operator_controllers=(CONTROLLER,), operator_resources=(RESOURCE,)),
            (),
            None,
            "put there by Istio's in-cluster operator (Deployment istio-operator/istio-operator, IstioOperator",
            ["adopt/stop-operator"],
            id="operator",
        ),
        pytest.param(
            seen(operator_resources=(RESOURCE,)),
            (),
            None,
            "in-cluster operator, which is stopped (IstioOperator istio-system/example)",
            ["adopt/stop-operator"],
            id="operator-stopped",
        ),
        pytest.param(
            seen(OWN, BY_HAND),
            (CLIENT_SIDE,),
            None,
            "applied client-side by kubectl (field manager kubectl-client-side-apply of 1 object)",
            ["adopt/field-managers", "adopt/budgets"],
            id="kubectl",
        ),
        pytest.param(seen(OWN, BY_HAND), (), Record("qa", runs=(run(),)), "", [], id="budget-added-later"),
    ],
)
def test_whose_it_is_and_what_it_takes(
    seen_state: ClusterState, owners: tuple[ObjectOwners, ...], record: Record | None, said: str, steps: list[str]
) -> None:
    found = adoption(seen_state, owners, desired(), record)
    assert said in " | ".join(found.sources)
    assert bool(said) == bool(found.sources)
    assert [step.id for step in found.steps] == steps


def test_a_budget_added_later_goes_when_it_is_asked_for() -> None:
    record = Record("qa", current=Applied("1.31.1", ""))
    told = adoption(seen(OWN, BY_HAND), (), desired(), record)
    assert "`sohistio adopt` removes PodDisruptionBudget istio-system/by-hand" in told.notices[0]
    asked = adoption(seen(OWN, BY_HAND), (), desired(), record, asked=True)
    assert [step.id for step in asked.steps] == ["adopt/budgets"]


@pytest.mark.parametrize(
    ("record", "recorded"),
    [
        pytest.param(None, False, id="none"),
        pytest.param(Record("qa", runs=(run(outcome="failed"),)), False, id="failed"),
        pytest.param(Record("qa", runs=(run("uninstall"),)), False, id="uninstalled"),
        pytest.param(Record("qa", runs=(run("adopt"),)), True, id="adopted"),
    ],
)
def test_what_counts_as_recorded(record: Record | None, recorded: bool) -> None:
    assert adoption(seen(), (), desired(), record).recorded is recorded


def test_somebody_elses_edits_are_told() -> None:
    owners = (ObjectOwners(GATEWAY, others=("argocd-controller",)),)
    found = adoption(seen(), owners, desired(), Record("qa", runs=(run(),)))
    assert found.steps == ()
    assert found.notices == (
        "argocd-controller wrote to Deployment istio-system/istio-ingressgateway: what it added beyond the manifest "
        "stays where this plan does not list it",
    )


def test_fields_that_no_dry_run_shows_are_added_once() -> None:
    one, two = FieldChange("spec.a", 1, 2), FieldChange("spec.b", 1, None)
    changes = Changes((ObjectChange(GATEWAY, Action.CHANGED, (one,)),))
    owners = (ObjectOwners(GATEWAY, ("kubectl",), undeclared=(one, two)), ObjectOwners(OTHER, ("kubectl",)))
    assert with_undeclared(changes, owners).objects[0].fields == (one, two)
    assert len(with_undeclared(changes, owners).objects) == 1


def test_a_mesh_in_sync_is_applied_again_where_it_is_taken_over() -> None:
    in_sync = Decision(Mode.NONE, ("in sync",), VERSION)
    by_hand = adoption(seen(), (), desired(), None)
    assert decided(in_sync, by_hand).mode is Mode.NONE
    assert "`sohistio adopt` records it" in decided(in_sync, by_hand).reasons
    taken = adoption(seen(), (CLIENT_SIDE,), desired(), None)
    assert decided(in_sync, taken).mode is Mode.REINSTALL
    unknown = Decision(Mode.UNKNOWN, ("forbidden",))
    assert decided(unknown, taken) == unknown


def bare(*phases: Phase, refusal: str = "") -> Plan:
    return Plan("qa", "https://cluster", Mode.UPGRADE, "1.30.5", "1.31.1", (), phases, refusal=refusal)


def verify(name: str) -> Phase:
    return Phase(name, (VerifyMesh(f"{name}/mesh", "", Version(1, 31, 1)),))


def test_the_adoption_comes_first_and_the_last_budget_goes_before_the_first_verification() -> None:
    found = adoption(seen(BY_HAND), (CLIENT_SIDE,), desired(), None)
    plan = taking_over(bare(Phase("control-plane", ()), verify("1.30.5/verify"), verify("verify")), found)
    assert [phase.name for phase in plan.phases] == ["adopt", "control-plane", "budgets", "1.30.5/verify", "verify"]
    assert taking_over(bare(refusal="no"), found).phases == ()
    assert taking_over(bare(), found).phases == ()


def test_the_plan_of_adopt() -> None:
    found = adoption(seen(), (), desired(), None, asked=True)
    in_sync = adopt_plan(bare(), found, VERSION, "kind: IstioOperator", Changes())
    assert [type(step) for step in in_sync.steps] == [CompleteRecord]
    drift = Changes((ObjectChange(GATEWAY, Action.CHANGED),))
    differs = adopt_plan(bare(), found, VERSION, "kind: IstioOperator", drift)
    assert [type(step) for step in differs.steps] == [RecordAdoption]
    assert "`sohistio plan --version 1.31.1` shows it" in differs.notices[-1]
    nothing = adopt_plan(bare(), Adoption(recorded=True), VERSION, "", Changes())
    assert (nothing.changes_pending, nothing.reasons[0][:16]) == (False, "nothing to adopt")


def test_the_plan_says_what_a_removed_budget_said() -> None:
    found = adoption(seen(OWN, BY_HAND), (), desired(), None)
    removal = found.steps[0]
    assert isinstance(removal, RemoveObjects)
    assert "by-hand (minAvailable 1)" in removal.summary


@pytest.mark.parametrize(
    ("cluster", "whose", "hint"),
    [
        pytest.param(
            state(istiods=(istiod(), istiod(revision="1-30-5"))),
            "(revision 1-30-5) is another control plane",
            "istioctl uninstall --revision",
            id="second-revision",
        ),
        pytest.param(
            state(istiods=(istiod(revision="asm-1-27", namespace="aks-istio-system"),)),
            "is the managed add-on of AKS",
            "az aks mesh disable",
            id="aks-add-on",
        ),
        pytest.param(state(helm_releases=("istiod",)), "Helm release istiod owns a mesh", "docs/adopt.md", id="helm"),
    ],
)
def test_meshes_that_are_left_alone(cluster: ClusterState, whose: str, hint: str) -> None:
    decision = decide(cluster, Asked(VERSION), Changes())
    assert decision.mode is Mode.UNKNOWN
    assert whose in " ".join(decision.reasons)
    assert hint in decision.todo


def raw(namespace: str, name: str, **more: object) -> dict[str, object]:
    containers = [{"name": "main", "image": more.pop("image", "docker.io/istio/operator:1.22.0")}]
    spec = {"replicas": more.pop("replicas", 1), "template": {"spec": {"containers": containers}}}
    return {"metadata": {"namespace": namespace, "name": name, **more}, "spec": spec}


def test_marks_of_helm() -> None:
    release = {"meta.helm.sh/release-name": "mesh"}
    charts = {"helm.sh/chart": "gateway-1.30.5"}
    assert helm_releases([raw("istio-system", "istiod", labels={"app": "istiod"}, annotations=release)]) == ("mesh",)
    assert helm_releases([raw("istio-system", "edge", labels=charts, annotations=release)]) == ("mesh",)
    kiali = raw("istio-system", "kiali", labels={"helm.sh/chart": "kiali-2.0"}, annotations=release)
    elsewhere = raw("shop", "edge", labels=charts, annotations=release)
    rendered = raw("istio-system", "istiod", labels={"app": "istiod", "app.kubernetes.io/managed-by": "Helm"})
    assert helm_releases([kiali, elsewhere, rendered]) == ()


def test_marks_of_the_in_cluster_operator() -> None:
    found = operator_controllers(
        [
            raw("istio-operator", "istio-operator"),
            raw("mesh", "istio-operator-1-22"),
            raw("istio-operator", "istio-operator-old", replicas=0),
            raw("tools", "istio-operator-dashboard", image="example/dashboard:1"),
            raw("istio-system", "istiod"),
        ]
    )
    assert [str(ref) for ref in found] == [
        "Deployment istio-operator/istio-operator",
        "Deployment mesh/istio-operator-1-22",
    ]

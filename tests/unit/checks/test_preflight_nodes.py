"""Preflight's arithmetic: quantities, pod requests, taints, room on nodes, node pools."""

from __future__ import annotations

from typing import Any

import pytest

from observed import state
from preflights import faults, goods, node, pod
from sohistio.checks.preflight.capacity import Wanted, growth, nodes_against, pools_against, room
from sohistio.checks.preflight.check import Good, NotAsked
from sohistio.checks.preflight.provisioning import node_provisioning
from sohistio.checks.preflight.quantities import Amount, pod_request, quantity, tolerates
from sohistio.checks.preflight.rollouts import Rollout, rollout_of, rollouts
from sohistio.environments.cluster import Nodes
from sohistio.model.fault import Fault, Severity
from sohistio.model.managed_cluster import ManagedCluster, NodePool
from sohistio.model.mode import Mode
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import InstallIstio, UninstallIstio

GIB = 1024.0**3


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[("500m", 0.5), ("2", 2.0), ("2048Mi", 2 * GIB), ("16Gi", 16 * GIB), ("1e3", 1000.0), ("100k", 1e5)],
        *[("1.5", 1.5), (4, 4.0), ("100n", 1e-7), ("2Ei", 2 * 1024.0**6), ("", 0.0), ("much", 0.0), ("1M", 1e6)],
    ],
)
def test_quantity(text: str | int, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


def container(cpu: str, memory: str = "0", **more: Any) -> dict[str, Any]:
    return {"name": "any", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        pytest.param({"containers": [container("1"), container("500m")]}, 1.5, id="sum"),
        pytest.param({"containers": [container("1")], "initContainers": [container("3")]}, 3.0, id="init-is-largest"),
        pytest.param({"containers": [container("1")], "initContainers": [container("500m")]}, 1.0, id="init-is-less"),
        pytest.param(
            {"containers": [container("1")], "initContainers": [container("1", restartPolicy="Always")]},
            2.0,
            id="native-sidecar",
        ),
        pytest.param(
            {
                "containers": [container("1")],
                "initContainers": [container("1", restartPolicy="Always"), container("2")],
            },
            3.0,
            id="init-beside-a-sidecar",
        ),
        pytest.param({"containers": [{"name": "a", "resources": {"limits": {"cpu": "2"}}}]}, 2.0, id="limit-only"),
        pytest.param({"containers": [container("1")], "overhead": {"cpu": "250m"}}, 1.25, id="overhead"),
        pytest.param({"containers": [container("1")], "resources": {"requests": {"cpu": "4"}}}, 4.0, id="pod-level"),
        pytest.param({"containers": [{"name": "a"}]}, 0.0, id="nothing"),
    ],
)
def test_what_a_pod_asks_for(spec: dict[str, Any], cpu: float) -> None:
    assert pod_request(spec).cpu == pytest.approx(cpu)


SPOT = {"key": "spot", "value": "true", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("tolerations", "may"),
    [
        ([], False),
        ([{"key": "spot", "operator": "Exists"}], True),
        ([{"key": "spot", "value": "true"}], True),
        ([{"key": "spot", "value": "false"}], False),
        ([{"key": "spot", "operator": "Exists", "effect": "NoExecute"}], False),
        ([{"operator": "Exists"}], True),
    ],
)
def test_taints(tolerations: list[dict[str, Any]], may: bool) -> None:
    assert tolerates({"tolerations": tolerations}, [SPOT]) is may
    assert tolerates({}, [SPOT | {"effect": "PreferNoSchedule"}])


def wanted(pods: int = 3, cpu: str = "1", memory: str = "2Gi", **spec: Any) -> Wanted:
    ref = ObjectRef("Deployment", "istio-system", "istiod")
    return Wanted(ref, pods, {"containers": [container(cpu, memory)], **spec})


def test_room_that_is_enough() -> None:
    assert goods(room([wanted()], [node("a"), node("b")], [])) == [
        "3 × istiod fit; 5 CPU and 26624 MiB stay free on 2 nodes"
    ]


@pytest.mark.parametrize(
    ("nodes", "pods", "placed"),
    [
        pytest.param([node("a", cpu="2")], [], 2, id="too-few-cores"),
        pytest.param([node("a", memory="5Gi")], [], 2, id="too-little-memory"),
        pytest.param([node("a", pods="1")], [], 1, id="too-many-pods"),
        pytest.param([node("a", unschedulable=True)], [], 0, id="cordoned"),
        pytest.param([node("a", ready=False)], [], 0, id="not-ready"),
        pytest.param([node("a", taints=[SPOT])], [], 0, id="tainted"),
        pytest.param([node("a")], [pod("other", "x", place="a", cpu="3")], 1, id="taken-by-others"),
        # Five halves are more than three wholes, but no node has a whole one left.
        pytest.param([node(n, cpu="500m") for n in "abcdefg"], [], 0, id="in-pieces"),
        pytest.param([], [], 0, id="no-nodes"),
    ],
)
def test_room_that_is_not_enough(nodes: list[Any], pods: list[Any], placed: int) -> None:
    message = f"istiod: room for {placed} of 3 pods of 1 CPU and 2048 MiB each, on {len(nodes)} nodes"
    assert faults(room([wanted()], nodes, pods)) == [message]


def test_what_does_not_count_against_the_room() -> None:
    """The mesh's own pods are replaced, those that have ended take nothing, other nodes' pods are elsewhere."""
    pods = [
        pod("istio-system", "istiod-6d9f-abcde", place="a", cpu="4"),
        pod("jobs", "done", place="a", cpu="4", phase="Succeeded"),
        pod("jobs", "elsewhere", place="b", cpu="4"),
    ]
    assert not faults(room([wanted()], [node("a")], pods))
    assert not faults(room([wanted(nodeSelector={"pool": "x"})], [node("a", labels={"pool": "x"})], []))
    assert faults(room([wanted(nodeSelector={"pool": "x"})], [node("a")], []))


def test_no_pods_are_wanted() -> None:
    assert [type(verdict) for verdict in room([], [node("a")], [])] == [NotAsked]


MEANT = Nodes(min=3, max=5, size="Standard_D4s_v3")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (["Standard_D4s_v3"] * 3, ""),
        (["Standard_D4s_v3"] * 4 + ["Standard_B2s"], ""),
        (["Standard_D4s_v3"] * 2, "the cluster has 2 × Standard_D4s_v3; meant are 3 to 5 × Standard_D4s_v3"),
        (["Standard_D2s_v3"] * 3, "the cluster has 3 × Standard_D2s_v3; meant are 3 to 5 × Standard_D4s_v3"),
        ([], "the cluster has no nodes; meant are 3 to 5 × Standard_D4s_v3"),
    ],
)
def test_nodes_by_their_labels(sizes: list[str], message: str) -> None:
    nodes = [node(str(n), labels={"node.kubernetes.io/instance-type": size}) for n, size in enumerate(sizes)]
    verdict = nodes_against(MEANT, nodes)
    assert verdict == Fault(message) if message else isinstance(verdict, Good)


def test_pools_as_azure_tells_of_them() -> None:
    system = NodePool("system", "Standard_B2s", 1, 1, 1, is_system=True)
    assert isinstance(pools_against(MEANT, [NodePool("apps", MEANT.size, 3, 3, 5), system]), Good)
    verdict = pools_against(MEANT, [NodePool("apps", MEANT.size, 3, 3, 3)])
    assert verdict == Fault("the pools are apps: 3 to 3 × Standard_D4s_v3; meant are 3 to 5 × Standard_D4s_v3")


def test_amounts_are_told_in_what_people_write() -> None:
    assert str(Amount(0.1, 128 * 1024**2)) == "0.1 CPU and 128 MiB"


SYSTEM_POOL = NodePool("system", "Standard_B2s", 3, 3, 9, is_system=True)
D4 = Nodes(min=3, max=5, size="Standard_D4s_v3")
FOUR = [node(name, labels={"node.kubernetes.io/instance-type": D4.size}) for name in "abcd"]
SYSTEM = [node(name, labels={"node.kubernetes.io/instance-type": "Standard_B2s"}) for name in "xyz"]


@pytest.mark.parametrize(
    ("pools", "meant", "words"),
    [
        (
            (NodePool("user", D4.size, 4, 3, 5), SYSTEM_POOL),
            None,
            "4 of at most 5",
        ),
        ((NodePool("user", D4.size, 5, 3, 5), SYSTEM_POOL), D4, ""),
        ((NodePool("one", D4.size, 3, 3, 5, is_system=True),), D4, "3 of at most 5"),
        ((), D4, "4 of at most 5"),
        ((), Nodes(min=3, max=4, size=D4.size), ""),
        ((), None, ""),
    ],
    ids=["azure-knows", "full", "one-pool", "labels", "labels-full", "nobody-knows"],
)
def test_whether_an_autoscaler_may_add_nodes(pools: tuple[NodePool, ...], meant: Nodes | None, words: str) -> None:
    found = growth(pools, meant, [*FOUR, *SYSTEM])
    assert words in found
    assert bool(found) is bool(words)


@pytest.mark.parametrize(
    ("strategy", "running", "surge", "unavailable"),
    [
        pytest.param({}, 3, 1, 0, id="defaults"),
        pytest.param({}, 8, 2, 2, id="defaults-of-more"),
        pytest.param({"maxSurge": "100%", "maxUnavailable": "25%"}, 3, 3, 0, id="istiods-chart"),
        pytest.param({"maxSurge": "100%", "maxUnavailable": 1}, 3, 3, 1, id="gateways"),
        pytest.param({"maxSurge": 0, "maxUnavailable": "25%"}, 3, 0, 1, id="nothing-at-all"),
        pytest.param({"maxSurge": "1%", "maxUnavailable": 0}, 3, 1, 0, id="rounded-up"),
    ],
)
def test_what_a_rollout_adds(strategy: dict[str, Any], running: int, surge: int, unavailable: int) -> None:
    assert rollout_of({"strategy": {"rollingUpdate": strategy}}, running) == Rollout(running, surge, unavailable)
    assert rollout_of({"strategy": {"type": "Recreate"}}, 3).surge == 0


RUNNING = [pod("istio-system", f"istiod-6d9f-{n}", place="a", cpu="1") for n in "abc"]


@pytest.mark.parametrize(
    ("free", "unavailable", "words"),
    [
        pytest.param("6", 0, "", id="room-for-all"),
        pytest.param("4", 0, "no room for 2 of the 3 pods of 1 CPU and 2048 MiB each that it adds", id="for-one"),
        pytest.param("4", 0, "takes longer", id="takes-longer"),
        pytest.param("3", 0, "no room for 3 of the 3", id="full"),
        pytest.param("3", 0, "it hangs until one has room", id="full-hangs"),
        pytest.param("3", 1, "takes longer", id="full-but-one-may-go"),
    ],
)
def test_room_for_a_rollout(free: str, unavailable: int, words: str) -> None:
    item = wanted()
    rolling = Wanted(item.ref, 3, item.spec, Rollout(3, 3, unavailable, is_istiod=True))
    found = list(room([rolling], [node("a", cpu=free)], RUNNING))
    assert [fault.severity for fault in found if isinstance(fault, Fault)] == ([Severity.WARNING] if words else [])
    assert all(words in message for message in faults(found))


@pytest.mark.parametrize(
    ("running", "words"),
    [
        pytest.param(3, "one pod goes first, so 2 serve meanwhile", id="three"),
        pytest.param(1, "the run times out; the old pods go on serving", id="the-only-one"),
    ],
)
def test_a_gateway_without_room_for_one_more(running: int, words: str) -> None:
    item = wanted()
    pods = [pod("istio-system", f"istiod-6d9f-{n}", place="a", cpu="1") for n in range(4)]
    (message,) = faults(room([Wanted(item.ref, 1, item.spec, Rollout(running, 1, 0))], [node("a", cpu="4")], pods))
    assert message.endswith(words)


def test_the_control_plane_and_the_gateways_do_not_roll_together() -> None:
    """Room for one more pod is enough for istiod, then for one gateway, then for the other."""
    one = Rollout(1, 1, 0)
    istiod = Wanted(wanted().ref, 1, wanted().spec, Rollout(1, 1, 0, is_istiod=True))
    gateways = [Wanted(ObjectRef("Deployment", "istio-system", name), 1, wanted().spec, one) for name in ("in", "out")]
    pods = [pod("istio-system", f"{name}-6d9f-a", place="a", cpu="1") for name in ("istiod", "in", "out")]
    assert not faults(room([istiod, *gateways], [node("a")], pods))


INSTALL = InstallIstio("install", "", Version(1, 31, 1), "", ())
UNINSTALL = UninstallIstio("uninstall", "", Version(1, 30, 5))
TEMPLATE_CHANGE = FieldChange("spec.template.spec.containers[discovery].image", "a", "b")


@pytest.mark.parametrize(
    ("changes", "steps", "rolls"),
    [
        pytest.param((TEMPLATE_CHANGE,), (INSTALL,), True, id="another-image"),
        pytest.param((FieldChange("spec.replicas", 1, 3),), (INSTALL,), False, id="only-scaled"),
        pytest.param((TEMPLATE_CHANGE,), (), False, id="nothing-is-installed"),
        pytest.param((TEMPLATE_CHANGE,), (UNINSTALL, INSTALL), False, id="uninstalled-first"),
    ],
)
def test_which_deployments_roll(changes: tuple[FieldChange, ...], steps: tuple[Any, ...], rolls: bool) -> None:
    ref = wanted().ref
    plan = Plan(
        environment="qa",
        cluster="c",
        mode=Mode.UPGRADE,
        installed_version="1.30.5",
        target_version="1.31.1",
        reasons=(),
        phases=(Phase("control-plane", steps),),
        changes=Changes((ObjectChange(ref, Action.CHANGED, changes),)),
    )
    manifest = [{"kind": "Deployment", "metadata": {"namespace": ref.namespace, "name": ref.name}, "spec": {}}]
    seen = state(mesh_deployments=(MeshDeployment(ref, "istiod", 3, 3, 3),))
    assert (ref in rollouts(manifest, seen, plan)) is rolls


def karpenter(used: str = "8", **spec: Any) -> dict[str, Any]:
    return {"spec": spec, "status": {"resources": {"cpu": used, "memory": "32Gi"}}}


def managed(*, provisions: bool) -> ManagedCluster:
    return ManagedCluster("id", "aks", (), "1.35", "Running", "Succeeded", provisions_nodes=provisions)


@pytest.mark.parametrize(
    ("azure", "pools", "comes"),
    [
        pytest.param(managed(provisions=True), [], True, id="azure-says-so"),
        pytest.param(managed(provisions=False), [karpenter()], False, id="azure-says-no"),
        pytest.param(None, [karpenter()], True, id="a-node-pool"),
        pytest.param(None, [], False, id="none"),
        pytest.param(None, [karpenter(limits={"cpu": "16"})], True, id="below-its-limits"),
        pytest.param(None, [karpenter(limits={"cpu": "8"})], False, id="at-its-limits"),
        pytest.param(managed(provisions=True), [karpenter(limits={"memory": "32Gi"})], False, id="azures-at-limits"),
    ],
)
def test_whether_nodes_come_by_themselves(azure: ManagedCluster | None, pools: list[Any], comes: bool) -> None:
    assert bool(node_provisioning(azure, lambda: pools)) is comes

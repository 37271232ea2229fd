"""Whether the standby's nodes have room for its gateways, and whether Azure gives the nodes that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sohistio.adapters.kubernetes.paths import path_of
from sohistio.checks.node_growth import Growth, growth
from sohistio.checks.preflight.capacity import Wanted, room
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.errors import SohistioError
from sohistio.failover.readiness import unscaled_faults
from sohistio.failover.world import Side
from sohistio.model.fault import Fault, Severity
from sohistio.model.managed_cluster import ManagedCluster
from sohistio.model.state import ObjectRef
from sohistio.model.vcpu_quota import Usage, family_of, left_of
from sohistio.system.parallel import within

_AZURE_SECONDS = 15.0
"""For both questions: the rest of the check does not wait longer for Azure."""
_NEEDS = "at the gateways' maximum it needs"


def room_at_peak(context: Context, side: Side) -> Iterator[Verdict]:
    """The gateways have room at their autoscalers' minimum, and at their maximum too; else what Azure says of nodes."""
    api = context.session.api
    nodes, pods = context.nodes(), context.pods()
    specs = {item.ref: api.get(path_of(item.ref)) for item in side.gateways}

    def wanted(counts: Mapping[ObjectRef, int] | None) -> list[Wanted]:
        return [
            Wanted(ref, (counts or {}).get(ref, side.minimum(ref)), found["spec"]["template"]["spec"])
            for ref, found in specs.items()
            if found is not None
        ]

    at_peak = wanted(side.maximums)
    for asked, severity in ((wanted(side.minimums), None), (at_peak, Severity.WARNING)):
        verdicts = list(room(asked, nodes, pods))
        faults = [verdict for verdict in verdicts if isinstance(verdict, Fault)]
        if faults:
            yield from (Fault(fault.message, fault.hint, severity) for fault in faults)
            yield from _more_nodes(context, growth(at_peak, nodes, pods))
            return
    yield from list(unscaled_faults(side)) or verdicts


@dataclass(frozen=True, slots=True)
class _Azure:
    """What Azure answered; `why` it did not, else empty. The usages are asked for apart."""

    managed: ManagedCluster | None = None
    usages: Mapping[str, Usage] | None = None
    why: str = ""


def _more_nodes(context: Context, needed: Growth) -> Iterator[Verdict]:
    if context.session.aks is None:
        return
    late = _Azure(why=f"no answer from Azure within {_AZURE_SECONDS:.0f} s")
    answer = within(_AZURE_SECONDS, lambda: _asked(context), late)
    if answer.managed is None:
        yield NotAsked(f"whether Azure gives more nodes is not asked: {answer.why}")
        return
    yield from verdicts_of(needed, answer.managed, answer.usages, answer.why)


def _asked(context: Context) -> _Azure:
    managed = None
    try:
        managed = context.managed_cluster
        if managed is None or context.session.aks is None:
            return _Azure(why="Azure does not answer for this cluster")
        return _Azure(managed, context.session.aks.vcpu_usages())
    except SohistioError as error:
        return _Azure(managed, why=error.what)


def verdicts_of(
    needed: Growth, managed: ManagedCluster, usages: Mapping[str, Usage] | None, why: str
) -> Iterator[Verdict]:
    """What is missing against the pools' limits and the quota. `usages` are None where Azure did not say, and `why`."""
    if managed.provisions_nodes:
        yield NotAsked("AKS provisions nodes as pods need them: their limits are not known here")
        return
    found = needed.by_pool(managed.pools)
    if found.unknown:
        yield NotAsked(f"how many nodes are missing is not known: {found.unknown}")
    spent: dict[str, int] = {}
    for item in found.pools:
        pool, size = item.pool, item.pool.size.removeprefix("Standard_")
        cpus = f" ({item.vcpus} vCPU)" if item.vcpus is not None else ""
        needs = f"{_NEEDS} {item.nodes} more {size}{cpus}"
        may = f"pool {pool.name} has {pool.count} of at most {pool.most} nodes"
        if item.nodes > pool.most - pool.count:
            yield Fault(f"{needs}, {may}", "Raise the pool's maximum, or turn on its autoscaler.", Severity.WARNING)
        yield _quota(item.vcpus, pool.size, (needs, may), usages, why, spent)


def _quota(
    vcpus: int | None,
    size: str,
    words: tuple[str, str],
    usages: Mapping[str, Usage] | None,
    why: str,
    spent: dict[str, int],
) -> Verdict:
    """`spent` is what pools before this one need already, of each family and in all."""
    needs, may = words
    left = left_of(usages, size, spent) if usages is not None else None
    if usages is None or left is None or vcpus is None:
        unknown = why or (
            f"nobody says how many vCPUs a {size} has" if vcpus is None else f"no usage is named as {size}"
        )
        return NotAsked(f"{needs}; its quota is not asked: {unknown}")
    spent[family_of(size)] = spent.get(family_of(size), 0) + vcpus
    if vcpus > left:
        return Fault(f"{needs}, quota has {left} left", "Ask Azure for more quota in time.", Severity.WARNING)
    return Good(f"{needs}: {may}, quota has {left} left")

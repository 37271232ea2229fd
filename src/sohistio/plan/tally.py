"""What a plan comes to in four figures: a run's last line, a pipeline's summary and a message all say the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sohistio.model.words import counted
from sohistio.plan.gateway_steps import HandOverAddress
from sohistio.plan.namespace_steps import LabelNamespaces, MakeNamespace, UnlabelNamespaces, WritePullSecrets
from sohistio.plan.plan import Plan
from sohistio.plan.steps import RestartWorkloads, UninstallIstio


@dataclass(frozen=True, slots=True)
class Tally:
    """`changed` objects are created, changed or removed; `replaced` are control planes that are uninstalled before the
    new one comes; `restarts` are workloads; `addresses` are gateways' addresses that are moved or given back.
    """

    changed: int
    replaced: int
    restarts: int
    addresses: int

    def words(self) -> str:
        """`5 changed, 0 replaced, 4 restarts, 0 addresses touched`."""
        restarts = counted(self.restarts, "restart")
        addresses = "1 address" if self.addresses == 1 else f"{self.addresses} addresses"
        return f"{self.changed} changed, {self.replaced} replaced, {restarts}, {addresses} touched"

    def document(self) -> dict[str, int]:
        """As JSON."""
        return asdict(self)


def _of_namespaces(step: object) -> int:
    """The objects that it makes, writes or labels beside the manifest's."""
    match step:
        case MakeNamespace():
            return 1
        case WritePullSecrets() | LabelNamespaces() | UnlabelNamespaces():
            return len(step.objects)
    return 0


def tally_of(plan: Plan) -> Tally:
    """Of a plan that was carried out whole, or that is to be."""
    handed_over = sum(isinstance(step, HandOverAddress) for step in plan.steps)
    moved = sum(change.moves_address for change in plan.gateway_changes)
    given_back = sum(ref in plan.addressed for ref in plan.removed if ref.kind == "Service")
    return Tally(
        changed=len(plan.changes.objects) + sum(map(_of_namespaces, plan.steps)),
        replaced=sum(isinstance(step, UninstallIstio) for step in plan.steps),
        restarts=sum(len(step.workloads) for step in plan.steps if isinstance(step, RestartWorkloads)),
        addresses=handed_over + moved + given_back,
    )

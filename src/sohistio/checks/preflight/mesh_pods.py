"""A check of the mesh's own pods: before old ones go, whether the API server takes new ones at this moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.new_pod import deployment_refused
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.checks.preflight.rollouts import rollouts
from sohistio.checks.preflight.spread import is_pod_of
from sohistio.model.fault import Fault, Severity
from sohistio.model.mode import Mode
from sohistio.model.refused_pod import Refusal
from sohistio.model.state import ClusterState, MeshDeployment
from sohistio.plan.plan import Plan
from sohistio.plan.steps import InstallIstio, UninstallIstio
from sohistio.system.parallel import side_by_side

_THEN_HANGS = "its rollout would hang"
_THEN_NONE = "no new istiod would come once the plan has uninstalled the old one"
_AGAIN = "Look at that webhook or policy, or at the API server, and check again."


@dataclass(frozen=True, slots=True)
class NewPods:
    """A Deployment that gets new pods; `takes_down` of the old ones go before they come, with `is_gone` all of it."""

    seen: MeshDeployment
    takes_down: int
    is_gone: bool = False


def mesh_pods(context: Context) -> Iterator[Verdict]:
    """A dry run for each Deployment of the mesh that gets new pods by the plan."""
    coming = new_pods(context.planned.plan, context.state, context.planned.rendered.manifest)
    if not coming:
        yield NotAsked("the plan makes no new pods of a mesh that runs")
        return
    samples = [(item, _sample(item.seen, context.pods())) for item in coming]
    asked = [(item, sample) for item, sample in samples if sample]
    found = side_by_side(lambda it: deployment_refused(context.api, it[0].seen.ref, it[1]), asked)
    yield from verdicts([(item, refusal) for (item, _), refusal in zip(asked, found, strict=True)])
    without = ", ".join(item.seen.ref.short for item, sample in samples if not sample)
    if without:
        yield NotAsked(f"{without}: no pod runs that one could go by")


def new_pods(plan: Plan, state: ClusterState, manifest: Sequence[Object]) -> list[NewPods]:
    """Of istiod and the gateways that run.

    An upgrade that is undone in place has its old pods, or can make them as it did; so a rollback is asked about only
    where it replaces istiod.
    """
    anew = any(isinstance(step, UninstallIstio) for step in plan.steps)
    if not any(isinstance(step, InstallIstio) for step in plan.steps) or (plan.mode is Mode.ROLLBACK and not anew):
        return []
    rolled = rollouts(manifest, state, plan)
    found = []
    for seen in state.mesh_deployments:
        if seen.desired and anew and seen.component == "istiod":
            found.append(NewPods(seen, seen.desired, is_gone=True))
        elif seen.ref in rolled:
            found.append(NewPods(seen, rolled[seen.ref].unavailable))
    return found


def verdicts(answers: Sequence[tuple[NewPods, Refusal | None]]) -> Iterator[Verdict]:
    """What the answers say: None is a pod that was taken. A right that is missing refuses no real pod."""
    good = []
    for item, refusal in answers:
        ref = item.seen.ref
        if refusal is None:
            good.append(ref.short)
        elif refusal.of_istio:
            yield NotAsked(f"{ref.short}: a webhook of Istio's own fails, which a run puts right at first")
        elif refusal.stops_alike(item.takes_down):
            then = _THEN_NONE if item.is_gone else _THEN_HANGS
            yield Fault(f"no new pod of {ref.short} can be created in {ref.namespace}, so {then}: {refusal.said}")
        elif refusal.real:
            good.append(ref.short)
        elif refusal.known:
            yield NotAsked(f"{ref.short}: {refusal.words}")
        else:
            what = f"it is not known whether new pods of {ref.short} can be created"
            yield Fault(f"{what}: {refusal.said}", _AGAIN, Severity.WARNING)
    if good:
        yield Good(f"the API server takes new pods of {', '.join(good)}")


def _sample(seen: MeshDeployment, pods: Sequence[Object]) -> Object | None:
    """A pod of the Deployment, for what only its controller knows."""
    return next((pod for pod in pods if is_pod_of(seen, pod)), None)

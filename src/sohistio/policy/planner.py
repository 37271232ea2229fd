"""The phases of a plan that apply a policy. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from sohistio.model.state import ObjectRef
from sohistio.model.words import counted
from sohistio.plan.changes import ref_of
from sohistio.plan.plan import Phase
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy
from sohistio.policy.compare import Comparison, Surplus
from sohistio.policy.egress import is_egress
from sohistio.policy.objects import DRY_RUN, ROOT, Object
from sohistio.policy.transition import GUARD, ROUTES


def ways_out_phase(comparison: Comparison) -> tuple[Phase, ...]:
    """The external hosts that may be called, before the mesh's configuration closes all others."""
    if not comparison.ways_out:
        return ()
    objects = comparison.ways_out
    summary = f"apply {_objects(objects)} of policy.egress"
    return (Phase("policy-egress", (ApplyPolicy("policy/egress", summary, _documents(objects), _effects(objects)),)),)


def policy_phase(comparison: Comparison, environment: str, paths: Mapping[ObjectRef, str]) -> tuple[Phase, ...]:
    """All the rest, and what is no longer declared. What guards a host goes, or opens it, after what routes to it: a
    step of its own, which is not reached where a route could not be deleted.
    """
    steps: list[ApplyPolicy | PrunePolicy] = []
    if objects := comparison.others:
        summary = f"apply {_objects(objects)} of policy"
        steps.append(ApplyPolicy("policy/apply", summary, _documents(objects), _effects(objects)))
    routes = tuple(item for item in comparison.surplus if item.ref.kind in ROUTES)
    rest = tuple(item for item in comparison.surplus if item.ref.kind not in ROUTES)
    if routes and (rest or comparison.opening):
        steps.append(_prune("policy/routes", routes, environment, paths))
    else:
        rest = comparison.surplus
    if opening := comparison.opening:
        summary = (
            f"open {counted(len({host for item in opening for host in item.hosts}), 'host')} of the ingress gateway"
        )
        effects = tuple(dict.fromkeys(f"no longer closes {host}" for item in opening for host in item.hosts))
        steps.append(ApplyPolicy("policy/open", summary, _documents([item.obj for item in opening]), effects))
    if rest:
        steps.append(_prune("policy/prune", rest, environment, paths))
    return (Phase("policy", tuple(steps)),) if steps else ()


def _prune(name: str, surplus: Sequence[Surplus], environment: str, paths: Mapping[ObjectRef, str]) -> PrunePolicy:
    refs = tuple(item.ref for item in surplus)
    effects = tuple(dict.fromkeys(words for item in surplus for words in _effects_of_removing(item)))
    summary = f"delete {_objects(surplus)} that policy no longer declares"
    return PrunePolicy(name, summary, environment, refs, tuple(paths[ref] for ref in refs), effects)


def _documents(objects: Sequence[Object]) -> tuple[str, ...]:
    return tuple(json.dumps(obj, sort_keys=True) for obj in objects)


def _objects(items: Sequence[object]) -> str:
    return counted(len(items), "object")


def _effects(objects: Sequence[Object]) -> tuple[str, ...]:
    """What a reader must know before approving: what is refused from then on, or no longer."""
    return tuple(dict.fromkeys(words for obj in objects for words in _effects_of(obj)))


def _effects_of(obj: Object) -> Iterator[str]:
    ref, spec = ref_of(obj), obj["spec"]
    if ref.kind == "PeerAuthentication":
        refuses = spec["mtls"]["mode"] == "STRICT"
        where = "between workloads" if ref.namespace == ROOT else f"in {ref.namespace}"
        yield f"{'refuses' if refuses else 'takes'} plaintext {where}"
    elif ref.kind == "AuthorizationPolicy":
        if DRY_RUN in obj["metadata"].get("annotations", {}):
            yield f"applies {ref} as a dry run that refuses nothing"
        elif ref.name.startswith(GUARD):
            yield "closes hosts of the ingress gateway but for what policy.hosts lets in"
        elif is_egress(ref.name):
            yield "closes the egress gateway but for what policy.egress lets out"
        else:
            yield f"closes workloads of {ref.namespace} but for what policy.workloads lets in"
    elif ref.kind == "RequestAuthentication":
        yield "refuses invalid tokens at the ingress gateway"


def _effects_of_removing(item: Surplus) -> Iterator[str]:
    ref, spec = item.ref, item.live.get("spec") or {}
    if ref.kind == "PeerAuthentication":
        strict = (spec.get("mtls") or {}).get("mode") == "STRICT"
        what = "no longer refuses plaintext" if strict else "no longer takes plaintext where the mesh refuses it"
        yield f"{what}: {ref} goes"
    elif ref.kind in ("RequestAuthentication", "AuthorizationPolicy"):
        yield f"no longer refuses what {ref} refused"

"""Namespaces around the mesh: which get the injection label or lose it, and where pull Secrets are written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sohistio.model.pull_secrets import ObservedPullSecret, PullSecretState
from sohistio.model.revision import DEFAULT_REVISION
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef, ObservedNamespace
from sohistio.model.words import first_names
from sohistio.plan.namespace_steps import LabelNamespaces, UnlabelNamespaces, WritePullSecrets
from sohistio.plan.plan import Phase
from sohistio.plan.steps import Step

_MOST_NAMED = 5
_TODO = (
    "Somebody decided so. Take the label away (`kubectl label namespace NAME {label}-`), or the namespace out of "
    "applicationNamespaces. Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class NamespaceLabels:
    """`missing` is listed and not there, `ending` on its way out; `contrary` are labelled against the environment."""

    to_label: tuple[str, ...] = ()
    to_unlabel: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()
    contrary: tuple[ObservedNamespace, ...] = ()

    def injected(self, state: ClusterState) -> tuple[str, ...]:
        """The namespaces that are injected once this is done, sorted; one that ends takes no new pods."""
        names = {seen.name for seen in state.namespaces if seen.injected and not seen.ending}
        return tuple(sorted((names | set(self.to_label)) - set(self.to_unlabel)))

    def once_done(self, state: ClusterState) -> ClusterState:
        """The state with the workloads that are injected then."""
        gone = {*self.to_unlabel, *self.ending, *(seen.name for seen in self.contrary)}
        return replace(
            state,
            workloads=tuple(item for item in state.workloads if item.opted_in or item.ref.namespace not in gone),
            unowned_pods=tuple(ref for ref in state.unowned_pods if ref.namespace not in gone),
        )

    @property
    def refusal(self) -> str:
        """Why a run must stop: what somebody set on purpose is not overwritten. Empty where nothing is contrary."""
        return "; ".join(
            f"namespace {seen.name} is to be injected, but carries {_label_of(seen)}{_by(seen)}"
            for seen in self.contrary
        )

    @property
    def todo(self) -> str:
        """What to do about the refusal."""
        keys = dict.fromkeys(_label_of(seen).partition("=")[0] for seen in self.contrary)
        return _TODO.format(label="|".join(keys))


def labels_of(state: ClusterState, listed: Sequence[str]) -> NamespaceLabels:
    """Compare the environment's application namespaces with the labels; what others labelled is left alone."""
    seen = {namespace.name: namespace for namespace in state.namespaces}
    there = [seen[name] for name in listed if name in seen]
    lacking = [namespace for namespace in there if not namespace.injected and not namespace.ending]
    return NamespaceLabels(
        to_label=_names(item for item in lacking if not _says_otherwise(item)),
        to_unlabel=tuple(name for name in labelled_by_sohistio(state) if name not in listed),
        missing=tuple(sorted(name for name in listed if name not in seen)),
        ending=_names(item for item in there if item.ending),
        contrary=tuple(sorted((item for item in lacking if _says_otherwise(item)), key=lambda item: item.name)),
    )


def labelled_by_sohistio(state: ClusterState) -> tuple[str, ...]:
    """The namespaces that sohistio labelled, sorted."""
    return _names(
        item
        for item in state.namespaces
        if item.labelled_by_sohistio and item.injection == "enabled" and not item.ending
    )


def unlabelling(step_id: str, names: Sequence[str]) -> UnlabelNamespaces:
    """The step that takes our label off."""
    summary = f"take the label istio-injection off {first_names(names, _MOST_NAMED)}"
    return UnlabelNamespaces(step_id, summary, _refs(names))


def secrets_phase(secrets: Sequence[ObservedPullSecret]) -> tuple[Phase, ...]:
    """Pull Secrets come first of all: the mesh's own pods need theirs, and those of a labelled namespace, too."""
    refs = tuple(item.ref for item in secrets if item.state in (PullSecretState.MISSING, PullSecretState.OLD))
    if not refs:
        return ()
    new = sum(item.state is PullSecretState.MISSING for item in secrets)
    what = "create" if new == len(refs) else "update" if not new else "create or update"
    where = first_names([ref.namespace for ref in refs], _MOST_NAMED)
    summary = f"{what} pull Secret {refs[0].name} in {where}"
    return (Phase("pull-secrets", (WritePullSecrets("pull-secrets/write", summary, refs),)),)


def labels_phase(labels: NamespaceLabels) -> tuple[Phase, ...]:
    """Labels come once istiod runs: its webhook lets no pod of a labelled namespace pass while it does not."""
    steps: list[Step] = []
    if labels.to_label:
        summary = f"label {first_names(labels.to_label, _MOST_NAMED)} istio-injection=enabled"
        steps.append(LabelNamespaces("namespaces/label", summary, _refs(labels.to_label)))
    if labels.to_unlabel:
        steps.append(unlabelling("namespaces/unlabel", labels.to_unlabel))
    return (Phase("namespaces", tuple(steps)),) if steps else ()


def notices_of(labels: NamespaceLabels, secrets: Sequence[ObservedPullSecret]) -> tuple[str, ...]:
    """What is left as it is, and what an unlabelled namespace's pods go on with."""
    notices = [
        f"namespace {name} does not exist and is not created: once it exists, install labels it"
        for name in labels.missing
    ]
    notices += [f"namespace {name} is being deleted and is left alone" for name in labels.ending]
    notices += [
        f"pods of namespace {name} keep their sidecars until they are restarted "
        f"(`kubectl -n {name} rollout restart deployment,statefulset,daemonset`)"
        for name in labels.to_unlabel
    ]
    notices += [
        f"{item.ref} is somebody else's, differs from the source and is left alone: its pods may not get images"
        for item in secrets
        if item.state is PullSecretState.FOREIGN
    ]
    return tuple(notices)


def pull_secret_refs(name: str, places: Iterable[str]) -> tuple[ObjectRef, ...]:
    """Where the pull Secret is needed: in the mesh's namespace, and in those of gateways and of injected pods."""
    return tuple(ObjectRef("Secret", place, name) for place in dict.fromkeys((ISTIO_NAMESPACE, *places)))


def _says_otherwise(namespace: ObservedNamespace) -> bool:
    """Neither label is set by an oversight: another value, or another revision's name."""
    return namespace.injection is not None or namespace.revision not in (None, DEFAULT_REVISION)


def _label_of(namespace: ObservedNamespace) -> str:
    if namespace.injection is not None:
        return f"istio-injection={namespace.injection}"
    return f"istio.io/rev={namespace.revision}"


def _by(namespace: ObservedNamespace) -> str:
    return f", set by {namespace.set_by}" if namespace.set_by else ""


def _names(namespaces: Iterable[ObservedNamespace]) -> tuple[str, ...]:
    return tuple(sorted(namespace.name for namespace in namespaces))


def _refs(names: Sequence[str]) -> tuple[ObjectRef, ...]:
    return tuple(ObjectRef("Namespace", "", name) for name in names)

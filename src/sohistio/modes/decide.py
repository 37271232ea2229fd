"""The mode: install, upgrade, reinstall, none or unknown, from what the cluster shows (docs/modes-and-safety.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sohistio.model.gateway_api import AKS_NAMESPACE
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.model.revision import Revision
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, Istiod
from sohistio.model.versions import Version
from sohistio.modes.application_routing import UNINSTALL_TODO, uninstall_refusal
from sohistio.plan.changes import Changes


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for: the target, the mode by name (None is auto), intermediate versions (`--via`), and the
    CA's key in the backup."""

    target: Version
    mode: Mode | None = None
    via: tuple[Version, ...] = ()
    include_ca: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The mode and its reasons. `replace` is a reinstall that uninstalls first; `refusal` says why a run must stop.

    `hops` are the versions to install in order, the target last. `unrecorded` is mode none after a run that did not end
    well: all is in place, but nobody has verified it, and the record does not say so.
    """

    mode: Mode
    reasons: tuple[str, ...]
    installed: Version | None = None
    replace: bool = False
    refusal: str = ""
    todo: str = ""
    hops: tuple[Version, ...] = field(default=())
    unrecorded: bool = False
    include_ca: bool = False


_CONTRADICTION = "what the cluster shows contradicts itself"


def decide(state: ClusterState, asked: Asked, changes: Changes, last_run: RunEntry | None = None) -> Decision:
    """Work out the mode. A mode asked for by name is refused where it does not fit.

    `last_run` is the newest of the record: one that was killed explains what is half there.
    """
    decision = unmanageable(state) or _what_the_cluster_shows(state, asked, changes)
    decision = checked_uninstall(_as_asked(decision, asked, last_run), state)
    if decision.mode is Mode.UNKNOWN:
        return decision
    if last_run is not None and not last_run.ended_well:
        none = decision.mode is Mode.NONE
        this_one = "what is there is verified and recorded" if none else "this one goes on from what is there"
        reasons = (*decision.reasons, f"{last_run.how_it_ended()}: {this_one}")
        decision = replace(decision, reasons=reasons, unrecorded=none, hops=_with_interrupted(decision, asked))
    return replace(decision, hops=decision.hops or (asked.target,), include_ca=asked.include_ca)


def checked_uninstall(decision: Decision, state: ClusterState) -> Decision:
    """Refuse a replacement whose uninstall would take more than the mesh."""
    refusal = uninstall_refusal(state) if decision.replace and not decision.refusal else ""
    return replace(decision, refusal=refusal, todo=UNINSTALL_TODO) if refusal else decision


def _as_asked(decision: Decision, asked: Asked, last_run: RunEntry | None) -> Decision:
    requested = asked.mode
    if requested is None or decision.mode in (Mode.UNKNOWN, requested):
        return decision
    if requested is Mode.REINSTALL and decision.mode is Mode.NONE:
        reasons = (*decision.reasons, "re-applied because --mode reinstall asks for it")
        return Decision(Mode.REINSTALL, reasons, decision.installed)
    if requested is Mode.REINSTALL and decision.mode is Mode.UPGRADE:
        reasons = (*decision.reasons, "replaced instead of upgraded because --mode reinstall asks for it")
        return Decision(Mode.REINSTALL, reasons, decision.installed, replace=True)
    # After a run that was interrupted the cluster calls for another mode than before it: the same words must do.
    interrupted = last_run is not None and not last_run.ended_well and not decision.replace
    if decision.mode is Mode.NONE or interrupted:
        return decision
    return replace(
        decision,
        refusal=f"--mode {requested} does not fit: the cluster calls for mode {decision.mode}",
        todo=f"Leave --mode out, or give --mode {decision.mode}.",
    )


def unmanageable(state: ClusterState) -> Decision | None:
    """Mode unknown, with what could not be read, whose mesh it is, or what is contradictory; None for a clear state.

    Asked for before anything is rendered or compared: somebody else's mesh is left alone.
    """
    if state.unreadable:
        todo = "Check the context, the login and the role (list on these kinds), then run it again."
        return _unknown(state.unreadable, "the cluster could not be read", todo)
    if strange := foreign_mesh(state):
        whose, hints = (tuple(dict.fromkeys(words)) for words in zip(*strange, strict=True))
        return _unknown(whose, "sohistio cannot manage this mesh", " ".join(hints))
    return _unclear(_own_istiods(state), state.revision)


def _unclear(istiods: Sequence[Istiod], revision: Revision) -> Decision | None:
    """Why the istiods of the mesh's own revision do not say which version is installed; None where they do."""
    if len(istiods) > 1:
        names = ", ".join(sorted(str(istiod.ref) for istiod in istiods))
        todo = "Only one of them can be the mesh's: delete the Deployment that is not, and run this again."
        return _unknown((f"{names} are all control planes of revision {revision}",), _CONTRADICTION, todo)
    for istiod in istiods:
        installed, labelled = _installed(istiod), Version.from_tag(istiod.label_version)
        if installed is None:
            return _unknown((f"{istiod.ref} carries no readable version",), "the installed version is unknown", "")
        if labelled is not None and labelled != installed:
            contradiction = f"{istiod.ref} runs image version {installed}, its label says {labelled}"
            todo = f"Put one right: set the image, or the label operator.istio.io/version, of {istiod.ref}."
            return _unknown((contradiction,), _CONTRADICTION, todo)
    return None


def _own_istiods(state: ClusterState) -> tuple[Istiod, ...]:
    return tuple(istiod for istiod in state.istiods if istiod.revision == state.revision)


def _installed(istiod: Istiod) -> Version | None:
    return Version.from_tag(istiod.image_version or istiod.label_version)


def _what_the_cluster_shows(state: ClusterState, asked: Asked, changes: Changes) -> Decision:
    installed = next(map(_installed, _own_istiods(state)), None)
    decision = _compared(installed, asked, changes) if installed else _without_istiod(state, asked)
    held = [seen.ref.short for seen in state.mesh_deployments if seen.held]
    if not held or decision.refusal:
        return decision
    reason = f"a run before this one has held {', '.join(held)} and not let go: old pods serve"
    if decision.mode is Mode.NONE:
        return replace(decision, mode=Mode.REINSTALL, reasons=(reason, "re-applied: nothing is uninstalled"))
    return replace(decision, reasons=(*decision.reasons, reason))


def _unknown(reasons: tuple[str, ...], refusal: str, todo: str) -> Decision:
    return Decision(Mode.UNKNOWN, reasons, refusal=refusal, todo=todo)


_ADD_ON_HINT = (
    "The add-on is Microsoft's: use `az aks mesh upgrade`, or `az aks mesh disable` before sohistio installs."
)
_REVISION_HINT = (
    "sohistio keeps one control plane, revision default in istio-system: move the other's namespaces over (label "
    "istio.io/rev), remove it with `istioctl uninstall --revision` or as it was put there, and run this again."
)
_HELM_HINT = "Go on with helm, or let Helm forget its releases first: docs/adopt.md says how."


def foreign_mesh(state: ClusterState) -> list[tuple[str, str]]:
    """Somebody else's mesh and what to do about it: the AKS add-on's, another revision's or namespace's, or Helm's.

    AKS application routing is no mesh: its istiod is not among those of the state, and a check is about it.
    """

    def is_managed(istiod: Istiod) -> bool:
        return istiod.ref.namespace == ISTIO_NAMESPACE and istiod.revision == state.revision

    strange = []
    for istiod in state.istiods:
        named = f"{istiod.ref} (revision {istiod.revision})"
        if istiod.ref.namespace == AKS_NAMESPACE:
            strange.append((f"{named} is the managed add-on of AKS", _ADD_ON_HINT))
        elif not is_managed(istiod):
            strange.append((f"{named} is another control plane", _REVISION_HINT))
    return strange + [(f"Helm release {name} owns a mesh", _HELM_HINT) for name in state.helm_releases]


def _without_istiod(state: ClusterState, asked: Asked) -> Decision:
    if not state.leftovers:
        return Decision(Mode.INSTALL, ("no mesh: there is no istiod and nothing of one",))
    names = ", ".join(str(ref) for ref in state.leftovers)
    reasons = (f"half a mesh: no istiod, but {names}",)
    newest = max((v for v in map(Version.from_tag, state.leftover_versions) if v), default=None)
    if newest is not None and newest > asked.target and asked.mode is not Mode.REINSTALL:
        return Decision(
            Mode.REINSTALL,
            reasons,
            newest,
            refusal=f"what is left is of {newest}, newer than the target {asked.target}",
            todo=f"Give --version {newest} to fix it first, or --mode reinstall for the downgrade.",
        )
    return Decision(Mode.REINSTALL, (*reasons, "fixed by applying the manifest again"), newest)


def _compared(installed: Version, asked: Asked, changes: Changes) -> Decision:
    target = asked.target
    ahead = target.minors_ahead_of(installed)
    if installed == target:
        if not changes:
            return Decision(Mode.NONE, (f"{installed} is installed and differs in nothing",), installed)
        reason = f"{installed} is installed but differs from the environment's manifest ({changes.summary()})"
        return Decision(Mode.REINSTALL, (reason, "re-applied: nothing is uninstalled"), installed)
    if installed > target:
        return _downgrade(installed, asked)
    if ahead <= 1:
        kind = "the next minor" if ahead else "the same minor"
        return Decision(Mode.UPGRADE, (f"{installed} is installed; {target} is {kind}, newer",), installed)
    reason = f"{installed} is {ahead} minors behind {target}; Istio upgrades in place one minor at a time"
    if asked.via:
        return _chain(installed, asked, reason)
    return Decision(Mode.REINSTALL, (reason, "the old version is uninstalled first"), installed, replace=True)


def _downgrade(installed: Version, asked: Asked) -> Decision:
    reason = f"the installed {installed} is newer than the target {asked.target}"
    if asked.mode is Mode.REINSTALL:
        return Decision(Mode.REINSTALL, (reason, "a downgrade, asked for by name"), installed, replace=True)
    return Decision(
        Mode.REINSTALL,
        (reason,),
        installed,
        replace=True,
        refusal=f"{reason}: a downgrade needs --mode reinstall",
        todo="If a downgrade is meant, give --mode reinstall --yes; otherwise give a newer --version.",
    )


def _chain(installed: Version, asked: Asked, reason: str) -> Decision:
    """Intermediate versions that lie behind are passed over: a chain that was killed goes on with the same words."""
    hops = (*(version for version in asked.via if version > installed), asked.target)
    words = " → ".join(str(version) for version in (installed, *hops))
    if list(hops) != sorted(set(hops)):
        return Decision(
            Mode.UPGRADE,
            (reason,),
            installed,
            refusal=f"--via does not lead upwards: {words}",
            todo="Give the intermediate versions in rising order, each older than the target.",
        )
    return Decision(Mode.UPGRADE, (reason, f"in steps: {words}"), installed, hops=hops)


def _with_interrupted(decision: Decision, asked: Asked) -> tuple[Version, ...]:
    """Interrupted at an intermediate version, a run may have left gateways or sidecars behind: it is done again."""
    if decision.mode is not Mode.UPGRADE or decision.installed is None or decision.installed not in asked.via:
        return decision.hops
    return (decision.installed, *(decision.hops or (asked.target,)))

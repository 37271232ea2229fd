"""The mode: install, upgrade, reinstall, none or unknown, decided from what the cluster shows (README, "Modes")."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.changes import Changes
from sohistio.plan import Mode
from sohistio.state import ISTIO_NAMESPACE, ClusterState, Istiod
from sohistio.versions import Version


@dataclass(frozen=True, slots=True)
class Decision:
    """The mode and its reasons. `replace` is a reinstall that uninstalls first; `refusal` says why a run must stop."""

    mode: Mode
    reasons: tuple[str, ...]
    installed: Version | None = None
    replace: bool = False
    refusal: str = ""
    todo: str = ""


def decide(state: ClusterState, target: Version, changes: Changes, requested: Mode | None = None) -> Decision:
    """Work out the mode; `requested` is the one asked for by name (None is auto), refused where it does not fit."""
    decision = _what_the_cluster_shows(state, target, changes, requested)
    if requested is None or decision.mode is Mode.UNKNOWN or decision.mode is requested:
        return decision
    if requested is Mode.REINSTALL and decision.mode is Mode.NONE:
        reasons = (*decision.reasons, "re-applied because --mode reinstall asks for it")
        return Decision(Mode.REINSTALL, reasons, decision.installed)
    if requested is Mode.REINSTALL and decision.mode is Mode.UPGRADE:
        reasons = (*decision.reasons, "replaced instead of upgraded because --mode reinstall asks for it")
        return Decision(Mode.REINSTALL, reasons, decision.installed, replace=True)
    if decision.mode is Mode.NONE:
        return decision
    return Decision(
        decision.mode,
        decision.reasons,
        decision.installed,
        decision.replace,
        refusal=f"--mode {requested} does not fit: the cluster calls for mode {decision.mode}",
        todo=f"Leave --mode out, or give --mode {decision.mode}.",
    )


def _what_the_cluster_shows(state: ClusterState, target: Version, changes: Changes, requested: Mode | None) -> Decision:
    if state.unreadable:
        todo = "Check the context, the login and the role (list on these kinds), then run it again."
        return _unknown(state.unreadable, "the cluster could not be read", todo)
    if strange := _foreign_mesh(state):
        return _unknown((strange,), "this is not a mesh that sohistio may change", "See README, “Modes”.")
    istiod = next((seen for seen in state.istiods if seen.revision == "default"), None)
    if istiod is None:
        return _without_istiod(state, target)
    installed = Version.from_tag(istiod.image_version or istiod.label_version)
    labelled = Version.from_tag(istiod.label_version)
    if installed is None:
        return _unknown((f"{istiod.ref} carries no readable version",), "the installed version is unknown", "")
    if labelled is not None and labelled != installed:
        contradiction = f"{istiod.ref} runs image version {installed}, its label says {labelled}"
        todo = f"Put one right: set the image, or the label operator.istio.io/version, of {istiod.ref}."
        return _unknown((contradiction,), "what the cluster shows contradicts itself", todo)
    return _compared(installed, target, changes, requested)


def _unknown(reasons: tuple[str, ...], refusal: str, todo: str) -> Decision:
    return Decision(Mode.UNKNOWN, reasons, refusal=refusal, todo=todo)


def _foreign_mesh(state: ClusterState) -> str:
    """A mesh of somebody else's: another namespace (the AKS add-on lives in aks-istio-system) or another revision."""

    def is_ours(istiod: Istiod) -> bool:
        return istiod.ref.namespace == ISTIO_NAMESPACE and istiod.revision == "default"

    others = [istiod for istiod in state.istiods if not is_ours(istiod)]
    return ", ".join(f"{istiod.ref} (revision {istiod.revision}) is another control plane" for istiod in others)


def _without_istiod(state: ClusterState, target: Version) -> Decision:
    if not state.leftovers:
        return Decision(Mode.INSTALL, ("no mesh: there is no istiod and nothing of one",))
    names = ", ".join(str(ref) for ref in state.leftovers)
    reasons = (f"half a mesh: no istiod, but {names}",)
    newest = max((v for v in map(Version.from_tag, state.leftover_versions) if v), default=None)
    if newest is not None and newest > target:
        return Decision(
            Mode.REINSTALL,
            reasons,
            newest,
            refusal=f"what is left is of {newest}, newer than the target {target}",
            todo=f"Give --version {newest} to mend it first.",
        )
    return Decision(Mode.REINSTALL, (*reasons, "mended by applying the manifest again"), newest)


def _compared(installed: Version, target: Version, changes: Changes, requested: Mode | None) -> Decision:
    ahead = target.minors_ahead_of(installed)
    if installed == target:
        if not changes:
            return Decision(Mode.NONE, (f"{installed} is installed and differs in nothing",), installed)
        reason = f"{installed} is installed but differs from the environment's manifest ({changes.summary()})"
        return Decision(Mode.REINSTALL, (reason, "re-applied: nothing is uninstalled"), installed)
    if installed > target:
        reason = f"the installed {installed} is newer than the target {target}"
        if requested is Mode.REINSTALL:
            return Decision(Mode.REINSTALL, (reason, "a downgrade, asked for by name"), installed, replace=True)
        return Decision(
            Mode.REINSTALL,
            (reason,),
            installed,
            replace=True,
            refusal=f"{reason}: a downgrade must be asked for by name",
            todo="If a downgrade is meant, give --mode reinstall --yes; otherwise give a newer --version.",
        )
    if ahead <= 1:
        kind = "the next minor" if ahead else "the same minor"
        return Decision(Mode.UPGRADE, (f"{installed} is installed; {target} is {kind}, newer",), installed)
    reason = f"{installed} is {ahead} minors behind {target}; Istio upgrades in place one minor at a time"
    return Decision(Mode.REINSTALL, (reason, "the old version is uninstalled first"), installed, replace=True)

"""A proposed promotion, for people and for machines: the diff, the evidence, and what is left to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sohistio.checks.result import CheckResult, check_document
from sohistio.environments.promotion_chain import words_of
from sohistio.environments.promotion_edit import PromotionEdit
from sohistio.model.sync import SyncRules
from sohistio.model.words import counted
from sohistio.output.console import console, say, say_folded
from sohistio.output.devops.agent import checked, looked
from sohistio.output.devops.facts import Stage
from sohistio.output.documents import print_answer
from sohistio.output.file_diff import file_diff
from sohistio.output.tables import checks_view, show
from sohistio.sync.files import operator_differences


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed, and the evidence; none was gathered where nothing is promoted. `chain` ends with the target."""

    edit: PromotionEdit
    chain: tuple[str, ...]
    checks: tuple[CheckResult, ...] = ()
    written: bool = False

    @property
    def speaks_against(self) -> tuple[str, ...]:
        """The checks that do not hold, each once."""
        return tuple(dict.fromkeys(check.name for check in self.checks if check.breaks))

    @property
    def names(self) -> tuple[str, str]:
        """Of the source and of the target."""
        return self.edit.source.name, self.edit.target.name

    @property
    def by_hand(self) -> tuple[str, ...]:
        """How the IstioOperators would still differ: overlays are people's to edit."""
        version = self.edit.proposed.istio.version
        # What the key `gateways` renders is each environment's own, and no overlay.
        source = self.edit.source.model_copy(update={"gateways_end": self.edit.proposed.gateways_end})
        of_source = source.operator_for(version, gateways_off=False)
        of_target = self.edit.proposed.operator_for(version, gateways_off=False)
        return tuple(item.what for item in operator_differences(of_source, of_target, SyncRules(), self.names))

    @property
    def diff(self) -> list[str]:
        """Of the target's file."""
        return file_diff(self.edit.file, self.edit.before, self.edit.after)


def print_proposal(proposal: Proposal, *, json: bool) -> None:
    """On stdout; and for Azure DevOps' agent, if there is one."""
    target = proposal.names[1]
    looked(target)
    if proposal.checks:
        checked(Stage.PREFLIGHT, target, proposal.checks)
    if json:
        print_answer("Promotion", _document(proposal))
        return
    edit, source = proposal.edit, proposal.names[0]
    say_folded(f"{words_of(proposal.chain)}: {target} gets what {source} has")
    say("")
    for line in proposal.diff:
        say(line)
    if edit.changes:
        say("")
        show(console(), checks_view(proposal.checks))
        say("")
    for note in _notes(proposal):
        say_folded(f"Note: {note}")
    say_folded(_verdict(proposal))


def _notes(proposal: Proposal) -> list[str]:
    edit, (source, target) = proposal.edit, proposal.names
    notes = []
    if edit.not_promoted:
        notes.append(f"not promoted, as each environment has its own: {', '.join(edit.not_promoted)}")
    if edit.only_here:
        notes.append(f"only {target} sets {', '.join(edit.only_here)}: it stays, and {source} has not tried it")
    notes += [f"left to you: {line}" for line in proposal.by_hand]
    if proposal.written and edit.path.is_symlink():
        notes.append(f"{edit.file} is a link; {edit.path.resolve()} was written")
    return notes


def _verdict(proposal: Proposal) -> str:
    edit, (source, target) = proposal.edit, proposal.names
    if not edit.changes:
        return (
            f"Nothing to promote: {target} has Istio {edit.target.istio.version} and the settings of {source} already."
        )
    if against := proposal.speaks_against:
        count = counted(len(against), "check")
        verb = "speaks" if len(against) == 1 else "speak"
        return f"{count} {verb} against it: {', '.join(against)}. Nothing was written."
    if proposal.written:
        return f"{edit.file} is written. The cluster is as it was. Next: {_next(proposal)}"
    return f"Nothing speaks against it. Nothing was written: --write writes {edit.file}."


def _next(proposal: Proposal) -> str:
    return f"sohistio plan --env {proposal.names[1]}"


def _document(proposal: Proposal) -> dict[str, Any]:
    edit, (source, target) = proposal.edit, proposal.names
    result = "failed" if proposal.speaks_against else "passed" if edit.changes else "nothingToPromote"
    return {
        "from": source,
        "to": target,
        "chain": list(proposal.chain),
        "result": result,
        "file": edit.file,
        "promoted": [{"key": item.key, "before": item.before, "after": item.after} for item in edit.promoted],
        "notPromoted": list(edit.not_promoted),
        "onlyInTarget": list(edit.only_here),
        "byHand": list(proposal.by_hand),
        "checks": [check_document(check) for check in proposal.checks],
        "written": proposal.written,
        "diff": proposal.diff,
        "next": _next(proposal) if proposal.written else None,
    }

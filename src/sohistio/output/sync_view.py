"""A comparison of a standby with its source as people read it: what sync reports and does not change."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sohistio.sync.differences import Difference, Subject
from sohistio.sync.report import Comparison

_WORDS = {
    Subject.VERSION: "version",
    Subject.FILES: "files",
    Subject.NAMESPACE: "namespace",
    Subject.KIND: "kind",
    Subject.OBJECT: "object",
    Subject.CONFLICT: "conflict",
    Subject.DENIED: "denied",
    Subject.EXCLUSION: "exclusion",
    Subject.CERTIFICATE: "certificate",
    Subject.TRUST_ROOT: "trust root",
}


def comparison_view(comparison: Comparison) -> RenderableType:
    """What was compared, and each difference that is not sync's to change, with what to do about it."""
    names = (comparison.source, comparison.target)
    head = Table.grid(padding=(0, 2))
    head.add_column(style="bold")
    head.add_column()
    head.add_row("from", f"{names[0]} ({comparison.servers[0]})")
    head.add_row("to", f"{names[1]} ({comparison.servers[1]})")
    head.add_row("objects", f"{comparison.compared} in {names[0]}; {comparison.lag.words}")
    head.add_row("certificates", _certificates(comparison))
    head.add_row("trust root", _root(comparison))
    parts: list[RenderableType] = [head]
    if comparison.differences:
        parts += [Text(""), Text("Reported, not changed by sync:", style="bold")]
        for difference in comparison.differences:
            parts += _lines(difference)
    return Group(*parts)


def verdict(comparison: Comparison, refusal: str) -> Text:
    """The one line that says whether they are equal, and whether a sync would be refused."""
    names = f"{comparison.target} and {comparison.source}"
    if comparison.equal:
        return Text(f"{names} are equal", style="green")
    counting = comparison.left
    more = "further " if comparison.changes else ""
    parts = [f"{comparison.changes.summary()} by a sync"] if comparison.changes else []
    parts += [f"{counting} {more}difference{'' if counting == 1 else 's'} not sync's to change"] if counting else []
    refused = f"; a sync would be refused: {refusal}" if refusal else ""
    return Text(f"{names} differ: {', '.join(parts)}{refused}", style="yellow")


def left_over(comparison: Comparison) -> str:
    """What a run that ended well has left, in one line; empty where that is nothing."""
    count = comparison.left
    differ = f"{count} difference{' is' if count == 1 else 's are'}"
    return f"{comparison.target}: {differ} not sync's to change, see above" if count else ""


def _lines(difference: Difference) -> list[RenderableType]:
    sign, style = ("‼", "dim") if not difference.counts else ("×", "red" if _stops(difference) else "yellow")
    return [
        Text(f"  {sign} {_WORDS[difference.subject]}: {difference.what}", style=style),
        Text(f"    → {difference.todo}", style="dim"),
    ]


def _stops(difference: Difference) -> bool:
    return difference.subject in (Subject.CONFLICT, Subject.DENIED)


def _certificates(comparison: Comparison) -> str:
    pairs = comparison.certificates
    if not pairs:
        return f"no gateway of {comparison.source} names one"
    compared = [pair for pair in pairs if not pair.unread]
    lacking = "" if len(compared) == len(pairs) else f"{len(compared)} of {len(pairs)} compared: you lack permission"
    if not compared:
        return lacking
    same = sum(pair.source is not None and pair.source == pair.target for pair in compared)
    ends = [pair.target.expires_on for pair in compared if pair.target is not None]
    first = f"; the first in {comparison.target} expires on {min(ends)}" if ends else ""
    return f"{same} of {len(compared)} the same{first}{f'; {lacking}' if lacking else ''}"


def _root(comparison: Comparison) -> str:
    source, target = comparison.roots
    if not (source and target):
        return (
            "not known: "
            + " and ".join(
                name for name, root in ((comparison.source, source), (comparison.target, target)) if not root
            )
            + " has none"
        )
    return "the same" if source == target else "different"

"""Works on many objects one after the other: what goes wrong with one keeps no other back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.errors import FailedError, InterruptedRunError, LockLostError, SohistioError
from sohistio.model.words import first_lines
from sohistio.run.wait import Waiting

_MOST_LISTED = 12

_Item = TypeVar("_Item")


def each(waiting: Waiting, items: Sequence[_Item], work: Callable[[_Item], str | None], failed: str) -> None:
    """Do `work`, which returns why it was in vain, if it was. `failed` says of how many: `objects could not be …`.

    Raises FailedError that names every one that failed, with the API server's words; and at once where the run is
    stopped, or nobody answers: so would all the others end.
    """
    refused: list[str] = []
    for item in items:
        waiting.pause(0)
        try:
            if said := work(item):
                refused.append(said)
        except (InterruptedRunError, LockLostError):
            raise
        except SohistioError as error:
            if isinstance(error, KubeError) and error.status == 0:
                raise
            refused.append(": ".join((error.what, *error.details)))
    if refused:
        raise FailedError(
            f"{len(refused)} of {len(items)} {failed}",
            details=first_lines(refused, _MOST_LISTED),
            todo="The others are done. Fix what each line says, then run the same command again: it does what is "
            "missing.",
        )

"""Rich's console as sohistio uses it: text is never markup, and never anything but text."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import IO, Any, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.control import Control
from rich.segment import Segment
from rich.text import Text

from sohistio.system.sanitize import one_line, visible
from sohistio.system.streams import Stream, stream_of

# Columns of a log: more than a row ever has, so that a row stays a row, whatever is in it.
PIPE_WIDTH = 100_000


class SafeConsole(Console):
    """A console for text from anywhere. There is no other in sohistio, so a new print cannot forget it.

    A str or a Text is one line, in a table's cell as well: what breaks lines, moves the cursor or changes colours in it
    is made visible before it is laid out; markup ("[red]") and emoji codes are letters. Several lines are several
    prints, or a Group. What is printed while a display is redrawn reaches the run's log as plain lines.
    """

    def __init__(self, stream: IO[str], *, width: int | None = None, plain: bool = False) -> None:
        """`plain` is for a log's lines: no terminal, whatever FORCE_COLOR says. NO_COLOR takes bold away, too."""
        self.stream = stream_of(stream)
        self._drawn = _Drawn(self.stream)
        super().__init__(
            file=cast(IO[str], self._drawn),
            width=width,
            force_terminal=False if plain else None,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
            markup=False,
            emoji=False,
            highlight=False,
        )
        self._drawn.logged = not self.is_terminal
        self.only_log = cast(IO[str], _OnlyLog(self.stream))

    def render_str(self, text: str, **options: Any) -> Text:
        """A str as a Text; never markup, whatever a caller asks for."""
        return super().render_str(one_line(text), **(options | {"markup": False, "emoji": False}))

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Everything that Rich draws passes here, down to the last cell."""
        if isinstance(renderable, Text):
            shown = one_line(renderable.plain)
            renderable = renderable if shown == renderable.plain else renderable.blank_copy(shown)
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; on a terminal, where redrawn frames come in between, the log gets a rendering of its own."""
        super().print(*objects, **options)
        if self.is_terminal and not all(isinstance(shown, Control) for shown in objects or ("",)):
            lines = io.StringIO()
            SafeConsole(lines, width=PIPE_WIDTH, plain=True).print(*objects, **options)
            self.only_log.write(_trimmed(lines.getvalue()))

    def put(self, text: str) -> None:
        """Write what `capture` has taken from this console. In a pipe or a file, lines end where their text does."""
        self._drawn.write(text if self.is_terminal else _trimmed(text))


class _Drawn(io.TextIOBase):
    """What a console writes to: the stream's entrance for what is drawn."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.logged = True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute, the class itself a property
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        if isinstance(self._stream, Stream):
            self._stream.write_rendered(text, logged=self.logged)
        else:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


class _OnlyLog(io.TextIOBase):
    """For lines of a run's log that a redrawn display shows in its own way."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if isinstance(self._stream, Stream):
            self._stream.log(text)
        return len(text)


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def console(*, stderr: bool = False) -> SafeConsole:
    """A console; where it is no terminal, lines are as long as they are and pipes get no trailing blanks to wrap."""
    stream = sys.stderr if stderr else sys.stdout
    return SafeConsole(stream, width=None if stream.isatty() else PIPE_WIDTH)


def say(line: str) -> None:
    """One line on stdout, however long."""
    print(one_line(line))


def say_folded(line: str) -> None:
    """One line on stdout, on a terminal folded at its width, so that nothing is cut and what follows is indented."""
    if not sys.stdout.isatty():
        say(line)
        return
    from sohistio.output.fitted import Hanging

    console().print(Hanging(Text(line)))

"""Makes the pictures of runs in docs/: the real program in a terminal of its own, on a sandbox of its own, as SVG.

Run by `make pictures`. The user's sandboxes are left alone: this one lives in a temporary folder.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import runpy
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.text import Text

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"
COLUMNS, ROWS = 110, 60
_TOKEN = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\??([0-9]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")
_WEB_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_STEP = re.compile("  [√\u2800-\u28ff] ")  # done, or a spinner in braille
_WORDS = re.compile(r"\S+(?: \S+)*")
_MOVING = re.compile(r"[1-9]/[0-9] ready")


class Screen:
    """As much of a terminal as a live display needs: lines that are written, erased and gone back to."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = 0

    def feed(self, text: str) -> None:
        """Take a program's output."""
        for token in _TOKEN.finditer(text):
            count, command = token.groups()
            if token[0] == "\n":
                self._row += 1
                self.lines += [""] * (self._row + 1 - len(self.lines))
            elif command == "A":
                self._row -= int(count or 1)
            elif command == "K":
                self.lines[self._row] = ""
            elif command is None and token[0] != "\r":
                self.lines[self._row] += token[0]

    def plain(self) -> str:
        """What can be read on it."""
        return Text.from_ansi("\n".join(self.lines)).plain


def run(*arguments: str, looked: Callable[[Screen], None] = lambda _screen: None) -> Screen:
    """Run sohistio in a terminal; `looked` is called after each change. Raises CalledProcessError where it fails."""
    own_end, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "sohistio", *arguments]
    screen = Screen()
    environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with subprocess.Popen(command, stdin=its_end, stdout=its_end, stderr=its_end, env=environment) as process:
        os.close(its_end)
        with open(own_end, encoding="utf-8", newline="") as output:  # noqa: PTH123 (a descriptor, no path)
            try:
                while chunk := os.read(output.fileno(), 65_536):
                    screen.feed(chunk.decode("utf-8", errors="replace"))
                    looked(screen)
            except OSError:  # how a terminal says that the program has ended
                pass
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, screen.plain())
    return screen


def draw(name: str, command: str, lines: list[str]) -> None:
    """Write docs/pictures/<name>.svg."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    console.print(Text.assemble(("$ ", "green"), (command, "bold")))
    for line in lines:
        text = Text.from_ansi(line)
        # Some viewers drop the blanks a piece of text begins with: each run of words becomes a piece of its own.
        for words in _WORDS.finditer(text.plain):
            text.stylize(Style(meta={"from": words.start()}), *words.span())
        console.print(text, soft_wrap=True)
    svg = _WEB_FONT.sub("", console.export_svg(title="sohistio"))  # nothing is fetched to look at a picture
    (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(f"docs/pictures/{name}.svg", flush=True)


def main() -> None:
    """Install the previous minor with applications, then draw the plan of the upgrade, its progress and its end."""
    demo = runpy.run_path(str(HERE / "demo.py"))
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        for key in [key for key in os.environ if key.startswith("SOHISTIO_")]:
            del os.environ[key]
        os.chdir(HERE.parent)
        try:
            run("sandbox", "up")
            run("install", "--env", "local", "--version", demo["PREVIOUS_MINOR"], "--yes")
            demo["create_workloads"]()
            _draw_all()
        finally:
            run("sandbox", "down")


def _draw_all() -> None:
    plan = run("plan", "--env", "local")
    draw("plan", "sohistio plan --env local", plan.lines)
    check = run("check", "--env", "local")
    draw("check", "sohistio check --env local", check.lines)
    frames: list[list[str]] = []

    def keep(screen: Screen) -> None:
        if _MOVING.search(screen.plain()):
            frames.append(list(screen.lines))

    upgrade = run("install", "--env", "local", "--yes", looked=keep)
    draw("install", "sohistio install --env local --yes", _from_first_phase(upgrade.lines))
    busiest = max(frames, key=_moving)
    draw("live", "sohistio install --env local --yes", _from_first_phase(busiest))


def _moving(lines: list[str]) -> int:
    """How many rollouts of a frame are on their way."""
    shown = (Text.from_ansi(line).plain.rstrip() for line in lines)
    return sum("━" in line and _MOVING.search(line) is not None and not line.endswith("ready") for line in shown)


def _from_first_phase(lines: list[str]) -> list[str]:
    """The part after the plan, which has a picture of its own: from the heading above the first step on."""
    plain = [Text.from_ansi(line).plain for line in lines]
    first = next(number for number, line in enumerate(plain) if _STEP.match(line))
    return ["\x1b[2m…\x1b[0m", "", *lines[first - 1 :]]


if __name__ == "__main__":
    main()

"""Draws docs/pictures/layers.svg: the packages in their layers, made of the contract that `make lint` checks."""

from __future__ import annotations

import ast
import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
_WIDTH, _LINE, _GAP, _INDENT = 960, 15, 14, 12
_CHARACTER = 5.9  # how wide one is in 11px sans-serif, about
_STYLE = """
  text { font: 600 13px sans-serif; fill: #1f2328 } .about { font: 11px sans-serif; fill: #57606a }
  rect { fill: #f6f8fa; stroke: #57606a; rx: 6 } path { fill: none; stroke: #57606a; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .about { fill: #9198a1 } rect { fill: #161b22; stroke: #9198a1 } path { stroke: #9198a1 }
  }
"""


def layers() -> list[list[str]]:
    """The packages of each layer, the highest first, from the contract in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["type"] == "layers" and one["containers"] == ["sohistio"])
    return [[name.strip() for name in layer.replace("|", ":").split(":")] for layer in contract["layers"]]


def layers_picture() -> str:
    """The picture, as SVG."""
    rows, top = [], _GAP
    for names in layers():
        width = (_WIDTH - _GAP * (len(names) + 1)) / len(names)
        texts = [textwrap.wrap(_about(name), int((width - 2 * _INDENT) / _CHARACTER)) for name in names]
        height = 32 + _LINE * max(len(lines) for lines in texts)
        for number, (name, lines) in enumerate(zip(names, texts, strict=True)):
            rows.append(_box(_GAP + number * (width + _GAP), top, (width, height), (name, lines)))
        top += height + _GAP
    title = "<title>The packages in their layers; each imports only what is further down</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img">'
    return "\n".join((head, title, f"<style>{_STYLE}</style>", *rows, "</svg>", ""))


def _box(left: float, top: int, size: tuple[float, int], words: tuple[str, list[str]]) -> str:
    name, lines = words
    parts = [f'<rect x="{left:.0f}" y="{top}" width="{size[0]:.0f}" height="{size[1]}"/>']
    parts.append(f'<text x="{left + _INDENT:.0f}" y="{top + 20}">{escape(name)}</text>')
    for number, line in enumerate(lines):
        at = top + 38 + _LINE * number
        parts.append(f'<text class="about" x="{left + _INDENT:.0f}" y="{at}">{escape(line)}</text>')
    return "\n".join(parts)


def _about(name: str) -> str:
    """The first sentence of a package's docstring."""
    source = ROOT / "src" / "sohistio"
    path = source / name / "__init__.py" if (source / name).is_dir() else source / f"{name}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].partition(". ")[0].replace("\n", " ").rstrip(".")

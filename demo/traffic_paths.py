"""Draws docs/pictures/traffic-paths.svg: the ways of traffic that a policy guards. Run by `make pictures`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "traffic-paths.svg"
_WIDTH, _HEIGHT = 960, 400
_STYLE = """
  text { font: 14px sans-serif; fill: #1f2328 } .small { font-size: 12px; fill: #57606a } .what { font-weight: 600 }
  rect { fill: #ffffff; stroke: #57606a; rx: 6 } .mesh { fill: #f0f6ff; stroke: #0969da; stroke-dasharray: 6 4 }
  path { fill: none; stroke: #1f2328; stroke-width: 1.5; marker-end: url(#arrow) } .refused { stroke: #cf222e }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } rect { fill: #0d1117; stroke: #9198a1 }
    .mesh { fill: #121d2f; stroke: #4493f8 } path { stroke: #e6edf3 } .refused { stroke: #f85149 }
  }
"""


@dataclass(frozen=True)
class _Box:
    x: int
    y: int
    width: int
    title: str
    lines: tuple[str, ...] = ()

    def svg(self) -> str:
        height = 34 + 18 * len(self.lines)
        parts = [f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{height}"/>']
        parts.append(f'<text class="what" x="{self.x + 12}" y="{self.y + 22}">{escape(self.title)}</text>')
        for number, line in enumerate(self.lines):
            at = self.y + 42 + 18 * number
            parts.append(f'<text class="small" x="{self.x + 12}" y="{at}">{escape(line)}</text>')
        return "\n".join(parts)


def _arrow(points: str, label: str, at: tuple[int, int], *, refused: bool = False) -> str:
    kind = ' class="refused"' if refused else ""
    words = f'<text class="small" x="{at[0]}" y="{at[1]}">{escape(label)}</text>'
    return f'<path{kind} d="{points}"/>\n{words}'


def main() -> None:
    """Write the picture."""
    boxes = (
        _Box(20, 60, 130, "Client", ("a browser, an app",)),
        _Box(220, 60, 220, "Ingress gateway", ("TLS ≥ 1.3, token checked", "rules of policy.hosts")),
        _Box(500, 60, 190, "Workload A", ("sidecar: mTLS, identity", "rules of policy.workloads")),
        _Box(500, 200, 190, "Workload B", ("sidecar", "registryOnly")),
        _Box(220, 200, 220, "Pod without a sidecar", ("plaintext",)),
        _Box(500, 310, 190, "Egress gateway", ("who may call which host",)),
        _Box(770, 310, 170, "External host", ("certificate checked",)),
    )
    arrows = (
        _arrow("M150 85 H214", "HTTPS", (160, 78)),
        _arrow("M440 85 H494", "mTLS", (450, 78)),
        _arrow("M590 200 V136", "mTLS", (600, 172)),
        _arrow("M440 215 H470 V120 H494", "refused: strict", (380, 160), refused=True),
        _arrow("M590 270 V304", "mTLS", (600, 292)),
        _arrow("M690 335 H764", "TLS", (712, 328)),
        _arrow("M690 225 H855 V304", "refused: not declared", (740, 218), refused=True),
    )
    marker = (
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L10 5 L0 10 z" style="fill: context-stroke; stroke: none; marker-end: none"/></marker></defs>'
    )
    mesh = '<rect class="mesh" x="200" y="20" width="520" height="365"/>'
    mesh += '<text class="small" x="212" y="40">the mesh</text>'
    parts = (f"<style>{_STYLE}</style>", marker, mesh, *(box.svg() for box in boxes), *arrows)
    title = "<title>The ways of traffic that a policy guards</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
    PICTURE.write_text("\n".join((head, title, *parts, "</svg>", "")), encoding="utf-8")


if __name__ == "__main__":
    main()

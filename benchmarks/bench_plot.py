"""A picture of how something grows: both axes logarithmic, so that what grows in proportion is a straight line."""

from __future__ import annotations

import math
from html import escape

from bench_table import Growth
from sandboxes import CHECKOUT

PLOT = CHECKOUT / "docs" / "pictures" / "growth.svg"
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 340, 64, 48, 20, 32
COLOURS = ("#2457a6", "#b3541e", "#3d7a3a")


def plot(growth: Growth) -> str:
    """As SVG."""
    sizes = sorted({size for line in growth.points.values() for size, _ in line})
    values = [value for line in growth.points.values() for _, value in line]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def at(size: float, value: float) -> tuple[float, float]:
        x = LEFT + (math.log10(size) - first) / (last - first) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - BOTTOM - TOP)
        return round(x, 1), round(y, 1)

    shapes: list[str] = []
    for power in range(low, high + 1):
        _, y = at(sizes[0], 10.0**power)
        shapes.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#ccc"/>')
        shapes.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{10.0**power:g}</text>')
    for size in sizes:
        x, _ = at(size, 10.0**low)
        shapes.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,.0f}</text>')
    for number, (name, line) in enumerate(growth.points.items()):
        colour, points = COLOURS[number], [at(*point) for point in line]
        path = " ".join(f"{x},{y}" for x, y in points)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        shapes += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in points]
        shapes.append(f'<text x="{LEFT + 12}" y="{TOP + 16 + number * 18}" fill="{colour}">{escape(name)}</text>')
    shapes.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(growth.size)}</text>')
    shapes.append(f'<text x="12" y="{TOP - 6}">{escape(growth.unit)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="13">'
    shapes = [f'<g font-family="sans-serif">{"".join(shapes)}</g>']
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *shapes, "</svg>\n"])

"""Mirroring Istio's images, beside a loop of `skopeo copy` over the same ones; and once more, when all are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench_table import Table
from bench_world import World
from image_content import image_content
from measured import SOHISTIO, Row, timed
from mirrors import a_mirror, registries
from sandboxes import CHECKOUT
from test_images_mirror_speed import loop_seconds

pytestmark = pytest.mark.bench

# Of each request to the source, as on the way to Docker Hub.
DELAY_SECONDS = 0.1


def test_eight_images(world: World, table: Table, tmp_path: Path) -> None:
    """Of 12 MB each."""
    for folder in ("registries", "own"):
        (tmp_path / folder).mkdir()
    with registries(tmp_path / "registries") as both:
        mirror = a_mirror(world.box, both, tmp_path / "own", "eight", more=4)
        for name in mirror.contents:
            mirror.push(name, image_content(layers=3, size=2_000_000))
        both.way.delay = DELAY_SECONDS

        def seconds() -> float:
            command = (*SOHISTIO, "images", "mirror", *mirror.flags)
            return timed(command, mirror.environ(SOHISTIO_ISTIO_MIRROR=world.mirror), CHECKOUT).wall

        by_hand, first, again = loop_seconds(mirror), seconds(), seconds()
        assert all(map(mirror.is_there, mirror.contents))
    second_and_heads = 1 + len(mirror.contents) * DELAY_SECONDS
    rows = [
        Row(
            "mirroring 8 images, the source 100 ms away, beside a loop of `skopeo copy`",
            f"{first:.1f} s",
            f"{by_hand:.1f} s",
            by_hand / first,
            1.5,
            at_least=True,
        ),
        Row(
            "mirroring them once more, beside one second and a HEAD each",
            f"{again:.2f} s",
            f"{second_and_heads:.1f} s",
            again / second_and_heads,
            1.0,
        ),
    ]
    assert [row for row in map(table.add, rows) if not row.met] == []

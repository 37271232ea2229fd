"""The sources of the site: pages for what is outside of docs/, and links that lead to them."""

from __future__ import annotations

from pathlib import Path

from markdown_links import broken_links
from site_sources import write_sources


def test_links_out_of_docs_lead_to_pages_of_the_site(tmp_path: Path) -> None:
    root, to = tmp_path / "repository", tmp_path / "site" / "docs"
    for folder in ("docs/reference", "docs/schemas", "rbac"):
        (root / folder).mkdir(parents=True)
    (root / "README.md").write_text("# Read me\n")
    (root / "CONTRIBUTING.md").write_text("# Contributing\n[top](docs/index.md) [role](rbac/reader.yaml)\n")
    (root / "CHANGELOG.md").write_text("# Changes\n")
    (root / "rbac" / "reader.yaml").write_text("kind: ClusterRole\n")
    (root / "docs" / "schemas" / "a.json").write_text("{}")
    (root / "docs" / "index.md").write_text(
        "# Home\n[c](../CONTRIBUTING.md#contributing) [r](../README.md) [all](../rbac) [e](https://example.com/../x)\n"
        "| `a\\|b` |\n"
    )
    (root / "docs" / "reference" / "deep.md").write_text(
        "[r](../../rbac/reader.yaml) [s](../schemas/a.json) [t](#x)\n# x\n"
    )

    write_sources(root, to)

    assert (to / "index.md").read_text() == (
        "# Home\n[c](contributing.md#contributing) [r](index.md) [all](files/rbac.md) [e](https://example.com/../x)\n"
        "| `a|b` |\n"
    )
    assert (to / "reference" / "deep.md").read_text() == (
        "[r](../files/rbac/reader.yaml.md) [s](../schemas/a.json) [t](#x)\n# x\n"
    )
    assert (to / "contributing.md").read_text() == "# Contributing\n[top](index.md) [role](files/rbac/reader.yaml.md)\n"
    assert (to / "files" / "rbac.md").read_text() == "# rbac\n\n- [reader.yaml](rbac/reader.yaml.md)\n"
    shown = (to / "files" / "rbac" / "reader.yaml.md").read_text()
    assert shown == "# rbac/reader.yaml\n\n````yaml\nkind: ClusterRole\n\n````\n"
    assert broken_links(to, sorted(to.rglob("*.md"))) == []

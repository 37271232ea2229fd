"""The Markdown of docs/: sections, blocks, and lines without markup."""

from __future__ import annotations

import pytest

from sohistio.explanations.markdown import Code, Paragraph, Table, sections
from sohistio.explanations.text import Line, lines_of, plain

PAGE = """
Before the first heading.

# Title

## One: exit code 2

A paragraph
of two lines.
Why: it is so.
To fix: change it.

- first
  goes on
- second
1. third

![a picture](pictures/x.png)

```
# no heading
| no table
```

| error | what to do |
|---|---|
| a \\| b | `x` |

### Two
"""


def test_sections_and_what_they_are_made_of() -> None:
    title, one, two = sections(PAGE)
    assert (title.title, title.level, title.blocks) == ("Title", 1, ())
    assert (one.anchor, two.anchor, two.level) == ("one-exit-code-2", "two", 3)
    assert one.blocks == (
        Paragraph("A paragraph of two lines."),
        Paragraph("Why: it is so."),
        Paragraph("To fix: change it."),
        Paragraph("first goes on", bullet=True),
        Paragraph("second", bullet=True),
        Paragraph("third", bullet=True),
        Code(("# no heading", "| no table")),
        Table(("error", "what to do"), (("a | b", "`x`"),)),
    )


def test_sections_have_the_anchors_of_a_git_host() -> None:
    """Repeated words are counted, links are their words, and each kind of fence hides what looks like a heading."""
    page = "# [Linked](x.md) A\n~~~\n# code\n```\n~~~\n## B ##\n````\n```\n# code\n````\n## B\nEnd.\n"
    linked, first, second = sections(page)
    assert (linked.anchor, first.anchor, second.anchor) == ("linked-a", "b", "b-1")
    assert linked.blocks == (Code(("# code", "```")),)
    assert first.blocks == (Code(("```", "# code")),)
    assert second.blocks == (Paragraph("End."),)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("`a*b*c` and **d `e`** and *f*", "a*b*c and d e and f"),
        ("3 * 4 * 5", "3 * 4 * 5"),
        ("`[x](y)`", "[x](y)"),
        ("plain_name_with _underscores_", "plain_name_with _underscores_"),
    ],
)
def test_a_line_without_markup(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("[renew it](certificates.md#renew-it)", "renew it (docs/certificates.md#renew-it)"),
        ("[certificates.md](certificates.md#renew-it)", "docs/certificates.md#renew-it"),
        ("[above](#alerts)", "above (docs/monitoring.md#alerts)"),
        ("[Istio](https://istio.io)", "Istio (https://istio.io)"),
    ],
)
def test_a_link_says_where_it_leads(link: str, text: str) -> None:
    (line,) = lines_of((Paragraph(link),), "docs/monitoring.md")
    assert line.text == text


def test_blocks_as_lines() -> None:
    table = Table(("what", "cluster", "metrics"), (("**mtls**", "`a`", ""), ("hosts", "b", "c")))
    blocks = (
        Paragraph("x"),
        Paragraph("one", bullet=True),
        Paragraph("two", bullet=True),
        table,
        Code(("  get pods",)),
    )
    lines = lines_of(blocks, "docs/x.md")
    assert [f"{' ' * line.indent}{line.text}" for line in lines] == [
        "x",
        "",
        "  - one",
        "  - two",
        "",
        "mtls",
        "  cluster: a",
        "hosts",
        "  cluster: b",
        "  metrics: c",
        "",
        "      get pods",
    ]
    assert lines[-1].is_whole
    assert lines[1] == Line()

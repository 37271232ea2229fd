"""The Markdown of docs/: sections, blocks, and lines without markup."""

from __future__ import annotations

import pytest

from sohistio.explanations.markdown import Code, Paragraph, Table, anchor_of, sections
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


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Nothing was touched: exit code 2", "nothing-was-touched-exit-code-2"),
        ('"another run is active" (exit 3)', "another-run-is-active-exit-3"),
        ("istioctl", "istioctl"),
        ("A Prometheus of your own", "a-prometheus-of-your-own"),
        ("cluster_name", "cluster_name"),
    ],
)
def test_an_anchor_is_the_one_that_links_name(title: str, anchor: str) -> None:
    assert anchor_of(title) == anchor


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

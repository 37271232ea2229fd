"""Links and anchors of Markdown, as a Git host reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from markdown_links import anchor_of, anchors_of, broken_links, links_of, pages_of, with_plain_bars, with_targets

_CODE = """\
[a](a.md) and ![picture](b.svg "title"), [`code`](c.md#d)

```
[no](link.md)
~~~
[no](link.md)
```

   ````yaml
   [no](link.md)
   ```
   [no](link.md)
   ````

`[no](link.md)` and ``[no`](link.md)`` [more [brackets]](<e.md>) [elsewhere](https://example.com/x.md)
`code over
two lines` and [words over
two](f.md), `[no](link.md)
[no](link.md)`
"""


def test_links_are_found_outside_of_code() -> None:
    found = [(link.line, link.target) for link in links_of(_CODE)]
    assert found == [
        (1, "a.md"),
        (1, "b.svg"),
        (1, "c.md#d"),
        (15, "e.md"),
        (15, "https://example.com/x.md"),
        (18, "f.md"),
    ]


def test_the_parts_of_a_link() -> None:
    path, anchor, elsewhere = list(links_of("[a](a%20b.md#c) [b](#d) [c](mailto:x@example.com)"))
    assert (path.path, path.anchor, path.is_elsewhere) == ("a b.md", "c", False)
    assert (anchor.path, anchor.anchor) == ("", "d")
    assert elsewhere.is_elsewhere


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Exit codes", "exit-codes"),
        ("Nothing was touched: exit code 2", "nothing-was-touched-exit-code-2"),
        ('"another run is active on this cluster" (exit 3)', "another-run-is-active-on-this-cluster-exit-3"),
        ("`pull-secret`, and *others*", "pull-secret-and-others"),
        ("[Linked](page.md) a_b", "linked-a_b"),
        ("A — b", "a--b"),
    ],
)
def test_anchors(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor


def test_the_second_heading_of_the_same_words_has_a_number() -> None:
    assert anchors_of("# A\n## B\n## A\n```\n# C\n```\n### A #\n") == {"a", "b", "a-1", "a-2"}


def test_targets_are_replaced_and_nothing_else() -> None:
    replaced = with_targets(_CODE, lambda link: link.target if link.is_elsewhere else f"x/{link.target}")
    assert replaced.splitlines()[0] == '[a](x/a.md) and ![picture](x/b.svg "title"), [`code`](x/c.md#d)'
    assert replaced.replace("x/", "") == _CODE.replace("x/", "")
    assert replaced.count("x/") == 5


def test_bars_in_the_code_of_tables_lose_their_backslash() -> None:
    text = "| `a\\|b` | c\\|d |\n\n`e\\|f`\n"
    assert with_plain_bars(text) == "| `a|b` | c\\|d |\n\n`e\\|f`\n"


def test_what_is_broken_is_named_with_file_and_line(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "reference").mkdir(parents=True)
    (tmp_path / "README.md").write_text("# Top\n[good](docs/a.md#part) [bad](docs/none.md)\n")
    (docs / "a.md").write_text(
        "# A\n## Part\n[up](../README.md#top) [no](#nowhere)\n[folder](reference)\n[x](../../x.md)\n"
    )
    (docs / "reference" / "b.md").write_text("[bad](../a.md#parts)\n")
    assert broken_links(tmp_path, pages_of(tmp_path)) == [
        "README.md:2: docs/none.md: there is no docs/none.md",
        "docs/a.md:3: #nowhere: docs/a.md has no heading with this anchor",
        "docs/a.md:5: ../../x.md: leads out of the repository",
        "docs/reference/b.md:1: ../a.md#parts: docs/a.md has no heading with this anchor",
    ]

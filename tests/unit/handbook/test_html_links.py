"""Links of the built site."""

from __future__ import annotations

from pathlib import Path

import pytest

from html_links import problems_of

_PAGE = '<html><head>{head}</head><body><h2 id="part">Part</h2>{body}</body></html>'


@pytest.mark.parametrize(
    ("head", "body", "problem"),
    [
        ("", '<a href="below/other.html#part">x</a> <a href="#part">y</a> <a href="/index.html">z</a>', ""),
        ("", '<a href="https://example.com/gone">not asked</a> <a href="mailto:a@example.com">m</a>', ""),
        ('<link rel="canonical" href="https://docs.example.com/">', '<img src="picture.svg">', ""),
        ("", "<pre><code>```\n[a](b)</code></pre>", ""),
        ("", '<a href="none.html">x</a>', "index.html: none.html: there is no such file"),
        ("", '<a href="../outside.html">x</a>', "index.html: ../outside.html: there is no such file"),
        ("", '<a href="below/other.html#no">x</a>', "index.html: below/other.html#no: the page has no such anchor"),
        ("", '<img src="none.svg">', "index.html: loads none.svg: there is no such file"),
        ('<script src="//x.example.com/a"></script>', "", "index.html: loads //x.example.com/a from another host"),
        ('<link rel="stylesheet" href="https://fonts.example.com/css">', "",
         "index.html: loads https://fonts.example.com/css from another host"),
        ("", '<pre class="mermaid">x</pre>', "index.html: loads https://unpkg.com/mermaid from another host"),
        ("", "<p>```</p>",
         "index.html: '```' is Markdown that was not understood (in a list, indent by four spaces)"),
    ],
)  # fmt: skip
def test_a_page(tmp_path: Path, head: str, body: str, problem: str) -> None:
    site = tmp_path / "site"
    (site / "below").mkdir(parents=True)
    (tmp_path / "outside.html").write_text("outside")
    (site / "picture.svg").write_text("<svg/>")
    (site / "below" / "other.html").write_text(_PAGE.format(head="", body='<a href="../index.html#part">up</a>'))
    (site / "index.html").write_text(_PAGE.format(head=head, body=body))
    assert problems_of(site) == ([problem] if problem else [])

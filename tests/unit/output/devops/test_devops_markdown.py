"""Markdown of text that anybody may have written: letters, and a page that fits."""

from __future__ import annotations

import pytest

from agent_reading import read
from sohistio.output.devops.markdown import MOST_BYTES, begun, page, table, text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Deployment shop/web-1.2: 3 → 4 (ok)", "Deployment shop/web-1.2: 3 → 4 (ok)"),
        ("a | b", "a &#124; b"),
        ("`code`", "&#96;code&#96;"),
        ("<b onclick=x>&amp;", "&#60;b onclick=x&#62;&#38;amp;"),
        ("[click](javascript:x)", "&#91;click&#93;(javascript:x)"),
        ("![](x)", "&#33;&#91;&#93;(x)"),
        ("https://x.example", "https&#58;//x.example"),
        ("WWW.x.example", "WWW&#46;x.example"),
        ("mailto:a@b.example", "mailto&#58;a&#64;b.example"),
        ("*a* __b__ ~c~ \\d", "&#42;a&#42; &#95;&#95;b&#95;&#95; &#126;c&#126; &#92;d"),
        ("#1 @team {x} $y", "&#35;1 &#64;team &#123;x&#125; &#36;y"),
        ("two\nlines\r\nof\x1b[31m it", "two⏎lines⏎of&#92;x1b&#91;31m it"),
        ("x" * 601, "x" * 600 + "… (and 1 more characters)"),
    ],
)
def test_text(value: str, written: str) -> None:
    assert text(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("- no list", "&#45; no list"),
        ("+ nor this", "&#43; nor this"),
        ("1. nor that", "1&#46; nor that"),
        ("12) or that", "12&#41; or that"),
        ("=====", "&#61;===="),
        ("    no code", "no code"),
        ("1.31.1 it is", "1&#46;31.1 it is"),
        ("qa: fine", "qa: fine"),
    ],
)
def test_the_beginning_of_a_line(value: str, written: str) -> None:
    assert begun(value) == written


def test_a_table_keeps_its_columns() -> None:
    hostile = "a|b\n|---|\n##vso[task.complete]x"
    lines = table(("one", "two"), [(hostile, "y")] * 3, most=2)
    assert lines[:2] == ["| one | two |", "|---|---|"]
    assert {line.count("|") for line in lines[2:4]} == {3}
    assert lines[4:] == ["\nand 1 more"]
    assert read("\n".join(lines)).commands == []


def test_a_page_that_does_not_fit_is_cut_and_says_so() -> None:
    row = f"| {'ü' * 500} |"
    whole = page("qa", [["first"], [], ["## Objects", "", *[row] * 200], ["last"]])
    assert MOST_BYTES - 1100 < len(whole.encode()) <= MOST_BYTES
    assert whole.startswith("# qa\n\nfirst\n\n## Objects\n\n| ü")
    assert whole.endswith(f"{row}\n\nThis page is cut here: the log has the rest.\n")
    assert page("qa", [["first"], [], ["last"]]) == "# qa\n\nfirst\n\nlast\n"

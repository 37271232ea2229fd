"""The built site: its links lead to pages and anchors that are there, and nothing is loaded from another host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("link", "href"), ("source", "srcset")}
_NOT_LOADED = {"canonical", "edit", "next", "prev", "alternate"}
_LEFT_OVER = ("```", "](", "!!! ")


@dataclass
class Page:
    """What a page has to be asked about."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._code += tag in {"code", "pre", "script", "style"}
        self.page.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        if "mermaid" in values.get("class", "").split():
            self.page.loaded.append("https://unpkg.com/mermaid")  # what the theme's script draws it with
        if tag == "a" and "href" in values:
            self.page.links.append(values["href"])
        for name, value in values.items():
            if (tag, name) in _LOADED and not _NOT_LOADED & set(values.get("rel", "").split()):
                self.page.loaded.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in {"code", "pre", "script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.page.left_over += [mark for mark in _LEFT_OVER if mark in data]


def read_page(html: str) -> Page:
    """A page's anchors, links, what it loads, and Markdown that was not understood."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def problems_of(site: Path) -> list[str]:
    """What is wrong with the site in this folder, a line each."""
    pages = {path: read_page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    return [problem for path, page in pages.items() for problem in _problems_in(site, path, page, pages)]


def _problems_in(site: Path, path: Path, page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    here = path.relative_to(site)
    for mark in page.left_over:
        yield f"{here}: {mark!r} is Markdown that was not understood (in a list, indent by four spaces)"
    for url in page.loaded:
        if urlsplit(url).netloc:
            yield f"{here}: loads {url} from another host"
        elif why := _missing(site, path, url, pages):
            yield f"{here}: loads {url}: {why}"
    for url in page.links:
        parts = urlsplit(url)
        if not (parts.scheme or parts.netloc) and (why := _missing(site, path, url, pages)):
            yield f"{here}: {url}: {why}"


def _missing(site: Path, path: Path, url: str, pages: dict[Path, Page]) -> str:
    """Why the address cannot be reached from the page; empty if it can."""
    parts = urlsplit(url)
    name = unquote(parts.path)
    base = site if name.startswith("/") else path.parent
    to = (base / name.lstrip("/")).resolve() if name else path
    to = to / "index.html" if to.is_dir() else to
    if not to.is_relative_to(site) or not to.is_file():
        return "there is no such file"
    if parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].anchors | {"__skip", "top"}:
        return "the page has no such anchor"
    return ""

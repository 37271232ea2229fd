"""The page of all environments in a real browser: sorted, read on a phone and in the dark, and nothing of it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

import fleet
from browser import Browser, chromium
from fleet import NOW
from sohistio.output.fleet_page import Look, fleet_page

ROWS = fleet.fleet()
HOSTILE = [*ROWS, fleet.hostile(), fleet.hostile_problem()]
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
READABLE = 4.5
"""WCAG 2.2, 1.4.3 (AA), for text of usual size."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "fleet.html").write_text(fleet_page(Look(ROWS, NOW)), encoding="utf-8")
    (folder / "hostile.html").write_text(fleet_page(Look(HOSTILE, NOW)), encoding="utf-8")
    (folder / "watched.html").write_text(fleet_page(Look(ROWS, NOW, every=5)), encoding="utf-8")
    return folder


def names(browser: Browser) -> list[str]:
    found: list[str] = browser.run("return [...document.querySelectorAll('tbody th > .value')].map((e) => e.innerText)")
    return found


def header(browser: Browser, column: str) -> WebElement:
    return browser.driver.find_element(By.CSS_SELECTOR, f"thead th[data-column={column}]")


def test_a_heading_sorts_by_click_and_says_so(browser: Browser, pages: Path) -> None:
    browser.open_anew((pages / "fleet.html").as_uri())
    assert names(browser) == [row.environment for row in ROWS]
    assert header(browser, "state").get_attribute("aria-sort") is None
    button = header(browser, "state").find_element(By.TAG_NAME, "button")
    button.click()
    assert names(browser) == ["dev", "dr", "prod", "local", "qa", "int", "test"]
    assert header(browser, "state").get_attribute("aria-sort") == "ascending"
    assert browser.driver.find_element(By.ID, "sorted").get_attribute("textContent") == "Sorted by state, ascending."
    button.click()
    assert names(browser) == ["test", "int", "qa", "local", "prod", "dev", "dr"]
    assert header(browser, "state").get_attribute("aria-sort") == "descending"
    header(browser, "version").find_element(By.TAG_NAME, "button").click()
    assert header(browser, "state").get_attribute("aria-sort") is None
    assert names(browser)[0] == "local", "1.30.5 before 1.31.1"
    assert set(names(browser)[-3:]) == {"qa", "int", "test"}, "what is not known is last"


def test_the_keyboard_reaches_all_of_it(browser: Browser, pages: Path) -> None:
    browser.open_anew((pages / "fleet.html").as_uri())
    body = browser.driver.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert browser.driver.switch_to.active_element.text.startswith("environment")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert names(browser) == sorted((row.environment for row in ROWS), reverse=True)
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "where the keyboard is can be seen"
    for _ in range(20):
        focused = browser.driver.switch_to.active_element
        if focused.tag_name == "summary":
            break
        focused.send_keys(Keys.TAB)
    assert focused.tag_name == "summary"
    focused.send_keys(Keys.ENTER)
    details = browser.driver.find_element(By.CSS_SELECTOR, "details[open]")
    assert "Correct the file." in details.text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_text_can_be_read(browser: Browser, pages: Path, width: int, *, dark: bool) -> None:
    browser.open_anew((pages / "hostile.html").as_uri(), width=width, dark=dark)
    browser.run(OPEN_ALL)
    ratios = browser.contrasts()
    assert {"in sync", "unreachable", "drift", "10.20.20.9 !", "details", "certificate"} <= set(ratios)
    assert {text: ratio for text, ratio in ratios.items() if ratio < READABLE} == {}
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark


@pytest.mark.parametrize("width", [320, 360, 640, 800, 1024, 1280, 1600])
def test_nothing_is_wider_than_the_window(browser: Browser, pages: Path, width: int) -> None:
    for name in ("fleet.html", "hostile.html"):
        browser.open_anew((pages / name).as_uri(), width=width)
        browser.run(OPEN_ALL)
        assert browser.run("return document.documentElement.scrollWidth") <= width, name


def test_on_a_phone_each_value_has_its_name_and_stays_a_cell(browser: Browser, pages: Path) -> None:
    browser.open_anew((pages / "fleet.html").as_uri(), width=360)
    label = browser.run(
        "return getComputedStyle(document.querySelector('td[data-column=gateways]'), '::before').content"
    )
    assert label == '"gateways"'
    roles = browser.run("return [...document.querySelectorAll('[role]')].map((e) => e.getAttribute('role'))")
    assert {"table", "row", "cell", "rowheader", "columnheader"} <= set(roles)
    assert header(browser, "drift").find_element(By.TAG_NAME, "button").is_displayed()


def test_text_of_a_cluster_is_text_and_nothing_leaves(browser: Browser, pages: Path) -> None:
    browser.asked(), browser.complaints()
    page = pages / "hostile.html"
    browser.open_anew(page.as_uri())
    browser.run(OPEN_ALL)
    assert browser.complaints() == []
    assert {url for url in browser.asked() if not url.startswith("data:")} == {page.as_uri()}
    parts = browser.run("return [document.images.length, document.scripts.length, document.styleSheets.length]")
    assert parts == [0, 1, 1]
    shown = browser.driver.find_element(By.CSS_SELECTOR, "td.problem .value").text
    assert any("<script>alert(2)</script>" in one.text for one in browser.driver.find_elements(By.TAG_NAME, "td")), (
        shown
    )
    assert browser.run("return document.querySelectorAll('td.problem').length") == 3


def test_the_policy_stops_what_a_page_must_not_do(browser: Browser, pages: Path) -> None:
    browser.open_anew((pages / "fleet.html").as_uri())
    browser.complaints()
    result = browser.run(
        """
        const image = new Image(); image.src = "https://127.0.0.1:9/leak.png"; document.body.append(image);
        const script = document.createElement("script"); script.textContent = "window.ran = 1";
        document.body.append(script);
        return window.ran ?? "stopped";
        """
    )
    assert result == "stopped"
    stopped = WebDriverWait(browser.driver, 30).until(lambda _: browser.complaints())
    assert "Content Security Policy" in " ".join(stopped)


def test_a_page_that_is_made_anew_keeps_its_order_and_what_was_opened(browser: Browser, pages: Path) -> None:
    browser.open_anew((pages / "watched.html").as_uri())
    assert browser.run("return document.querySelector('meta[http-equiv=refresh]').content") == "5"
    header(browser, "state").find_element(By.TAG_NAME, "button").click()
    browser.driver.find_element(By.CSS_SELECTOR, "tbody:last-child summary").click()
    browser.run("window.before = true")
    WebDriverWait(browser.driver, 60).until(lambda _: not browser.run("return window.before === true"))
    WebDriverWait(browser.driver, 60).until(lambda _: header(browser, "state").get_attribute("aria-sort"))
    assert names(browser)[-1] == "test"
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, "details[open]")) == 1


def test_it_says_all_without_a_script() -> None:
    page = fleet_page(Look(ROWS, NOW))
    assert '<html lang="en">' in page
    assert "<title>Istio environments: 7 environments: 2 in sync" in page
    assert "<button" not in page
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert "<caption>" in page
    assert "Looked at" in page
    assert "2026-11-27 03:26:40 UTC" in page
    assert "refresh" not in page.split("<style>")[0]


def test_nothing_outside_is_named() -> None:
    page = fleet_page(Look([row for row in ROWS if row.trouble == ""], NOW))
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", page) == ["data:,"]
    assert "url(" not in page
    assert "http:" not in page.replace("http-equiv", "")


def test_columns_of_standbys_only_where_there_is_one() -> None:
    assert "rehearsed" not in fleet_page(Look([fleet.in_sync("dev")], NOW)).split("<tbody")[0].split("<thead")[1]

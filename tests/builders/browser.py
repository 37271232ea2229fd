"""Debian's chromium, without a screen, driven by its own chromium-driver; what a page logs or asks for is kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CONTRASTS = """
const shade = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const found = shade(getComputedStyle(one).backgroundColor);
    if (found[3] === 1) return found;
  }
  return [255, 255, 255, 1];
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
  const [one, other] = [light(shade(getComputedStyle(element).color)), light(ground(element))];
  found.push([walker.currentNode.data.trim(), (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)]);
}
return found;
"""
"""Each text of the page with its contrast, as WCAG 2.2 defines it (relative luminance of sRGB)."""


class Browser:
    """A page in a browser."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str, *, width: int = 1280, dark: bool = False) -> None:
        """A page as somebody has it who prefers light or dark, in a window of this width."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
        self.driver.get(url)

    def open_anew(self, url: str, *, width: int = 1280, dark: bool = False) -> None:
        """The same as the first time in this window: nothing that a page kept is left."""
        self.open(url, width=width, dark=dark)
        self.run("sessionStorage.clear()")
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of JavaScript in the page."""
        return self.driver.execute_script(script, *arguments)

    def contrasts(self) -> dict[str, float]:
        """The worst contrast of each text."""
        worst: dict[str, float] = {}
        for text, ratio in self.run(CONTRASTS):
            worst[text] = min(ratio, worst.get(text, ratio))
        return worst

    def complaints(self) -> list[str]:
        """What the console has had since the last call: errors, and what the page's own policy stopped."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def asked(self) -> list[str]:
        """The addresses of all requests since the last call."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        sent = [item["params"] for item in messages if item["method"] == "Network.requestWillBeSent"]
        return [str(item["request"]["url"]) for item in sent]


def _installed(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"there is no {name}: make system-packages"
    return found


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """A browser for the block; its files are in the folder. Without the two programs the test fails, and says so."""
    program, driver = (_installed(name) for name in ("chromium", "chromedriver"))
    options = ChromeOptions()
    options.binary_location = program
    for flag in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = Chrome(options, Service(driver))
    try:
        running.set_page_load_timeout(60)
        yield Browser(running)
    finally:
        running.quit()

"""The console in one tab of a real browser, and what is measured in it."""

from __future__ import annotations

import shutil
from typing import Any

from tests.system.serving import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update")

# Texts whose contrast with what is behind them is less than AA asks (WCAG 2.1, 1.4.3): 4.5, or 3 for large ones.
TOO_FAINT = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const channel = (value) => ((value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const over = (top, below) => top.slice(0, 3).map((value, place) => value * (top[3] ?? 1) + below[place] * (1 - (top[3] ?? 1)));
  const behind = (node) => {
    if (!node) return [255, 255, 255];
    const own = numbers(getComputedStyle(node).backgroundColor);
    return (own[3] ?? 1) === 1 ? own.slice(0, 3) : over(own, behind(node.parentElement));
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const holder = text.parentElement;
    const hidden = !holder.checkVisibility({ visibilityProperty: true }) || holder.closest(".spoken, script, style, .skip");
    if (!text.data.trim() || hidden) continue;
    const style = getComputedStyle(holder);
    const ink = numbers(holder.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const ground = behind(holder.closest("svg")?.parentElement ?? holder);
    const [one, other] = [light(over(ink, ground)), light(ground)].sort((first, second) => second - first);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if ((one + 0.05) / (other + 0.05) < (large ? 3 : 4.5)) faint.push(text.data.trim().slice(0, 20));
  }
  return [...new Set(faint)];
}"""

# What a screen reader would stumble over.
UNSPOKEN = """() => {
  const wrong = [];
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  const name = (one) => one.getAttribute("aria-label") || one.labels?.[0]?.innerText.trim() || one.textContent.trim();
  const unnamed = shown("a[href], button, input, select, summary, [role=region], nav").filter((one) => !name(one));
  wrong.push(...unnamed.map((one) => one.outerHTML.slice(0, 80)));
  const drawn = (one) => one.getAttribute("role") === "img" && one.getAttribute("aria-label");
  for (const one of shown("table")) if (!one.caption?.textContent.trim()) wrong.push("a table without its caption");
  for (const one of shown("table th")) if (!one.scope) wrong.push(`a heading without its scope: ${one.textContent}`);
  for (const one of shown("svg")) if (!drawn(one)) wrong.push("a chart without words");
  for (const one of shown("td.yes, td.no, td.open, .chip")) if (!one.textContent.trim()) wrong.push("a colour without a sign");
  for (const one of shown("img")) if (!one.alt) wrong.push("a picture without words");
  const levels = shown("h1, h2, h3, h4").map((one) => Number(one.tagName[1]));
  levels.forEach((level, place) => place && level > levels[place - 1] + 1 && wrong.push(`h${level} after h${levels[place - 1]}`));
  if (levels.filter((level) => level === 1).length !== 1) wrong.push("not exactly one h1");
  if (document.documentElement.lang !== "zh-CN") wrong.push("no language");
  if (shown("main").length !== 1) wrong.push("not exactly one main");
  return [...new Set(wrong)];
}"""


class Page:
    """One tab; remembers every address asked for and every complaint of the browser."""

    def __init__(self, browser: Any, served: Served, username: str, *, width: int = 1280) -> None:
        self.tab = browser.new_page(viewport={"width": width, "height": 900})
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(f"{served.url}/console")
        self.tab.fill("#username", username)
        self.tab.fill("#password", "demo-Pass-2026")
        self.tab.keyboard.press("Enter")
        self.settled()

    def settled(self) -> None:
        """Until the view that was asked for is there."""
        self.tab.wait_for_selector("#view:not([aria-busy]) h2")

    def follow(self, link: str, heading: str) -> None:
        self.tab.click(f"nav a[href='{link}']")
        self.tab.wait_for_selector(f"#view:not([aria-busy]) h2:has-text('{heading}')")

    def enter(self, locator: Any) -> str:
        """Follows a link within the view; answers the heading of what it leads to."""
        before = self.tab.inner_text("#view h2")
        locator.click()
        self.tab.wait_for_function("before => document.querySelector('#view h2').innerText !== before", arg=before)
        self.settled()
        return str(self.tab.inner_text("#view h2"))

    def focused(self) -> str:
        """What has the focus, in a few words."""
        return str(
            self.tab.evaluate("(document.activeElement.innerText || document.activeElement.id || '').trim().split('\\n')[0]")
        )

    def tab_to(self, words: str, limit: int = 80) -> None:
        """Presses Tab until the focus stands on something that says so, and can be seen there."""
        for _ in range(limit):
            self.tab.keyboard.press("Tab")
            if words in self.focused():
                outline = self.tab.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
                assert outline >= 2, f"no visible focus on {words}"
                return
        raise AssertionError(f"{words} isn't reached by Tab")

"""The built-in page: offline, without markup made from data, and in a real browser (long)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.accounts import ACCOUNTS
from tests.system.serving import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update")
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
ASSETS = ("console.js", "console.css")


@pytest.mark.db
async def test_the_page_needs_no_other_host(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/console")
    assert page.headers["content-type"].startswith("text/html")
    for asset in ASSETS:
        assert f"/console/assets/{asset}" in page.text
        content = (await anonymous.get(f"/console/assets/{asset}")).text
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", content) == []  # the name of a format, not an address
    assert "://" not in page.text
    assert (await anonymous.get("/console/assets/..%2f..%2fsettings.py")).status_code == 404


@pytest.mark.db
async def test_data_never_becomes_markup(anonymous: httpx.AsyncClient) -> None:
    script = (await anonymous.get("/console/assets/console.js")).text
    for way_in in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage"):
        assert way_in not in script


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    service = Served(tmp_path_factory.mktemp("console"))
    service.wait_until_ready()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with driver.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


class Page:
    """The console in one tab; remembers every address asked for and every complaint of the browser."""

    def __init__(self, browser: Any, served: Served, username: str) -> None:
        self.tab = browser.new_page(viewport={"width": 1280, "height": 900})
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(f"{served.url}/console")
        self.tab.fill("#username", username)
        self.tab.fill("#password", "demo-Pass-2026")
        self.tab.keyboard.press("Enter")
        self.tab.wait_for_selector("#view h2")

    def follow(self, link: str, heading: str) -> None:
        self.tab.click(f"nav a[href='{link}']")
        self.tab.wait_for_selector(f"#view h2:has-text('{heading}')")


@pytest.mark.long
@pytest.mark.xdist_group("serve")
def test_from_the_district_to_the_evidence(browser: Any, served: Served) -> None:
    page = Page(browser, served, "district.inspector")
    page.follow("#/stations", "民政工作站")
    assert page.tab.locator("table.heat tbody tr").count() == 21
    PICTURES.mkdir(exist_ok=True)
    page.tab.screenshot(path=PICTURES / "console-stations.png")
    page.tab.locator("table.heat tbody tr:has(td.no) th a").first.click()
    page.tab.wait_for_selector("svg.radar")
    assert page.tab.locator("td.no").count() >= 1
    page.tab.screenshot(path=PICTURES / "console-station.png")
    with page.tab.context.expect_page() as opened:
        page.tab.locator("button:has-text('证据 1')").first.click()
    assert opened.value.url.startswith("blob:")
    page.follow("#/rectifications", "验收整改")
    page.follow("#/leads", "村（社区）线索")
    assert {address.split("/")[2] for address in page.asked if not address.startswith("blob:")} == {f"127.0.0.1:{served.port}"}
    assert page.complaints == []


@pytest.mark.long
@pytest.mark.xdist_group("serve")
@pytest.mark.parametrize("username", [account.username for account in ACCOUNTS])
def test_nobody_is_refused_by_looking(browser: Any, served: Served, username: str) -> None:
    """A refused question stands in the audit trail: the page asks only what the duty allows."""
    page = Page(browser, served, username)
    for link in page.tab.locator("nav a:visible").all():
        link.click()
        page.tab.wait_for_timeout(500)
    assert page.complaints == []
    assert page.tab.locator("#status.error").count() == 0


@pytest.mark.long
@pytest.mark.xdist_group("serve")
def test_by_keyboard_alone(browser: Any, served: Served) -> None:
    """Every control is reached with Tab, in order, and has a name."""
    page = Page(browser, served, "s001.clerk")
    page.tab.keyboard.press("Tab")
    seen = []
    for _ in range(12):
        page.tab.keyboard.press("Tab")
        focused = page.tab.locator(":focus")
        if focused.count():
            seen.append(focused.inner_text().strip() or focused.get_attribute("aria-label"))
    assert all(seen)
    page.tab.locator("#sign-out").focus()
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("#sign-in:visible")
    assert page.tab.locator("#username:focus").count() == 1

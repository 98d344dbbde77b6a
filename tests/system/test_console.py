"""The built-in page: offline, without markup made from data, and in a real browser (long)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.accounts import ACCOUNTS
from tests.system.console_page import CHROMIUM, QUIET, TOO_FAINT, UNSPOKEN, Page
from tests.system.serving import Served

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images"
ASSETS = sorted(path.name for path in (ROOT / "app" / "static" / "console").iterdir() if path.suffix in (".js", ".css"))
VIEWS = {
    "#/overview": "总览",
    "#/stations": "民政工作站",
    "#/campaigns": "检查验收",
    "#/rectifications": "验收整改",
    "#/leads": "村（社区）线索",
}
FIGURES = {
    "登记人口": "persons?",
    "登记家庭": "households?",
    "在保": "entitlements?state=active&",
    "民政工作站": "stations?",
    "未销号": "rectifications?open_only=true&",
}


@pytest.mark.db
async def test_the_page_needs_no_other_host(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/console")
    assert page.headers["content-type"].startswith("text/html")
    assert "://" not in page.text
    for asset in ASSETS:
        answer = await anonymous.get(f"/console/assets/{asset}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", answer.text) == []  # the name of a format, not an address
        assert set(re.findall(r'from "\./([\w.]+)"', answer.text)) <= set(ASSETS)
    for asset in ("console.js", "console.css"):
        assert f"/console/assets/{asset}" in page.text
    assert (await anonymous.get("/console/assets/..%2f..%2fsettings.py")).status_code == 404


@pytest.mark.db
@pytest.mark.parametrize("asset", [name for name in ASSETS if name.endswith(".js")])
async def test_data_never_becomes_markup(anonymous: httpx.AsyncClient, asset: str) -> None:
    script = (await anonymous.get(f"/console/assets/{asset}")).text
    for way_in in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage", "sessionStorage"):
        assert way_in not in script


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    service = Served(data=request.getfixturevalue("demo_data"))
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with driver.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


def picture(page: Page, name: str) -> None:
    """Into the docs."""
    PICTURES.mkdir(exist_ok=True)
    page.tab.screenshot(path=PICTURES / f"console-{name}.png")


def answer_of(served: Served, username: str, url: str) -> httpx.Response:
    """What the interface answers him without a browser."""
    form = {"grant_type": "password", "username": username, "password": "demo-Pass-2026"}
    token = httpx.post(f"{served.url}/api/v1/auth/token", data=form).json()["access_token"]
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"})


def count_of(served: Served, username: str, path: str) -> int | None:
    """How many the interface counts; None where the duty doesn't reach."""
    answer = answer_of(served, username, f"{served.url}/api/v1/{path}limit=1&count=true")
    return int(answer.json()["total"]) if answer.status_code == 200 else None


@pytest.mark.long
@pytest.mark.xdist_group("serve")
def test_from_the_district_to_the_evidence(browser: Any, served: Served) -> None:
    page = Page(browser, served, "district.inspector")
    page.follow("#/stations", "民政工作站")
    assert page.tab.locator("table.heat tbody tr").count() == 21
    assert page.tab.locator("svg.line").count() == 6
    assert "列出整改" in page.tab.locator("svg.funnel").get_attribute("aria-label")
    picture(page, "stations")
    failed = page.tab.locator("table.heat tbody tr:has(td.no)").first
    page.enter(failed.locator("th a"))
    assert page.tab.locator("svg.radar").count() == 1
    picture(page, "station")
    page.enter(page.tab.locator("table.criteria tr:has(.no) th a").first)
    assert page.tab.locator("table.sources tbody th").all_inner_texts()[:3] == ["系统数据（今日）", "本站自评", "检查组检查"]
    picture(page, "criterion")
    with page.tab.expect_response(re.compile("/evidence-files/")) as opened:
        page.tab.locator("button.evidence").first.click()
    page.tab.wait_for_selector("#viewer img")
    assert page.tab.evaluate("document.querySelector('#viewer img').naturalWidth") == 480
    content = answer_of(served, "district.inspector", opened.value.url).content
    assert hashlib.sha256(content).hexdigest() in page.tab.inner_text("#viewer")
    picture(page, "evidence")
    page.tab.keyboard.press("Escape")
    assert page.focused().startswith("证据")
    own = {address.split("/")[2] for address in page.asked if not address.startswith(("blob:", "data:"))}
    assert own == {f"127.0.0.1:{served.port}"}
    assert page.complaints == []


@pytest.mark.long
@pytest.mark.xdist_group("serve")
def test_the_campaigns_and_what_was_published(browser: Any, served: Served) -> None:
    page = Page(browser, served, "district.reviewer")
    page.follow("#/campaigns", "检查验收")
    page.enter(page.tab.locator("main tbody tr:has-text('已公布') a").first)
    assert page.tab.locator("main tbody tr").count() == 21
    assert page.tab.locator(".phases [aria-current=step]").inner_text().endswith("已公布")
    assert {"通报表扬", "通报批评"} <= set(page.tab.locator("main tbody td").all_inner_texts())
    picture(page, "campaign")
    page.follow("#/rectifications", "验收整改")
    assert page.tab.locator("main tbody .chip.no").first.inner_text().endswith("提请站长")
    assert page.complaints == []


@pytest.mark.long
@pytest.mark.xdist_group("serve")
@pytest.mark.parametrize("username", ["district.reviewer", "district.finance", "district.auditor"])
def test_the_figures_are_those_of_the_interface(browser: Any, served: Served, username: str) -> None:
    """Each list that the caller may ask has its figure, the others have none."""
    page = Page(browser, served, username)
    names, numbers = (page.tab.locator(f".figures {part}").all_inner_texts() for part in ("span", "strong"))
    counted = {name: held for name, path in FIGURES.items() if (held := count_of(served, username, path)) is not None}
    shown = {name: number for name, number in zip(names, numbers, strict=True) if name in FIGURES}
    assert shown == {name: f"{held:,}" for name, held in counted.items()}
    assert counted
    paid = page.tab.locator("svg.bars[aria-label^='已发放金额']").count()
    assert paid == (1 if username != "district.reviewer" else 0)
    if username == "district.auditor":
        picture(page, "overview")
    assert page.complaints == []


@pytest.mark.long
@pytest.mark.xdist_group("serve")
@pytest.mark.parametrize("username", [account.username for account in ACCOUNTS])
def test_nobody_is_refused_by_looking(browser: Any, served: Served, username: str) -> None:
    """A refused question stands in the audit trail: the page asks only what the duty allows."""
    page = Page(browser, served, username)
    for link in page.tab.locator("#nav a:visible").all():
        link.click()
        page.tab.wait_for_timeout(300)
        page.settled()
    assert page.complaints == []
    assert page.tab.inner_text("#alert") == ""


@pytest.mark.long
@pytest.mark.xdist_group("serve")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_and_everything_has_words(browser: Any, served: Served, scheme: str) -> None:
    """Contrast AA, names, captions, headings in order, no signal by colour alone; and nothing wider than a narrow window."""
    page = Page(browser, served, "district.inspector")
    page.tab.emulate_media(color_scheme=scheme)
    page.follow("#/stations", "民政工作站")
    station = page.tab.locator("table.heat tr:has(td.no) th a").first.get_attribute("href")
    failed = page.tab.locator("table.heat td.no a").first.get_attribute("href")
    for address in (*VIEWS, station, failed):
        page.tab.set_viewport_size({"width": 1280, "height": 900})
        page.tab.evaluate("address => { location.hash = address }", address)
        page.tab.wait_for_timeout(300)
        page.settled()
        assert page.tab.evaluate(TOO_FAINT) == [], address
        assert page.tab.evaluate(UNSPOKEN) == [], address
        page.tab.set_viewport_size({"width": 360, "height": 800})
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= 360, address
    assert page.complaints == []


@pytest.mark.long
@pytest.mark.xdist_group("serve")
def test_by_keyboard_alone(browser: Any, served: Served) -> None:
    """From the sign-in to a piece of evidence and out again; the focus can be seen and goes where the page goes."""
    page = Page(browser, served, "district.inspector")
    assert page.focused() == "延平区 总览"
    page.tab.locator(".skip").focus()
    page.tab_to("工作站")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("table.heat")
    assert page.focused() == "民政工作站"
    page.tab_to("✗")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("table.sources")
    page.settled()
    page.tab_to("证据 1")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("#viewer[open] img")
    page.tab_to("关闭", limit=5)
    page.tab.keyboard.press("Enter")
    assert page.tab.locator("#viewer[open]").count() == 0
    assert page.focused() == "证据 1"
    page.tab.locator("#sign-out").focus()
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("#sign-in:visible")
    assert page.focused() == "username"
    assert page.tab.locator("#view *").count() == 0


@pytest.mark.long
@pytest.mark.xdist_group("serve")
def test_a_wrong_password_is_said_and_nothing_is_shown(browser: Any, served: Served) -> None:
    tab = browser.new_page()
    tab.goto(f"{served.url}/console")
    tab.fill("#username", "district.inspector")
    tab.fill("#password", "wrong")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#alert:not(:empty)")
    assert tab.locator("#view").is_hidden()
    assert tab.input_value("#password") == ""

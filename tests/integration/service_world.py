"""Published item lists and requests for tests: lists from January 2026 on, requests under names of their own in March."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx

from tests.integration.registry_world import SignIn

LISTS = "/api/v1/service-item-lists"
REQUESTS = "/api/v1/service-requests"
RATES = "/api/v1/service-items/on-time-rates"
SINCE = "2026-01-05"
MONDAY = "2026-03-02"
LATER = "2026-09-01"  # a second version of the sub-districts' list begins
_numbers = count(1)

PAUSE = "行政许可法 第三十二条"
ID_CARD = {"code": "id_card", "name": "居民身份证", "waivers": ["data_sharing"]}
FORM = {"code": "form", "name": "申请表"}
PROOF = {"code": "proof", "name": "证明材料", "waivers": ["commitment"]}
EXTRA = {"code": "extra", "name": "补充说明", "required": False}


def item(code: str, **values: Any) -> dict[str, Any]:
    """An item with ten working days by law and five promised."""
    given = {
        "code": code,
        "name": f"示例事项 {code}",
        "basis": [{"document": "社会救助法", "article": "第六十二条"}],
        "procedure": [{"name": "受理", "by": "窗口"}, {"name": "办结", "by": "窗口"}],
        "result": "书面告知申请人",
        "rules": ["首问负责制"],
        "materials": [ID_CARD, FORM, PROOF, EXTRA],
        "limit": {
            "unit": "working_day",
            "promised_days": 5,
            "legal_days": 10,
            "legal_article": "民发〔2021〕43号 第二十三条",
            "pause_article": PAUSE,
        },
        "handled_by": "民政工作站",
    }
    return given | values


def limit(promised: int, legal: int | None = None, unit: str = "working_day", pause: str | None = PAUSE) -> dict[str, Any]:
    article = None if legal is None else "示例 第一条"
    values = {"promised_days": promised, "legal_days": legal, "legal_article": article, "pause_article": pause}
    return {"unit": unit, **values}


def document(level: str = "subdistrict", valid_from: str = SINCE, **values: Any) -> dict[str, Any]:
    """A list with an item of each kind; only that of the sub-districts has one by application."""
    items = [
        item("review"),
        item("advice", materials=[], limit=limit(0)),
        item("running_on", limit=limit(5, 10, pause=None)),
        item("by_calendar", limit=limit(10, 15, "calendar_day")),
    ]
    if level == "subdistrict":
        items.append(item("dibao", programme="dibao", materials=[], limit=limit(20, 30)))
    given = {"level": level, "title": "办理的民政事项清单", "source": "示例文件", "valid_from": valid_from, "items": items}
    return given | values


def at(day: str) -> dict[str, str]:
    return {"X-Demo-Date": day}


async def publish(client: httpx.AsyncClient, body: dict[str, Any], day: str = SINCE) -> httpx.Response:
    return await client.post(LISTS, json=body, headers=at(day))


async def published(sign_in: SignIn) -> None:
    """The lists of all levels, by whoever asks first; the second version for sub-districts has another ``review``."""
    officer = sign_in("district.policy")
    for level in ("subdistrict", "village", "community"):
        page = (await officer.get("/api/v1/service-items", params={"level": level, "on": MONDAY})).json()
        if not page["items"]:
            assert (await publish(officer, document(level))).status_code == 201
            if level == "subdistrict":
                second = document(valid_from=LATER, items=[item("review", limit=limit(3, 8))])
                assert (await publish(officer, second, "2026-08-20")).status_code == 201


async def taken(client: httpx.AsyncClient, item_code: str = "review", day: str = MONDAY, **values: Any) -> dict[str, Any]:
    """A request at the client's counter."""
    body = {"item_code": item_code, "applicant_name": f"示例甲{next(_numbers)}"} | values
    answer = await client.post(REQUESTS, json=body, headers=at(day))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def act(client: httpx.AsyncClient, request: dict[str, Any], name: str, day: str = MONDAY, **body: Any) -> httpx.Response:
    return await client.post(f"{REQUESTS}/{request['id']}/{name}", json=body or None, headers=at(day))


async def acted(client: httpx.AsyncClient, request: dict[str, Any], name: str, day: str = MONDAY, **body: Any) -> dict[str, Any]:
    answer = await act(client, request, name, day, **body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status, and the code of the refusal or of its first finding."""
    body = answer.json()
    return answer.status_code, body["errors"][0]["code"] if body.get("errors") else body["code"]


async def id_of(sign_in: SignIn, username: str) -> str:
    return str((await sign_in(username).get("/api/v1/me")).json()["id"])


ALL = {"id_card": "data_sharing", "form": "original", "proof": "commitment"}

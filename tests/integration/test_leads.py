"""Leads over HTTP: from the community to the station and back, sealed at rest, first taken first answered for."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.station_world import COMMUNITY, OTHER_COMMUNITY, SignIn, engaged, findings, station_of

pytestmark = pytest.mark.db

LEADS = "/api/v1/leads"


def entry(**values: Any) -> dict[str, Any]:
    given = {"area_code": COMMUNITY, "kind": "hardship", "about": "三组某户", "description": "屋顶漏雨，老人独居"}
    return {**given, **values}


async def reported(worker: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    answer = await worker.post(LEADS, json=entry(**values))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_from_the_community_to_the_station_and_back(sign_in: SignIn) -> None:
    worker, clerk = sign_in("c001001.worker"), sign_in("s001.clerk")
    before = await _waiting(clerk)
    lead = await reported(worker)
    assert (lead["state"], lead["handler"], lead["overdue"]) == ("reported", None, False)
    assert await _waiting(clerk) == before + 1
    url = f"{LEADS}/{lead['id']}"
    taken = await clerk.post(f"{url}/take")
    assert (taken.json()["state"], taken.json()["handler"]) == ("taken", "s001.clerk")
    settled = await clerk.post(f"{url}/settle", json={"outcome": "application", "note": "已协助提出低保申请"})
    assert settled.json()["settled_on"] is not None
    seen = (await worker.get(url)).json()
    assert (seen["state"], seen["outcome"], seen["note"]) == ("settled", "application", "已协助提出低保申请")
    assert await _waiting(clerk) == before


async def _waiting(clerk: httpx.AsyncClient) -> int:
    lists = (await clerk.get("/api/v1/tasks")).json()["work_lists"]
    return int(next(one["open"] for one in lists if one["kind"] == "lead"))


async def test_who_comes_second_is_told_who_has_it(sign_in: SignIn) -> None:
    lead = await reported(sign_in("c001001.worker"))
    clerk, head = sign_in("s001.clerk"), sign_in("s001.head")
    answers = await asyncio.gather(*(one.post(f"{LEADS}/{lead['id']}/take") for one in (clerk, head)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    loser = head if answers[0].status_code == 200 else clerk
    refused = await loser.post(f"{LEADS}/{lead['id']}/settle", json={"outcome": "visited", "note": "看过"})
    assert (refused.status_code, refused.json()["code"]) == (409, "lead_not_yours")
    assert "s001." in refused.json()["detail"]


async def test_handing_over_within_the_station(sign_in: SignIn) -> None:
    lead = await reported(sign_in("c001001.worker"))
    clerk, head = sign_in("s001.clerk"), sign_in("s001.head")
    await clerk.post(f"{LEADS}/{lead['id']}/take")
    me = {name: (await sign_in(name).get("/api/v1/me")).json()["id"] for name in ("s001.head", "s002.clerk")}
    outside = await clerk.post(f"{LEADS}/{lead['id']}/hand-over", json={"account_id": me["s002.clerk"]})
    assert (outside.status_code, outside.json()["code"]) == (409, "lead_handler_unknown")
    passed = await clerk.post(f"{LEADS}/{lead['id']}/hand-over", json={"account_id": me["s001.head"]})
    assert (passed.json()["handler"], passed.json()["due_on"]) == ("s001.head", lead["due_on"])
    assert (await head.post(f"{LEADS}/{lead['id']}/settle", json={"outcome": "visited", "note": "已看"})).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"area_code": OTHER_COMMUNITY}, 404, "area_not_found"),
        ({"area_code": "350702001"}, 422, "wrong_format"),
        ({"kind": "gossip"}, 422, "unknown_value"),
        ({"about": "电话 13800000000"}, 422, "number_in_text"),
        ({"description": "证号 350702199001011234"}, 422, "number_in_text"),
        ({"description": "电话 138 0013 8000"}, 422, "number_in_text"),
        ({"description": "座机 0599-882 2001"}, 422, "number_in_text"),
        ({"description": "１３８００１３８０００"}, 422, "number_in_text"),
        ({"informant_id": str(uuid4())}, 422, "informant_elsewhere"),
        ({"household_id": str(uuid4())}, 422, "household_elsewhere"),
    ],
)
async def test_a_lead_that_makes_no_sense(sign_in: SignIn, change: dict[str, Any], status: int, code: str) -> None:
    answer = await sign_in("c001001.worker").post(LEADS, json=entry(**change))
    assert answer.status_code == status, answer.text
    found = findings(answer)[0][1] if status == 422 else answer.json()["code"]
    assert found == code


async def test_an_informant_of_another_community_is_refused(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    own = await engaged(clerk, station)
    other = await engaged(clerk, station, area_code=OTHER_COMMUNITY)
    lead = await reported(sign_in("c001001.worker"), informant_id=own["id"])
    assert lead["informant_id"] == own["id"]
    answer = await sign_in("c001001.worker").post(LEADS, json=entry(informant_id=other["id"]))
    assert findings(answer) == [("/informant_id", "informant_elsewhere")]


async def test_outside_it_is_not_there(sign_in: SignIn) -> None:
    lead = await reported(sign_in("c001001.worker"))
    for name in ("s002.clerk", "c002001.worker"):
        answer = await sign_in(name).get(f"{LEADS}/{lead['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "lead_not_found")
    assert (await sign_in("district.finance").get(LEADS)).status_code == 403


async def test_the_list_begins_with_what_is_due_first(sign_in: SignIn) -> None:
    worker = sign_in("c001001.worker")
    for kind in ("move", "emergency", "hardship"):
        await reported(worker, kind=kind)
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2, "open_only": True} | ({"cursor": cursor} if cursor else {})
        page = (await worker.get(LEADS, params=params)).json()
        seen += [one["due_on"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) >= 3
    assert (await worker.get(LEADS, params={"cursor": "bm9wZQ"})).status_code == 422


async def test_what_was_written_lies_sealed(sign_in: SignIn, runtime: Runtime) -> None:
    await reported(sign_in("c001001.worker"), about="示例之家", description="只此一见的情形")
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        rows = (await session.execute(text("SELECT lead::text FROM lead"))).scalars().all()
    plain = ("示例之家", "只此一见的情形")
    assert rows
    assert not any(word in row or word.encode().hex() in row for word in plain for row in rows)


@pytest.mark.parametrize(
    "seen", ["2026-11-20 去世，家属未申报", "全年收入 12000 元，欠债 150000 元", "2026年11月2日失火，烧毁120平方米", "住 3 组"]
)
async def test_days_and_amounts_may_be_written_down(sign_in: SignIn, seen: str) -> None:
    assert (await reported(sign_in("c001001.worker"), description=seen))["description"] == seen


async def test_the_informant_is_told_what_became_of_it(sign_in: SignIn) -> None:
    worker, clerk = sign_in("c001001.worker"), sign_in("s001.clerk")
    person = await engaged(clerk, await station_of(clerk))
    lead = await reported(worker, informant_id=person["id"])
    url = f"{LEADS}/{lead['id']}"
    early = await worker.post(f"{url}/feed-back")
    assert (early.status_code, early.json()["code"]) == (409, "lead_state")
    before = await _untold(worker)
    await clerk.post(f"{url}/take")
    await clerk.post(f"{url}/settle", json={"outcome": "application", "note": "已受理申请"})
    assert await _untold(worker) == before + 1
    waiting = (await worker.get(LEADS, params={"to_feed_back": True, "informant_id": person["id"]})).json()["items"]
    assert [one["id"] for one in waiting] == [lead["id"]]
    told = await worker.post(f"{url}/feed-back")
    assert told.json()["fed_back_on"] == told.json()["settled_on"]
    assert await _untold(worker) == before
    again = await worker.post(f"{url}/feed-back")
    assert (again.status_code, again.json()["code"]) == (409, "lead_fed_back")


async def _untold(worker: httpx.AsyncClient) -> int:
    lists = (await worker.get("/api/v1/tasks")).json()["work_lists"]
    return int(next(one["open"] for one in lists if one["kind"] == "lead_feedback"))


async def test_nobody_waits_for_word_of_the_community_itself(sign_in: SignIn) -> None:
    worker, clerk = sign_in("c001001.worker"), sign_in("s001.clerk")
    lead = await reported(worker)
    await clerk.post(f"{LEADS}/{lead['id']}/take")
    await clerk.post(f"{LEADS}/{lead['id']}/settle", json={"outcome": "visited", "note": "已看"})
    answer = await worker.post(f"{LEADS}/{lead['id']}/feed-back")
    assert (answer.status_code, answer.json()["code"]) == (409, "lead_without_informant")


async def test_the_head_passes_on_what_a_clerk_left_behind(sign_in: SignIn) -> None:
    """首问负责 must not leave a family waiting because somebody is ill."""
    clerk, head = sign_in("s001.clerk"), sign_in("s001.head")
    lead = await reported(sign_in("c001001.worker"))
    await clerk.post(f"{LEADS}/{lead['id']}/take")
    myself = (await head.get("/api/v1/me")).json()["id"]
    taken_over = await head.post(f"{LEADS}/{lead['id']}/hand-over", json={"account_id": myself})
    assert (taken_over.status_code, taken_over.json()["handler"]) == (200, "s001.head")
    back = await clerk.post(f"{LEADS}/{lead['id']}/hand-over", json={"account_id": myself})
    assert (back.status_code, back.json()["code"]) == (409, "lead_not_yours")


async def test_the_clock_of_the_work_list(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    await reported(sign_in("c001001.worker"), kind="emergency")
    later = (await clerk.get("/api/v1/tasks", headers={"X-Demo-Date": "2027-03-01"})).json()["work_lists"]
    leads = next(one for one in later if one["kind"] == "lead")
    assert leads["overdue"] >= 1

"""Sheets, trainings and meetings: in force until the next one, corrected on the same day, contradictions refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.calendar import business_date
from app.runtime import Runtime
from tests.integration.station_world import COMMUNITY, OTHER_COMMUNITY, SignIn, findings, fresh_name, station_of

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")
TODAY = business_date(datetime.now(UTC))
TOMORROW = (TODAY + timedelta(days=1)).isoformat()
_years = count(2001)

PREMISES: dict[str, Any] = {
    "area_m2": 60.5,
    "independent": True,
    "accessible": True,
    "service_window": True,
    "archive_room": False,
}
EQUIPMENT = {"computer": 3, "telephone": 1, "fax": 1, "printer": 1, "camera": 0, "vehicle": 1}
ARCHIVES = {"total": 200, "bound": 150, "digitised": 200, "confidential": True}
VOLUNTEERS = {"volunteers": 12, "emergency_plan": True, "emergency_plan_on": "2024-01-05"}
RULES: dict[str, Any] = {
    "rules": ["station_head_duties", "finance"],
    "signage": [
        {"code": "station_plate", "provided_by": "bureau"},
        {"code": "rules_board", "provided_by": "street"},
    ],
}
BUDGET: dict[str, Any] = {"year": 2023, "in_fiscal_budget": True, "amount_fen": 1200, "disbursements": []}
SHEETS: dict[str, dict[str, Any]] = {
    "premises": PREMISES,
    "equipment": EQUIPMENT,
    "archives": ARCHIVES,
    "volunteers": VOLUNTEERS,
    "rules": RULES,
}


async def put(client: httpx.AsyncClient, kind: str, body: dict[str, Any], station_id: str | None = None) -> httpx.Response:
    return await client.post(f"/api/v1/stations/{station_id or await station_of(client)}/{kind}", json=body)


async def in_force(client: httpx.AsyncClient, kind: str, on: str) -> list[dict[str, Any]]:
    page = await client.get(f"/api/v1/stations/{await station_of(client)}/{kind}", params={"as_of": on})
    assert page.status_code == 200, page.text
    items: list[dict[str, Any]] = page.json()["items"]
    return items


@pytest.mark.parametrize("kind", SHEETS)
async def test_a_sheet_is_in_force_until_the_next_one(sign_in: SignIn, kind: str) -> None:
    clerk, body = sign_in("s001.clerk"), SHEETS[kind]
    for day in ("2022-01-01", "2023-01-01"):
        answer = await put(clerk, kind, {**body, "valid_from": day})
        assert answer.status_code == 201, answer.text
    first = await in_force(clerk, kind, "2022-12-31")
    second = await in_force(clerk, kind, "2023-01-01")
    assert [(sheet["valid_from"], sheet["valid_until"]) for sheet in first] == [("2022-01-01", "2023-01-01")]
    assert [sheet["valid_from"] for sheet in second] == ["2023-01-01"]
    assert await in_force(clerk, kind, "2021-12-31") == []
    shown = {name: second[0][name] for name in body}
    assert shown == body


@pytest.mark.parametrize("kind", SHEETS)
async def test_a_second_sheet_of_the_day_corrects_the_first_and_both_are_kept(
    sign_in: SignIn, runtime: Runtime, kind: str
) -> None:
    clerk, day = sign_in("s001.clerk"), f"{next(_years)}-07-01"
    first = (await put(clerk, kind, {**SHEETS[kind], "valid_from": day})).json()
    second = (await put(clerk, kind, {**SHEETS[kind], "valid_from": day})).json()
    assert [sheet["id"] for sheet in await in_force(clerk, kind, day)] == [second["id"]]
    table = {"archives": "station_archive", "rules": "station_rule"}.get(kind, f"station_{kind}")
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text(f"SELECT superseded_at IS NULL FROM {table} WHERE id = :id")
        holds = [(await session.execute(statement, {"id": sheet["id"]})).scalar_one() for sheet in (first, second)]
    assert holds == [False, True]


async def test_corrections_at_once_leave_one_sheet(sign_in: SignIn) -> None:
    clerk, day = sign_in("s001.clerk"), f"{next(_years)}-03-01"
    answers = await asyncio.gather(*(put(clerk, "premises", {**PREMISES, "valid_from": day}) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(await in_force(clerk, "premises", day)) == 1


async def test_the_history_comes_in_pages_the_latest_first(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    for year in (2017, 2018, 2019):
        await put(clerk, "equipment", {**EQUIPMENT, "valid_from": f"{year}-05-01"})
    path = f"/api/v1/stations/{await station_of(clerk)}/equipment"
    whole = (await clerk.get(path, params={"limit": 200, "count": "true"})).json()
    days = [sheet["valid_from"] for sheet in whole["items"]]
    assert days == sorted(days, reverse=True)
    assert whole["total"] == len(days) == len(set(days))
    seen, cursor = [], None
    while True:
        page = (await clerk.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [sheet["valid_from"] for sheet in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == days
    assert (await clerk.get(path, params={"cursor": "WyJ4Il0"})).status_code == 422


async def test_a_budget_holds_for_its_year_and_is_paid_out_by_month(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    paid = [{"month": "2023-01", "amount_fen": 700}, {"month": "2023-03", "amount_fen": 500}]
    answer = await put(clerk, "budget", {**BUDGET, "disbursements": paid})
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["year"], shown["valid_from"], shown["disbursed_fen"], shown["disbursements"]) == (
        2023,
        "2023-01-01",
        1200,
        paid,
    )
    more = await put(clerk, "budget", {**BUDGET, "amount_fen": 1300, "disbursements": paid})
    assert (await in_force(clerk, "budget", "2023-12-31"))[0]["id"] == more.json()["id"]
    assert await in_force(clerk, "budget", "2024-01-01") == []  # it ends with its year, whether or not another follows


WRONG_SHEETS: dict[str, tuple[str, dict[str, Any], str, str, str]] = {
    "more bound than there are": (
        "archives",
        {"bound": 201},
        "contradictory_facts",
        "/bound",
        "已装订 201 份，多于档案总数 200 份",
    ),
    "more digitised than there are": ("archives", {"digitised": 659}, "contradictory_facts", "/digitised", "659"),
    "paid out more than budgeted": (
        "budget",
        {"disbursements": [{"month": "2023-01", "amount_fen": 700}, {"month": "2023-02", "amount_fen": 501}]},
        "contradictory_facts",
        "/disbursements",
        "12.01 元，多于全年预算 12.00 元",
    ),
    "a plan's day without a plan": (
        "volunteers",
        {"emergency_plan": False},
        "contradictory_facts",
        "/emergency_plan_on",
        "2024-01-05",
    ),
    "a month of another year": (
        "budget",
        {"disbursements": [{"month": "2022-12", "amount_fen": 1}]},
        "month_outside_year",
        "/disbursements/0/month",
        "2022-12",
    ),
    "a month twice": (
        "budget",
        {"disbursements": [{"month": "2023-01", "amount_fen": 1}, {"month": "2023-01", "amount_fen": 1}]},
        "repeated",
        "/disbursements/1/month",
        "2023-01",
    ),
    "a month to come": (
        "budget",
        {"year": TODAY.year + 1, "disbursements": [{"month": f"{TODAY.year + 1}-01", "amount_fen": 1}]},
        "date_in_future",
        "/disbursements",
        "还未开始",
    ),
    "a year too far": ("budget", {"year": TODAY.year + 2}, "date_in_future", "/year", str(TODAY.year + 1)),
    "a budget that is no money": ("budget", {"amount_fen": 12.5}, "not_an_integer", "/amount_fen", "整数"),
    "a negative area": ("premises", {"area_m2": -1}, "too_small", "/area_m2", "0"),
    "no area": ("premises", {"area_m2": None}, "not_a_number", "/area_m2", ""),
    "three decimals": ("premises", {"area_m2": "1.234"}, "too_precise", "/area_m2", "2 位小数"),
    "a day to come": ("premises", {"valid_from": TOMORROW}, "date_in_future", "/valid_from", "今天"),
    "a count in words": ("equipment", {"computer": "三台"}, "not_an_integer", "/computer", ""),
    "less than none": ("equipment", {"fax": -1}, "too_small", "/fax", ""),
    "a rule of no kind": ("rules", {"rules": ["coffee"]}, "unknown_value", "/rules/0", "station_head_duties"),
    "a rule twice": ("rules", {"rules": ["finance", "finance"]}, "repeated", "/rules/1", ""),
    "a sign of no kind": (
        "rules",
        {"signage": [{"code": "neon", "provided_by": "street"}]},
        "unknown_value",
        "/signage/0/code",
        "",
    ),
    "a sign by nobody": (
        "rules",
        {"signage": [{"code": "rules_board", "provided_by": "nobody"}]},
        "unknown_value",
        "/signage/0/provided_by",
        "bureau",
    ),
    "an unknown field": ("premises", {"garden": True}, "unknown_field", "/garden", ""),
}


@pytest.mark.parametrize("wrong", WRONG_SHEETS)
async def test_a_wrong_sheet_is_refused_by_cause(sign_in: SignIn, wrong: str) -> None:
    kind, values, code, pointer, told = WRONG_SHEETS[wrong]
    whole = {**SHEETS, "budget": BUDGET}[kind]
    answer = await put(sign_in("s001.clerk"), kind, {**whole, **values})
    assert answer.status_code == 422, answer.text
    error = answer.json()["errors"][0]
    assert error["pointer"] == pointer, answer.text
    assert code in (error["code"], answer.json()["code"]), answer.text
    assert told in error["message"]


# --- community offices ---------------------------------------------------------------------------------------------------


async def test_a_communitys_office(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    body = {"area_code": COMMUNITY, "kind": "urban", "area_m2": 520, "rooms": ["reading_room"], "valid_from": "2023-01-01"}
    made = await put(clerk, "community-offices", body)
    assert made.status_code == 201, made.text
    await put(clerk, "community-offices", {**body, "area_code": OTHER_COMMUNITY})
    path = f"/api/v1/stations/{await station_of(clerk)}/community-offices"
    both = (await clerk.get(path, params={"as_of": "2023-06-01"})).json()["items"]
    assert {office["area_code"] for office in both} == {COMMUNITY, OTHER_COMMUNITY}
    one = (await clerk.get(path, params={"as_of": "2023-06-01", "area_code": COMMUNITY})).json()["items"]
    assert [office["id"] for office in one] == [made.json()["id"]]
    for code in ("350702002001", "350702001999"):
        refused = await put(clerk, "community-offices", {**body, "area_code": code})
        assert (refused.status_code, refused.json()["code"]) == (404, "area_not_found")
    assert (await clerk.get(path, params={"area_code": "350702002001"})).status_code == 404


# --- trainings and meetings ----------------------------------------------------------------------------------------------


async def test_a_training_is_on_file_once_and_may_be_corrected(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    body = {"audience": "assistants", "held_on": "2024-05-06", "topic": fresh_name(), "attended": 4}
    made = await put(clerk, "trainings", body)
    assert made.status_code == 201, made.text
    again = await put(clerk, "trainings", body)
    assert (again.status_code, again.json()["code"]) == (409, "station_event_repeated")
    path = made.headers["location"]
    corrected = await clerk.put(path, json={**body, "attended": 5}, headers={"If-Match": made.headers["etag"]})
    assert (corrected.json()["attended"], corrected.json()["version"]) == (5, 2)
    assert (await clerk.put(path, json=body, headers={"If-Match": made.headers["etag"]})).status_code == 412
    assert (await clerk.get(path)).json() == corrected.json()
    other = await put(clerk, "trainings", {**body, "topic": fresh_name()})
    clash = await clerk.put(other.headers["location"], json=body, headers={"If-Match": "*"})
    assert (clash.status_code, clash.json()["code"]) == (409, "station_event_repeated")


async def test_more_came_than_were_invited(sign_in: SignIn) -> None:
    body = {"kind": "monthly_meeting", "held_on": "2024-05-07", "invited": 12, "attended": 13}
    answer = await put(sign_in("s001.clerk"), "meetings", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "contradictory_facts")
    assert findings(answer) == [("/attended", "more_than_invited")]
    assert "13" in answer.json()["detail"]
    assert "12" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("meetings", {"held_on": TOMORROW}, "date_in_future"),
        ("meetings", {"kind": "tea"}, "unknown_value"),
        ("meetings", {"invited": -1}, "too_small"),
        ("trainings", {"held_on": TOMORROW}, "date_in_future"),
        ("trainings", {"audience": "everybody"}, "unknown_value"),
        ("trainings", {"topic": " "}, "too_short"),
    ],
)
async def test_a_wrong_event_is_refused_by_cause(sign_in: SignIn, kind: str, values: dict[str, Any], code: str) -> None:
    meeting: dict[str, Any] = {"kind": "quarterly_check", "held_on": "2024-05-08", "invited": 3, "attended": 3}
    training: dict[str, Any] = {"audience": "coordinators", "held_on": "2024-05-08", "topic": "业务", "attended": 3}
    answer = await put(sign_in("s001.clerk"), kind, {**(meeting if kind == "meetings" else training), **values})
    assert answer.status_code == 422, answer.text
    assert [error for _, error in findings(answer)] == [code]


async def test_an_event_of_another_station_is_not_there(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    body = {"kind": "monthly_meeting", "held_on": "2020-05-09", "invited": 3, "attended": 3, "note": fresh_name()}
    made = await put(clerk, "meetings", body)
    path = made.headers["location"]
    assert (await sign_in("district.inspector").get(path)).json() == made.json()
    for name in ("s002.clerk", "qs.district.reviewer"):
        assert (await sign_in(name).get(path)).status_code == 404
    missing = await clerk.get(f"/api/v1/stations/{await station_of(clerk)}/meetings/{uuid4()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "station_event_not_found")
    assert (await sign_in("district.inspector").put(path, json=body, headers={"If-Match": "*"})).status_code == 403

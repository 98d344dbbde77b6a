"""Registering people: causes of refusal, masking, duplicates, walls, facts over time, revealing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.registry_world import HUANGDUN, MEISHAN, MEISHAN_OTHER, SignIn, entry, fresh_number, registered
from tests.world import World

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")


@pytest_asyncio.fixture(loop_scope="session")
async def unthrottled(runtime: Runtime) -> AsyncIterator[None]:
    """Attempts of other tests don't count here, nor these there."""
    for _ in range(2):
        async with transaction(runtime.engine) as session:
            await session.execute(text("DELETE FROM elsewhere_attempt"))
        if _ == 0:
            yield


async def test_a_registered_person_is_masked_and_has_birth_date_and_gender_of_the_number(sign_in: SignIn) -> None:
    number = fresh_number(date(1972, 3, 1))
    body = entry(id_number=number, phone="138 0013 8000", address="南平市延平区梅山街道示例路 8 号 301 室", ethnicity="汉族")
    answer = await sign_in("c001001.worker").post("/api/v1/persons", json=body)
    assert answer.status_code == 201
    person = answer.json()
    assert person["birth_date"] == "1972-03-01"
    assert person["gender"] == ("male" if int(number[16]) % 2 else "female")
    assert person["id_number"] == number[:4] + "*" * 10 + number[14:]
    assert person["phone"] == "138****8000"
    assert person["address"] == "南平市延平区梅山街道****"
    assert number not in answer.text
    assert answer.headers["location"] == f"/api/v1/persons/{person['id']}"
    assert answer.headers["etag"] == '"1.m"'
    again = await sign_in("s001.clerk").get(answer.headers["location"])
    assert again.json() == person


NUMBER = fresh_number(date(1980, 5, 6))
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "length": ({"id_number": NUMBER[:-1]}, "/id_number", "id_number_length"),
    "old": ({"id_number": "350702800506123"}, "/id_number", "id_number_old"),
    "characters": ({"id_number": "A" + NUMBER[1:]}, "/id_number", "id_number_characters"),
    "masked": ({"id_number": NUMBER[:4] + "*" * 10 + NUMBER[14:]}, "/id_number", "id_number_characters"),
    "date": ({"id_number": NUMBER[:6] + "19800230" + NUMBER[14:]}, "/id_number", "id_number_date"),
    "checksum": ({"id_number": NUMBER[:17] + ("1" if NUMBER[17] != "1" else "2")}, "/id_number", "id_number_checksum"),
    "phone": ({"phone": "12345"}, "/phone", "phone_format"),
    "name": ({"name": "陈*"}, "/name", "name_wrong"),
    "address": ({"address": "梅山街道****"}, "/address", "address_masked"),
    "hukou": ({"hukou_area_code": "000000"}, "/hukou_area_code", "area_code_malformed"),
    "valid_from": ({"valid_from": "2090-01-01"}, "/valid_from", "date_in_future"),
    "survival": ({"survival_confirmed_on": "2090-01-01"}, "/survival_confirmed_on", "date_in_future"),
    "before_birth": ({"valid_from": "1900-01-01"}, "/valid_from", "before_birth"),
    "certificate": (
        {"disability": {"category": "vision", "grade": 1, "certificate_no": NUMBER + "42"}},
        "/disability/certificate_no",
        "disability_certificate_category",
    ),
    "grade": ({"disability": {"category": "vision", "grade": 5}}, "/disability/grade", "too_large"),
    "community": ({"area_code": "350702001"}, "/area_code", "wrong_format"),
    "employment": ({"employment": "busy"}, "/employment", "unknown_value"),
    "unknown": ({"nickname": "阿陈"}, "/nickname", "unknown_field"),
}


@pytest.mark.parametrize("case", BAD)
async def test_each_cause_has_its_own_error(sign_in: SignIn, case: str) -> None:
    values, pointer, code = BAD[case]
    answer = await sign_in("s001.clerk").post("/api/v1/persons", json=entry() | {"id_number": NUMBER} | values)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert NUMBER not in answer.text


async def test_all_findings_come_at_once(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").post("/api/v1/persons", json=entry(id_number="123", phone="1", name="*"))
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/id_number", "/phone", "/name"}


@pytest.mark.parametrize(
    ("account", "area_code"),
    [
        ("c001001.worker", MEISHAN_OTHER),
        ("s001.clerk", HUANGDUN),
        ("s001.clerk", "340882100002"),
        ("s001.clerk", "350702001999"),
    ],
)
async def test_registering_outside_the_area_is_not_found(sign_in: SignIn, account: str, area_code: str) -> None:
    answer = await sign_in(account).post("/api/v1/persons", json=entry(area_code))
    assert (answer.status_code, answer.json()["code"]) == (404, "area_not_found")


async def test_only_registrars_register(sign_in: SignIn) -> None:
    for account in ("s001.head", "district.reviewer", "district.admin", "district.auditor"):
        answer = await sign_in(account).post("/api/v1/persons", json=entry())
        assert (answer.status_code, answer.json()["code"]) == (403, "duty_required")


async def test_walls_between_neighbours(sign_in: SignIn) -> None:
    person = await registered(sign_in("s001.clerk"), MEISHAN_OTHER, name="吴隔壁")
    path = f"/api/v1/persons/{person['id']}"
    seen = {account: (await sign_in(account).get(path)).status_code for account in WATCHERS}
    assert seen == WATCHERS
    absent = await sign_in("c001001.worker").get("/api/v1/persons/01900000-0000-7000-8000-000000000000")
    outside = await sign_in("c001001.worker").get(path)
    assert _shape(absent) == _shape(outside)
    for account, status in WATCHERS.items():
        if status == 403:
            continue
        listed = await sign_in(account).get("/api/v1/persons", params={"name": "吴隔壁", "count": "true"})
        assert (listed.json()["total"] > 0) == (status == 200)
        found = await sign_in(account).post("/api/v1/persons/search", json={"name": "吴隔壁"})
        assert (found.json()["total"] > 0) == (status == 200)


WATCHERS = {
    "s001.clerk": 200,
    "s001.head": 200,
    "district.reviewer": 200,
    "district.auditor": 200,
    "c001001.worker": 404,
    "s002.clerk": 404,
    "qs.district.reviewer": 404,
    "district.admin": 403,
    "district.treasury": 403,
    "district.policy": 403,
}


def _shape(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "trace_id"}


async def test_a_duplicate_in_the_own_area_names_the_community(sign_in: SignIn, runtime: Runtime) -> None:
    number = fresh_number()
    person = await registered(sign_in("s001.clerk"), MEISHAN_OTHER, id_number=number)
    answer = await sign_in("s001.clerk").post("/api/v1/persons", json=entry(MEISHAN, id_number=number.lower()))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "person_already_registered")
    assert problem["person_id"] == person["id"]
    assert problem["area_code"] == MEISHAN_OTHER
    assert problem["area_name"] in problem["detail"]
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT outcome FROM audit_record WHERE trace_id = :t AND reason = 'person_already_registered'")
        assert (await session.execute(statement, {"t": problem["trace_id"]})).scalars().all() == ["refused"]


@pytest.mark.parametrize("account", ["c001001.worker", "s002.clerk", "qs.s100.clerk"])
async def test_a_duplicate_elsewhere_never_says_where(sign_in: SignIn, unthrottled: None, account: str) -> None:
    number = fresh_number()
    own = {"c001001.worker": MEISHAN, "s002.clerk": HUANGDUN, "qs.s100.clerk": "340882100002"}[account]
    person = await registered(sign_in("s001.clerk"), MEISHAN_OTHER, id_number=number)
    answer = await sign_in(account).post("/api/v1/persons", json=entry(own, id_number=number))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "person_already_registered")
    assert "辖区以外" in problem["detail"]
    assert set(problem) == {"type", "title", "status", "detail", "code", "trace_id"}
    assert person["id"] not in answer.text
    assert MEISHAN_OTHER[:9] not in answer.text


async def test_asking_who_stands_elsewhere_ends_after_ten(sign_in: SignIn, unthrottled: None) -> None:
    numbers = [fresh_number() for _ in range(12)]
    for number in numbers:
        await registered(sign_in("s001.clerk"), id_number=number)
    asker = sign_in("s002.clerk")
    answers = [await asker.post("/api/v1/persons", json=entry(HUANGDUN, id_number=number)) for number in numbers]
    assert [answer.status_code for answer in answers] == [409] * 10 + [429] * 2
    assert 3500 <= int(answers[-1].headers["retry-after"]) <= 3601
    unknown = await asker.post("/api/v1/persons", json=entry(HUANGDUN))
    assert (unknown.status_code, unknown.json()["code"]) == (429, "too_many_duplicates")
    other = await sign_in("c002001.worker").post("/api/v1/persons", json=entry(HUANGDUN))
    assert other.status_code == 201


async def test_asking_many_at_once_learns_no_more(sign_in: SignIn, unthrottled: None) -> None:
    numbers = [fresh_number() for _ in range(25)]
    for number in numbers:
        await registered(sign_in("s001.clerk"), id_number=number)
    asker = sign_in("s002.clerk")
    answers = await asyncio.gather(*(asker.post("/api/v1/persons", json=entry(HUANGDUN, id_number=number)) for number in numbers))
    assert sum(answer.status_code == 409 for answer in answers) == 10
    assert {answer.status_code for answer in answers} == {409, 429}


async def test_the_throttle_opens_again_after_an_hour(sign_in: SignIn, runtime: Runtime, unthrottled: None) -> None:
    asker = sign_in("s002.clerk")
    for _ in range(10):
        number = fresh_number()
        await registered(sign_in("s001.clerk"), id_number=number)
        await asker.post("/api/v1/persons", json=entry(HUANGDUN, id_number=number))
    assert (await asker.post("/api/v1/persons", json=entry(HUANGDUN))).status_code == 429
    async with transaction(runtime.engine, DISTRICT) as session:
        earlier = datetime.now(UTC) - timedelta(minutes=61)
        await session.execute(text("CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM elsewhere_attempt"))
        await session.execute(text("DELETE FROM elsewhere_attempt"))
        await session.execute(text("INSERT INTO elsewhere_attempt SELECT id, caller, :at FROM kept"), {"at": earlier})
    assert (await asker.post("/api/v1/persons", json=entry(HUANGDUN))).status_code == 201


async def test_of_many_registrations_at_once_one_wins(sign_in: SignIn, unthrottled: None) -> None:
    body = entry()
    answers = await asyncio.gather(
        *(sign_in(account).post("/api/v1/persons", json=body) for account in ["s001.clerk", "c001001.worker"] * 4)
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    winner = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    assert {problem["person_id"] for problem in refused} == {winner}


async def test_of_registrations_in_two_districts_at_once_one_wins(sign_in: SignIn, unthrottled: None) -> None:
    body = entry()
    there = body | {"area_code": "340882100002"}
    answers = await asyncio.gather(
        sign_in("s001.clerk").post("/api/v1/persons", json=body),
        sign_in("qs.s100.clerk").post("/api/v1/persons", json=there),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_repeated_request_registers_once(sign_in: SignIn) -> None:
    body, headers = entry(), {"Idempotency-Key": fresh_number()}
    first = await sign_in("s001.clerk").post("/api/v1/persons", json=body, headers=headers)
    second = await sign_in("s001.clerk").post("/api/v1/persons", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json() == first.json()


async def test_search_by_number_finds_within_the_area_only(sign_in: SignIn) -> None:
    number = fresh_number()
    person = await registered(sign_in("s001.clerk"), MEISHAN, id_number=number, name="阿卜杜拉·买买提")
    found = await sign_in("c001001.worker").post("/api/v1/persons/search", json={"id_number": number})
    assert [item["id"] for item in found.json()["items"]] == [person["id"]]
    named = await sign_in("c001001.worker").post("/api/v1/persons/search", json={"id_number": number, "name": "阿卜杜拉•买买提"})
    assert named.json()["total"] == 1
    wrong = await sign_in("c001001.worker").post("/api/v1/persons/search", json={"id_number": number, "name": "别人"})
    assert wrong.json() == {"items": [], "next_cursor": None, "total": 0}
    elsewhere = await sign_in("s002.clerk").post("/api/v1/persons/search", json={"id_number": number})
    nobody = await sign_in("s002.clerk").post("/api/v1/persons/search", json={"id_number": fresh_number()})
    assert elsewhere.json() == nobody.json() == {"items": [], "next_cursor": None, "total": 0}


async def test_search_needs_something_to_search_for(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").post("/api/v1/persons/search", json={})
    assert answer.json()["errors"][0]["code"] == "search_needs_condition"
    answer = await sign_in("s001.clerk").post("/api/v1/persons/search", json={"id_number": NUMBER[:-1]})
    assert answer.json()["errors"][0]["code"] == "id_number_length"


async def test_the_list_pages_in_the_order_asked_for(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    made = [(await registered(clerk, name="郑分页"))["id"] for _ in range(5)]
    for sort in ("id", "birth_date"):
        seen: list[dict[str, Any]] = []
        query: dict[str, str] = {"name": "郑分", "sort": sort, "limit": "2"}
        while True:
            page = (await clerk.get("/api/v1/persons", params=query)).json()
            seen += page["items"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert sorted(item["id"] for item in seen) == made
        keys = [item["id"] if sort == "id" else item["birth_date"] for item in seen]
        assert keys == sorted(keys)
    counted = await clerk.get("/api/v1/persons", params={"name": "郑分页", "count": "true", "area_code": MEISHAN})
    assert counted.json()["total"] == 5
    outside = await clerk.get("/api/v1/persons", params={"count": "true", "area_code": HUANGDUN})
    assert outside.json() == {"items": [], "next_cursor": None, "total": 0}


@pytest.mark.parametrize("cursor", ["WyIxIl0", "!!", "WyIyMDIwLTAxLTAxIiwieCJd"])
async def test_a_forged_cursor_is_refused(sign_in: SignIn, cursor: str) -> None:
    for sort in ("id", "birth_date"):
        answer = await sign_in("s001.clerk").get("/api/v1/persons", params={"cursor": cursor, "sort": sort})
        assert answer.status_code == 422


async def test_a_change_needs_the_version_read(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    person = await registered(clerk)
    path = f"/api/v1/persons/{person['id']}"
    assert (await clerk.put(path, json={"phone": "13800138000"})).status_code == 428
    first = await clerk.put(path, json={"phone": "13800138000"}, headers={"If-Match": '"1.m"'})
    assert (first.status_code, first.json()["phone"], first.headers["etag"]) == (200, "138****8000", '"2.m"')
    stale = await clerk.put(path, json={"phone": "13900139000"}, headers={"If-Match": '"1.m"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")


async def test_of_changes_at_once_one_wins(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    person = await registered(clerk)
    path = f"/api/v1/persons/{person['id']}"
    answers = await asyncio.gather(
        *(clerk.put(path, json={"name": f"陈改{n}"}, headers={"If-Match": '"1.m"'}) for n in "一二三四")
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_what_is_left_out_stays_and_null_clears(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    person = await registered(clerk, phone="13800138000", address="梅山街道示例路 1 号", employment="employed")
    path = f"/api/v1/persons/{person['id']}"
    named = await clerk.put(path, json={"name": "陈新名"}, headers={"If-Match": "*"})
    assert named.json() == person | {"name": "陈新名"}
    cleared = await clerk.put(path, json={"phone": None, "employment": None, "name": None}, headers={"If-Match": "*"})
    assert cleared.json() == person | {"name": "陈新名", "phone": None, "employment": None}
    masked = await clerk.put(path, json={"phone": person["phone"], "address": person["address"]}, headers={"If-Match": "*"})
    assert {error["code"] for error in masked.json()["errors"]} == {"phone_format", "address_masked"}


async def test_facts_hold_from_their_day_and_corrections_supersede(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    number = fresh_number(date(1980, 1, 1))
    disability = {"category": "physical", "grade": 3, "certificate_no": number + "43"}
    person = await registered(clerk, id_number=number, employment="employed", disability=disability, valid_from="2025-01-01")
    assert person["disability"]["certificate_no"] == number[:4] + "*" * 12 + number[16:] + "43"
    path = f"/api/v1/persons/{person['id']}"
    for change in (
        {"employment": "unemployed", "valid_from": "2026-03-01"},
        {"employment": "retired", "valid_from": "2026-03-01"},
        {"disability": {"category": "physical", "grade": 3}},
        {"disability": {"category": "physical", "grade": 2}, "valid_from": "2026-05-01"},
    ):
        assert (await clerk.put(path, json=change, headers={"If-Match": "*"})).status_code == 200
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text(
            "SELECT kind, valid_from::text, coalesce(value->>'value', value->>'grade'), superseded_at IS NOT NULL"
            " FROM person_fact WHERE person_id = :id ORDER BY kind, valid_from, recorded_at"
        )
        rows = [tuple(row) for row in await session.execute(statement, {"id": person["id"]})]
    assert rows == [
        ("disability", "2025-01-01", "3", False),
        ("disability", "2026-05-01", "2", False),
        ("employment", "2025-01-01", "employed", False),
        ("employment", "2026-03-01", "unemployed", True),
        ("employment", "2026-03-01", "retired", False),
    ]
    for day, employment, grade in (("2026-02-28", "employed", 3), ("2026-04-01", "retired", 3), ("2026-05-01", "retired", 2)):
        seen = (await clerk.get(path, headers={"X-Demo-Date": day})).json()
        assert (seen["employment"], seen["disability"]["grade"]) == (employment, grade)


async def test_revealing_needs_duty_and_purpose_and_is_put_on_record(sign_in: SignIn, runtime: Runtime) -> None:
    number = fresh_number()
    clerk = sign_in("s001.clerk")
    person = await registered(clerk, id_number=number, phone="13800138000")
    path = f"/api/v1/persons/{person['id']}"
    plain = await clerk.get(path, params={"reveal": "id_number,phone", "purpose": "电话核实家庭情况"})
    assert (plain.json()["id_number"], plain.json()["phone"]) == (number, "13800138000")
    assert plain.headers["cache-control"] == "private, no-store"
    assert plain.headers["etag"] == '"1.r"'
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text(
            "SELECT fields, reason, actor_name FROM audit_record WHERE subject_id = :id AND action = 'person.reveal'"
        )
        rows = [tuple(row) for row in await session.execute(statement, {"id": person["id"]})]
    assert rows == [(["id_number", "phone"], "电话核实家庭情况", "s001.clerk")]


@pytest.mark.parametrize(
    ("account", "query", "status", "code"),
    [
        ("s001.clerk", {"reveal": "id_number"}, 422, "purpose_required"),
        ("s001.clerk", {"reveal": "id_number", "purpose": " "}, 422, "purpose_required"),
        ("s001.clerk", {"reveal": "id_number", "purpose": "核实 13800138000"}, 422, "purpose_has_number"),
        ("s001.clerk", {"reveal": "bank_account", "purpose": "核实"}, 422, "unknown_value"),
        ("district.auditor", {"reveal": "id_number", "purpose": "核实"}, 403, None),
        ("c002001.worker", {"reveal": "id_number", "purpose": "核实"}, 404, None),
    ],
)
async def test_a_reveal_that_may_not_be(
    sign_in: SignIn, account: str, query: dict[str, str], status: int, code: str | None
) -> None:
    person = await registered(sign_in("s001.clerk"))
    answer = await sign_in(account).get(f"/api/v1/persons/{person['id']}", params=query)
    assert answer.status_code == status
    assert code is None or answer.json()["errors"][0]["code"] == code


async def test_every_code_of_the_registry_is_published(anonymous: Any, world: World) -> None:
    published = {(item["kind"], item["code"]) for item in (await anonymous.get("/api/v1/codes")).json()["items"]}
    wanted = {("field_error", code) for _, _, code in BAD.values()} | {("error", "too_many_duplicates")}
    assert wanted <= published

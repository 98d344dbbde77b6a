"""The published item lists: in force by the day, open to everybody who is signed in, never changed."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.service_desk import Surroundings
from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.registry_world import SignIn
from tests.integration.service_world import LATER, LISTS, at, document, item, limit, publish, published, refused

pytestmark = pytest.mark.db

ITEMS = "/api/v1/service-items"
DISTRICT = AreaScope("350702", "350702")
VILLAGE = "350702002201"


async def test_the_day_decides_which_version_is_in_force(sign_in: SignIn) -> None:
    await published(sign_in)
    worker = sign_in("c001001.worker")
    for day, promised in (("2026-08-31", 5), (LATER, 3)):
        page = (await worker.get(ITEMS, params={"level": "subdistrict", "on": day})).json()
        found = next(one for one in page["items"] if one["code"] == "review")
        assert found["limit"]["promised_days"] == promised
        assert (found["fee_fen"], found["basis"][0]["article"]) == (0, "第六十二条")
    nothing = (await worker.get(ITEMS, params={"on": "2025-12-31"})).json()
    assert nothing["items"] == []


async def test_a_version_ends_where_the_next_begins(sign_in: SignIn) -> None:
    await published(sign_in)
    reader = sign_in("district.finance")
    page = (await reader.get(LISTS, params={"level": "subdistrict", "count": "true"})).json()
    newest, oldest = page["items"][0], page["items"][-1]
    assert (newest["valid_from"], newest["valid_until"]) == (LATER, None)
    assert oldest["valid_until"] is not None
    assert page["total"] == len(page["items"])
    whole = await reader.get(f"{LISTS}/{oldest['id']}")
    assert whole.headers["etag"].startswith(f'"{oldest["number"]}.')
    one = whole.json()["items"][0]
    assert (await reader.get(f"{ITEMS}/{one['id']}")).json() == one


async def test_the_later_of_two_that_begin_on_one_day_counts(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    day = "2030-05-06"
    for code in ("first_try", "second_try"):
        body = document("village", day, items=[item(code, limit=limit(1))])
        assert (await publish(officer, body, "2030-05-05")).status_code == 201
    page = (await officer.get(ITEMS, params={"level": "village", "on": day})).json()
    assert [one["code"] for one in page["items"]] == ["second_try"]


async def test_two_officers_at_once_get_numbers_of_their_own(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    body = document("village", "2031-05-06", items=[item("either", limit=limit(1))])
    answers = await asyncio.gather(*(publish(officer, body, "2031-05-05") for _ in range(3)))
    numbers = sorted(answer.json()["number"] for answer in answers)
    assert numbers == list(range(numbers[0], numbers[0] + 3))


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"limit": limit(11, 10)}, "/items/0/limit/promised_days", "promise_longer_than_law"),
        ({"limit": limit(5, 10) | {"legal_article": None}}, "/items/0/limit/legal_article", "article_missing"),
        ({"limit": limit(5) | {"legal_article": "某条"}}, "/items/0/limit/legal_article", "article_missing"),
        ({"programme": "nothing"}, "/items/0/programme", "programme_unknown"),
        ({"materials": [{"code": "aa", "name": "甲"}] * 2}, "/items/0/materials/1/code", "material_repeated"),
        ({"basis": []}, "/items/0/basis", "too_few"),
        ({"rules": []}, "/items/0/rules", "too_few"),
        ({"fee_fen": 100}, "/items/0/fee_fen", "unknown_field"),
    ],
)
async def test_an_item_that_may_not_be_published(sign_in: SignIn, change: dict[str, Any], pointer: str, code: str) -> None:
    answer = await publish(sign_in("district.policy"), document(items=[item("review", **change)]))
    assert refused(answer) == (422, code), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_as_long_as_the_law_allows_may_be_promised(sign_in: SignIn) -> None:
    body = document("community", "2032-01-05", items=[item("exactly", limit=limit(10, 10))])
    assert (await publish(sign_in("district.policy"), body, "2032-01-04")).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (document(items=[item("twice"), item("twice")]), "item_repeated"),
        (document("village", items=[item("dibao", programme="dibao")]), "programme_elsewhere"),
        (document(items=[item("a1", programme="dibao"), item("a2", programme="dibao")]), "programme_repeated"),
    ],
)
async def test_a_list_that_may_not_be_published(sign_in: SignIn, body: dict[str, Any], code: str) -> None:
    assert refused(await publish(sign_in("district.policy"), body)) == (422, code)


async def test_published_first_in_force_afterwards(sign_in: SignIn) -> None:
    answer = await publish(sign_in("district.policy"), document(valid_from="2026-01-04"))
    assert refused(answer) == (409, "service_list_backdated")


async def test_only_the_district_publishes_and_other_districts_see_nothing(sign_in: SignIn) -> None:
    await published(sign_in)
    assert (await publish(sign_in("s001.head"), document())).status_code == 403
    assert (await publish(sign_in("district.reviewer"), document())).status_code == 403
    elsewhere = sign_in("qs.district.reviewer")
    listed = (await sign_in("district.reviewer").get(LISTS, params={"limit": 1})).json()["items"][0]
    missing = await elsewhere.get(f"{LISTS}/{listed['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "service_list_not_found")
    ids = {one["id"] for one in (await elsewhere.get(LISTS, params={"limit": 200})).json()["items"]}
    assert listed["id"] not in ids


@pytest.mark.parametrize("statement", ["UPDATE {0} SET area_code = area_code", "DELETE FROM {0}"])
@pytest.mark.parametrize("table", ["service_item_list", "service_item", "service_request_event"])
async def test_the_database_keeps_what_was_published(runtime: Runtime, sign_in: SignIn, table: str, statement: str) -> None:
    await published(sign_in)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(runtime.engine, DISTRICT) as session:
            await session.execute(text(statement.format(table)))


async def test_the_wall_lets_stations_read_and_not_write(runtime: Runtime, sign_in: SignIn) -> None:
    await published(sign_in)
    copied = text(
        "INSERT INTO service_item_list SELECT district, gen_random_uuid(), area_code, level, number + 1000, title, source,"
        " valid_from, published_by, published_by_name, published_at FROM service_item_list LIMIT 1"
    )
    async with transaction(runtime.engine, AreaScope("350702", "350702001")) as session:
        assert (await session.execute(text("SELECT count(*) FROM service_item_list"))).scalar_one() >= 2
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(runtime.engine, AreaScope("350702", "350702001")) as session:
            await session.execute(copied)


async def test_a_demo_date_changes_what_is_in_force(sign_in: SignIn) -> None:
    await published(sign_in)
    worker = sign_in("c001001.worker")
    page = (await worker.get(ITEMS, params={"level": "subdistrict"}, headers=at(LATER))).json()
    assert [one["code"] for one in page["items"]] == ["review"]


@pytest.mark.parametrize(
    ("area_code", "level"), [("350702001", "subdistrict"), ("350702001001", "community"), (VILLAGE, "village")]
)
async def test_the_counter_decides_the_list(runtime: Runtime, sign_in: SignIn, area_code: str, level: str) -> None:
    await published(sign_in)
    async with transaction(runtime.engine, DISTRICT) as session:
        assert await Surroundings(session).list_level(DISTRICT, area_code, date(2026, 3, 2)) == level

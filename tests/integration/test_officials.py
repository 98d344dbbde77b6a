"""近亲属备案: officials and their relatives, found by number, sealed, walled, and found again when index keys change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL, text

from app import rekeying
from app.db.repositories.officials import OfficialRepository, ties_of
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.officials.model import Post, RelativeEntry
from app.runtime import Runtime
from app.security.fields import Field
from tests.conftest import build_database, running
from tests.integration.registry_world import SignIn, fresh_number, registered
from tests.world import seed_world

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")


def official(**values: Any) -> dict[str, Any]:
    given = {"name": "陈示干", "organisation": "示例街道办事处", "position": "民政助理员", "area_code": "350702001"}
    return {**given, "id_number": fresh_number(), **values}


def relative(**values: Any) -> dict[str, Any]:
    return {"relation": "spouse", "name": "林示亲", "id_number": fresh_number(), **values}


async def filed(client: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/officials", json=official(**values))
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "etag": answer.headers["etag"]}


async def test_an_official_is_on_file_once_with_his_relatives(sign_in: SignIn) -> None:
    clerk, number, other = sign_in("s001.clerk"), fresh_number(), fresh_number()
    made = await filed(clerk, id_number=number.lower(), relatives=[relative(id_number=other)])
    assert number not in str(made)
    assert other not in str(made)
    assert [(one["relation"], one["name"]) for one in made["relatives"]] == [("spouse", "林示亲")]
    again = await clerk.post("/api/v1/officials", json=official(id_number=number))
    assert (again.status_code, again.json()["code"], again.json()["official_id"]) == (409, "official_registered", made["id"])
    path = f"/api/v1/officials/{made['id']}"
    plain = (await clerk.get(path, params={"reveal": "id_number", "purpose": "核对备案"})).json()
    assert (plain["id_number"], plain["relatives"][0]["id_number"]) == (number, other)
    assert (await sign_in("district.auditor").get(path, params={"reveal": "id_number", "purpose": "核对"})).status_code == 403
    assert (await sign_in("district.auditor").get(path)).json()["id_number"] == made["id_number"]


async def test_numbers_are_sealed_and_indexed(sign_in: SignIn, runtime: Runtime) -> None:
    number = fresh_number()
    made = await filed(sign_in("s001.clerk"), id_number=number)
    async with transaction(runtime.engine, DISTRICT) as session:
        values = {"id": made["id"]}
        sealed = (await session.execute(text("SELECT id_number_sealed FROM official WHERE id = :id"), values)).scalar_one()
        rows = (
            await session.execute(text("SELECT index_version, bidx FROM official_number WHERE official_id = :id"), values)
        ).all()
    assert number.encode() not in sealed
    assert runtime.cipher.open(Field.ID_NUMBER, UUID(made["id"]), sealed) == number
    assert {row.index_version: bytes(row.bidx) for row in rows} == runtime.blind_index.digest(Field.ID_NUMBER, number)


async def test_the_same_number_at_once_is_registered_once(sign_in: SignIn) -> None:
    body, clerk = official(), sign_in("s001.clerk")
    answers = await asyncio.gather(*(clerk.post("/api/v1/officials", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    elsewhere = await sign_in("s002.clerk").post(
        "/api/v1/officials", json=official(id_number=body["id_number"], area_code="350702002")
    )
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "official_elsewhere")


async def test_relatives_come_and_go(sign_in: SignIn) -> None:
    clerk, number = sign_in("s001.clerk"), fresh_number()
    made = await filed(clerk)
    path = f"/api/v1/officials/{made['id']}"
    body = relative(relation="child", id_number=number)
    declared = await clerk.post(f"{path}/relatives", json=body, headers={"If-Match": made["etag"]})
    assert declared.status_code == 201, declared.text
    assert (await clerk.post(f"{path}/relatives", json=body, headers={"If-Match": made["etag"]})).status_code == 412
    again = await clerk.post(f"{path}/relatives", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "relative_declared")
    (one,) = declared.json()["relatives"]
    gone = await clerk.post(f"{path}/relatives/{one['id']}/withdraw")
    assert gone.json()["relatives"] == []
    missing = await clerk.post(f"{path}/relatives/{one['id']}/withdraw")
    assert (missing.status_code, missing.json()["code"]) == (404, "relative_not_found")
    assert (await clerk.post(f"{path}/relatives", json=body)).status_code == 201


async def test_a_withdrawn_official_leaves_nothing(sign_in: SignIn, runtime: Runtime) -> None:
    clerk, body = sign_in("s001.clerk"), official(relatives=[relative()])
    made = (await clerk.post("/api/v1/officials", json=body)).json()
    path = f"/api/v1/officials/{made['id']}"
    assert (await clerk.post(f"{path}/withdraw", headers={"If-Match": '"9"'})).status_code == 412
    assert (await clerk.post(f"{path}/withdraw")).status_code == 204
    assert (await clerk.get(path)).status_code == 404
    async with transaction(runtime.engine, DISTRICT) as session:
        for table in ("official_number", "official_relative"):
            statement = text(f"SELECT count(*) FROM {table} WHERE official_id = :id")
            assert (await session.execute(statement, {"id": made["id"]})).scalar_one() == 0
    assert (await clerk.post("/api/v1/officials", json=body)).status_code == 201


async def test_a_move_takes_everything_along(sign_in: SignIn) -> None:
    """The district moves somebody to another sub-district: its clerk sees him with his relatives, the former no more."""
    reviewer = sign_in("district.reviewer")
    made = await filed(sign_in("s001.clerk"), relatives=[relative()])
    path = f"/api/v1/officials/{made['id']}"
    moved = await reviewer.put(path, json={"area_code": "350702002", "position": "站长"}, headers={"If-Match": made["etag"]})
    assert (moved.status_code, moved.json()["position"]) == (200, "站长")
    assert (await sign_in("s001.clerk").get(path)).status_code == 404
    assert (await sign_in("s002.clerk").get(path)).json() == moved.json()
    assert len(moved.json()["relatives"]) == 1
    refused = await sign_in("s002.clerk").put(path, json={"area_code": "350702001"}, headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["code"]) == (404, "area_not_found")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a wrong check digit": ({"id_number": "350702197001010010"}, "/id_number", "id_number_checksum"),
    "fifteen digits": ({"id_number": "350702700101001"}, "/id_number", "id_number_old"),
    "a masked name": ({"name": "陈*"}, "/name", "name_wrong"),
    "no organisation": ({"organisation": " "}, "/organisation", "too_short"),
    "a relative of no kind": ({"relatives": [relative(relation="cousin")]}, "/relatives/0/relation", "unknown_value"),
    "a relative's wrong number": ({"relatives": [relative(id_number="35070219")]}, "/relatives/0/id_number", "id_number_length"),
    "an unknown field": ({"phone": "13800138000"}, "/phone", "unknown_field"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_entry_is_refused_by_cause(sign_in: SignIn, wrong: str) -> None:
    values, pointer, code = WRONG[wrong]
    answer = await sign_in("s001.clerk").post("/api/v1/officials", json=official(**values))
    assert answer.status_code == 422, answer.text
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_nobody_is_his_own_relative_or_a_relative_twice(sign_in: SignIn) -> None:
    own, number = fresh_number(), fresh_number()
    relatives = [relative(id_number=own), relative(id_number=number), relative(id_number=number.lower())]
    answer = await sign_in("s001.clerk").post("/api/v1/officials", json=official(id_number=own, relatives=relatives))
    found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert found == [("/relatives/0/id_number", "own_relative"), ("/relatives/2/id_number", "repeated")]


async def test_who_may_see_and_write(sign_in: SignIn) -> None:
    made = await filed(sign_in("s001.clerk"))
    path = f"/api/v1/officials/{made['id']}"
    for name, status in (("s001.head", 200), ("district.reviewer", 200), ("s002.clerk", 404), ("c001001.worker", 403)):
        assert (await sign_in(name).get(path)).status_code == status, name
    assert (await sign_in("s001.head").post("/api/v1/officials", json=official())).status_code == 403
    foreign = await sign_in("s001.clerk").post("/api/v1/officials", json=official(area_code="350702002"))
    assert (foreign.status_code, foreign.json()["code"]) == (404, "area_not_found")
    page = (await sign_in("s001.clerk").get("/api/v1/officials", params={"limit": 200, "count": "true"})).json()
    assert made["id"] in {item["id"] for item in page["items"]}
    assert page["total"] == len(page["items"])
    unknown = await sign_in("s001.clerk").get(f"/api/v1/officials/{uuid4()}")
    assert unknown.json()["code"] == "official_not_found"


async def test_an_applicant_who_is_a_relative_is_found(sign_in: SignIn, runtime: Runtime) -> None:
    """By the index that people and officials share; only within the scope."""
    clerk = sign_in("s001.clerk")
    numbers = [fresh_number() for _ in range(3)]
    people = [UUID((await registered(clerk, id_number=number))["id"]) for number in numbers]
    made = await filed(clerk, id_number=numbers[0], relatives=[relative(relation="parent", id_number=numbers[1])])
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT id, person_uid FROM person WHERE id = ANY(:ids)")
        uids = {row.id: row.person_uid for row in await session.execute(statement, {"ids": people})}
        found = await ties_of(DISTRICT, session, uids.values())
    himself, parent = found[uids[people[0]]], found[uids[people[1]]]
    assert [(str(tie.official_id), tie.relation) for tie in himself] == [(made["id"], None)]
    assert [(str(tie.official_id), tie.relation) for tie in parent] == [(made["id"], "parent")]
    assert uids[people[2]] not in found
    elsewhere = AreaScope("350702", "350702002")
    async with transaction(runtime.engine, elsewhere) as session:
        assert await ties_of(elsewhere, session, uids.values()) == {}


# --- keys ----------------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session")
async def office(cluster: URL, worker_name: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A database with keys of its own."""
    settings = await build_database(cluster, f"officials_{worker_name}", tmp_path)
    async with running(settings) as runtime:
        await seed_world(runtime)
        yield runtime


async def test_rotated_keys_find_and_open_everybody(office: Runtime) -> None:
    own, other, told = fresh_number(), fresh_number(), list[str]()
    async with transaction(office.engine, DISTRICT) as session:
        officials = OfficialRepository(session, office.cipher, office.blind_index)
        now = (await session.execute(text("SELECT now()"))).scalar_one()
        post = Post("陈示干", "示例街道办事处", "站长", "350702001")
        made = await officials.add(DISTRICT, post, own, by=uuid4(), now=now)
        await officials.add_relatives(DISTRICT, made, "350702001", [RelativeEntry("spouse", "林示亲", other)], now)
    office.keys.rotate("index")
    office.keys.rotate("data")
    assert (await rekeying.status(office)).unindexed == 2
    assert await rekeying.reindex(office, told.append) == 2
    assert await rekeying.reencrypt(office, told.append) == 2
    done = await rekeying.status(office)
    assert (done.unindexed, done.not_under(2)) == (0, {})
    assert await rekeying.reindex(office, told.append) == 0
    async with transaction(office.engine, DISTRICT) as session:
        officials = OfficialRepository(session, office.cipher, office.blind_index)
        assert await officials.find_by_number(DISTRICT, own) == made
        assert list(await officials.numbers_of(DISTRICT, made)) == [own, other]

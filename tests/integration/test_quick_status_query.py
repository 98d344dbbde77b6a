"""The short way of the status query answers, counts and logs like the route, and leaves to it whatever it would refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text, update
from sqlmodel import col

from app.db.session import transaction
from app.db.tables.accounts import Client
from app.quick_status_query import STATUS_QUERY
from app.quick_way import VerifiedTokens, answer_quickly
from app.runtime import Runtime
from tests.integration.bureau_world import PATH, Bureau, BureauWorld, Terms, id_number, question
from tests.world import World

pytestmark = pytest.mark.db
ORDINARY = {"content-type": "application/json; charset=utf-8"}  # means the same, and isn't plain
TOKENS = VerifiedTokens()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bureaus(runtime: Runtime, app: FastAPI, world: World) -> AsyncIterator[BureauWorld]:
    made = BureauWorld(runtime, app)
    yield made
    for client in made.opened:
        await client.aclose()


async def quickly(runtime: Runtime, http: httpx.AsyncClient, asked: Any) -> bytes | None:
    token = http.headers["authorization"].removeprefix("Bearer ")
    return await answer_quickly(runtime, TOKENS, STATUS_QUERY, token, orjson.dumps(asked))


async def both(bureau: Bureau, asked: dict[str, Any]) -> tuple[httpx.Response, httpx.Response]:
    body = orjson.dumps(asked)
    quick = await bureau.http.post(PATH, content=body, headers={"content-type": "application/json"})
    return quick, await bureau.http.post(PATH, content=body, headers=ORDINARY)


async def test_a_clean_question_takes_the_short_way_and_is_counted_and_logged(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms())
    number, uid = await bureaus.person("江淑芬", {})
    answer = orjson.loads(await quickly(runtime, bureau.http, question(number, "江淑芬")) or b"null")
    assert answer["results"][0]["enrolled"] is True
    assert runtime.tokens.verify_attestation(answer["attestation"])["query_id"] == answer["query_id"]
    (row,) = await bureaus.log_of(bureau)
    assert (str(row["id"]), row["person_uid"], row["enrolled"]) == (answer["query_id"], uid, ["dibao"])
    assert await bureaus.used(bureau) == 1


@pytest.mark.parametrize("known", ["enrolled", "another name", "nobody"])
async def test_both_ways_give_the_same_bytes(bureaus: BureauWorld, known: str) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("潘志强", {"valid_until": date(2027, 4, 30)})
    asked = question(number if known != "nobody" else id_number(), "潘志强" if known != "another name" else "潘志刚")
    quick, ordinary = await both(bureau, asked | {"programmes": ["tekun", "dibao"], "attest": False})
    assert quick.status_code == ordinary.status_code == 200
    bodies = {answer.text.replace(answer.json()["query_id"], "") for answer in (quick, ordinary)}
    assert len(bodies) == 1
    headers = [{name: value for name, value in answer.headers.items() if name != "x-trace-id"} for answer in (quick, ordinary)]
    assert headers[0] == headers[1]
    first, second = await bureaus.log_of(bureau)
    varying = {"id", "at", "trace_id"}
    assert {name: first[name] for name in first if name not in varying} == {n: second[n] for n in second if n not in varying}


UNCLEAN: list[Any] = [
    {"purpose": "marketing"},
    {"programmes": ["old_age"]},
    {"programmes": ["dibao", "dibao"]},
    {"id_number": "350702199001011234"},
    {"name": "\u200b"},
    {"as_of": "2026-8-15"},
    {"case_no": ""},
    {"case_no": f"申请人{id_number()}"},
    {"surplus": 1},
]


@pytest.mark.parametrize("change", UNCLEAN, ids=range(len(UNCLEAN)))
async def test_what_is_not_clean_is_refused_by_the_route_alone(bureaus: BureauWorld, runtime: Runtime, change: Any) -> None:
    bureau = await bureaus.client(Terms())
    asked = question(id_number(), "某某") | change
    assert await quickly(runtime, bureau.http, asked) is None
    quick, ordinary = await both(bureau, asked)
    assert quick.status_code == ordinary.status_code >= 400
    assert quick.json() | {"trace_id": None} == ordinary.json() | {"trace_id": None}
    assert await bureaus.log_of(bureau) == []
    assert await bureaus.used(bureau) == 0


async def test_over_the_quota_the_route_refuses_and_records(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms(quota=1))
    answers = [await bureau.ask(id_number(), "某某") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert await quickly(runtime, bureau.http, question(id_number(), "某某")) is None
    assert await bureaus.used(bureau) == len(await bureaus.log_of(bureau)) == 1
    assert await bureaus.refusals(bureau) == ["quota_exceeded"] * 2


async def test_who_is_no_client_any_more_or_never_was_gets_nothing(
    bureaus: BureauWorld, runtime: Runtime, sign_in: Callable[[str], httpx.AsyncClient]
) -> None:
    asked = question(id_number(), "某某")
    bureau = await bureaus.client(Terms())
    assert await quickly(runtime, bureau.http, asked) is not None
    async with transaction(runtime.engine) as session:
        await session.execute(update(Client).where(col(Client.id) == bureau.id).values(disabled_at=datetime.now(UTC)))
    assert await quickly(runtime, bureau.http, asked) is None
    assert await quickly(runtime, sign_in("district.reviewer"), asked) is None
    assert await quickly(runtime, (await bureaus.client()).http, asked) is None, "no agreement"


@pytest.mark.parametrize("header", [{"X-Demo-Date": "2026-08-01"}, {"Idempotency-Key": "quick"}])
async def test_a_question_with_more_to_it_is_left_to_the_route(bureaus: BureauWorld, header: dict[str, str]) -> None:
    bureau = await bureaus.client(Terms(quota=1))
    answers = [await bureau.ask(id_number(), "某某", header) for _ in range(2)]
    assert answers[0].status_code == 200
    assert answers[1].status_code == (429 if "X-Demo-Date" in header else 422)


async def test_lost_connections_are_replaced_and_nothing_is_counted_twice(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms())
    first = await asyncio.gather(*(bureau.ask(id_number(), "某某") for _ in range(5)))
    pids = [kept.get_server_pid() for kept in runtime.status_lookups._idle]
    async with transaction(runtime.status_engine) as session:
        await session.execute(text("SELECT pg_terminate_backend(pid) FROM unnest(CAST(:pids AS int[])) AS pid"), {"pids": pids})
    later = [await bureau.ask(id_number(), "某某") for _ in range(3)]
    assert [answer.status_code for answer in (*first, *later)] == [200] * 8
    assert await bureaus.used(bureau) == len(await bureaus.log_of(bureau)) == 8

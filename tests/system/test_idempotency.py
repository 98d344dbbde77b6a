"""Idempotency-Key (contract §2): one effect, one answer; nothing kept of what failed; never somebody else's answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.demo.accounts import ACCOUNTS
from app.domain.access import Duty
from app.idempotency import IdempotencyKey
from app.openapi import api_routes
from app.runtime import Runtime
from tests.integration.registry_world import MEISHAN_OTHER, entry
from tests.world import World

pytestmark = pytest.mark.db
SignIn = Callable[[str], httpx.AsyncClient]
PERSONS = "/api/v1/persons"


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


@pytest_asyncio.fixture(loop_scope="session")
async def owner(cluster: URL, worker_name: str, world: World) -> AsyncIterator[AsyncEngine]:
    """A connection of the superuser, whom no wall stops."""
    engine = create_async_engine(cluster.set(database=f"world_{worker_name}"))
    yield engine
    await engine.dispose()


async def count_people(owner: AsyncEngine, name: str) -> int:
    async with owner.connect() as connection:
        found = await connection.execute(text("SELECT count(*) FROM person WHERE name = :name"), {"name": name})
        return int(found.scalar_one())


async def stored_answers(owner: AsyncEngine, where: str = "true") -> int:
    async with owner.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM stored_answer WHERE {where}"))).scalar_one())


def money_routes(app: FastAPI) -> set[str]:
    """``METHOD path`` of the routes whose Idempotency-Key is that of money."""
    return {
        f"{method} {route.path_format}"
        for route in api_routes(app)
        if any(asks_for_money(dependant) for dependant in route.dependant.dependencies)
        for method in route.methods or ()
    }


def asks_for_money(dependant: Dependant) -> bool:
    return isinstance(dependant.call, IdempotencyKey) and dependant.call.money


async def routes_kept_for_ever(owner: AsyncEngine) -> set[str]:
    async with owner.connect() as connection:
        kept = await connection.execute(text("SELECT DISTINCT route FROM stored_answer WHERE keep_until IS NULL"))
        return set(kept.scalars())


async def test_a_hundred_at_once_have_one_effect(sign_in: SignIn, owner: AsyncEngine) -> None:
    client, headers, body = sign_in("s001.clerk"), key(), entry(name="并发甲")
    answers = await asyncio.gather(*(client.post(PERSONS, json=body, headers=headers) for _ in range(100)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}, statuses
    assert await count_people(owner, "并发甲") == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
            assert int(answer.headers["retry-after"]) >= 1
    fresh = [answer for answer in answers if answer.status_code == 201 and "idempotency-replayed" not in answer.headers]
    assert len(fresh) == 1
    assert {answer.text for answer in answers if answer.status_code == 201} == {fresh[0].text}


async def test_a_replay_is_the_first_answer_and_says_so(sign_in: SignIn, owner: AsyncEngine) -> None:
    client, headers, body = sign_in("s001.clerk"), key(), entry(name="重复甲")
    first, again = [await client.post(PERSONS, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    for name in ("etag", "location", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert await count_people(owner, "重复甲") == 1


async def test_the_same_key_for_something_else_is_refused(sign_in: SignIn) -> None:
    client, headers = sign_in("s001.clerk"), key()
    assert (await client.post(PERSONS, json=entry(), headers=headers)).status_code == 201
    answer = await client.post(PERSONS, json=entry(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_caller(sign_in: SignIn) -> None:
    headers, body = key(), entry()
    assert (await sign_in("s001.clerk").post(PERSONS, json=body, headers=headers)).status_code == 201
    other = await sign_in("c001001.worker").post(PERSONS, json=body, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "person_already_registered")


async def test_a_key_belongs_to_its_path_not_only_to_its_template(sign_in: SignIn) -> None:
    client, headers = sign_in("s001.clerk"), key()
    people = [(await client.post(PERSONS, json=entry())).json()["id"] for _ in range(2)]
    households = []
    for person in people:
        members = [{"person_id": person, "relation": "head"}]
        body = {"area_code": entry()["area_code"], "residence": "urban", "members": members}
        households.append((await client.post("/api/v1/households", json=body)).json()["id"])
    guests = [(await client.post(PERSONS, json=entry())).json()["id"] for _ in range(1)]
    joining = {"person_id": guests[0], "relation": "sibling"}
    first = await client.post(f"/api/v1/households/{households[0]}/members", json=joining, headers=headers)
    assert first.status_code == 201, first.text
    second = await client.post(f"/api/v1/households/{households[1]}/members", json=joining, headers=headers)
    assert (second.status_code, second.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("broken", [{"id_number": "3507021990010100"}, {"area_code": "350702002001"}, {"name": ""}])
async def test_a_refused_request_does_not_use_up_its_key(sign_in: SignIn, broken: dict[str, Any]) -> None:
    client, headers, body = sign_in("s001.clerk"), key(), entry()
    refused = await client.post(PERSONS, json=body | broken, headers=headers)
    assert 400 <= refused.status_code < 500
    mended = await client.post(PERSONS, json=body, headers=headers)
    assert mended.status_code == 201, mended.text
    assert "idempotency-replayed" not in mended.headers


async def test_a_request_that_is_killed_leaves_nothing_and_can_be_repeated(
    app: FastAPI, sign_in: SignIn, owner: AsyncEngine, runtime: Runtime
) -> None:
    """The connection dies after the work and before the commit, as with kill -9 of either side."""
    client, headers, body = sign_in("s001.clerk"), key(), entry(name="中断甲")
    async with owner.begin() as connection:
        await connection.execute(text(DIE_AT_COMMIT))
    try:
        answer = await client.post(PERSONS, json=body, headers=headers)
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) >= 1
    finally:
        async with owner.begin() as connection:
            await connection.execute(text("DROP FUNCTION die_at_commit CASCADE"))
    assert await count_people(owner, "中断甲") == 0
    answer = await client.post(PERSONS, json=body, headers=headers)
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers
    assert await count_people(owner, "中断甲") == 1


DIE_AT_COMMIT = """
    DO $$ BEGIN
    CREATE FUNCTION die_at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $f$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $f$;
    CREATE CONSTRAINT TRIGGER die_at_commit AFTER INSERT ON stored_answer DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION die_at_commit();
    END $$
"""
REFUSE_AT_COMMIT = """
    DO $$ BEGIN
    CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS
        $f$ BEGIN RAISE EXCEPTION 'refused at the last moment'; END $f$;
    CREATE CONSTRAINT TRIGGER refuse_at_commit AFTER INSERT ON person DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse_at_commit();
    END $$
"""


@pytest.mark.parametrize("keyed", [True, False])
async def test_a_failing_commit_is_never_answered_with_success(sign_in: SignIn, owner: AsyncEngine, keyed: bool) -> None:
    client, headers, name = sign_in("s001.clerk"), key() if keyed else {}, f"失败{keyed}"
    body = entry(name=name)
    before = await stored_answers(owner)
    async with owner.begin() as connection:
        await connection.execute(text(REFUSE_AT_COMMIT))
    try:
        answer = await client.post(PERSONS, json=body, headers=headers)
    finally:
        async with owner.begin() as connection:
            await connection.execute(text("DROP FUNCTION refuse_at_commit CASCADE"))
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert answer.headers["x-trace-id"] == answer.json()["trace_id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await count_people(owner, name), await stored_answers(owner)) == (0, before)
    assert (await client.post(PERSONS, json=body, headers=headers)).status_code == 201


async def test_an_expired_answer_is_not_replayed_and_its_key_is_free(sign_in: SignIn, owner: AsyncEngine) -> None:
    client, headers, first = sign_in("s001.clerk"), key(), entry()
    assert (await client.post(PERSONS, json=first, headers=headers)).status_code == 201
    async with owner.begin() as connection:
        await connection.execute(
            text("UPDATE stored_answer SET keep_until = :t"), {"t": datetime.now(UTC) - timedelta(minutes=1)}
        )
    answer = await client.post(PERSONS, json=entry(), headers=headers)
    assert answer.status_code == 201, answer.text
    again = await client.post(PERSONS, json=first, headers=headers)
    assert again.json()["code"] == "idempotency_key_reused"


async def test_kept_for_two_days_and_for_money_for_ever(app: FastAPI, sign_in: SignIn, owner: AsyncEngine) -> None:
    client = sign_in("district.finance")
    month = {"period_from": "2026-01", "period_to": "2026-01", "pay_month": "2026-01"}
    body = {**month, "programmes": ["dibao"], "area_code": "350702"}
    missing = await client.post("/api/v1/payment-batches", json=body)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_required")
    headers = key()
    first, again = [await client.post("/api/v1/payment-batches", json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.content == first.content
    kept = await routes_kept_for_ever(owner)
    assert "POST /api/v1/payment-batches" in kept
    assert kept <= money_routes(app), "only what moves money is kept for ever"
    two_days = "keep_until - stored_at BETWEEN interval '47 hours 59 minutes' AND interval '48 hours 1 minute'"
    assert (await sign_in("s001.clerk").post(PERSONS, json=entry(), headers=key())).status_code == 201
    assert await stored_answers(owner, two_days) >= 1


async def test_a_replay_asks_for_the_duty_again(app: FastAPI, runtime: Runtime, sign_in: SignIn, world: World) -> None:
    headers, body = key(), entry()
    assert (await sign_in("s001.clerk").post(PERSONS, json=body, headers=headers)).status_code == 201
    account = world.accounts["s001.clerk"]
    token = runtime.tokens.issue_access_token(
        subject=account.id, level=account.level, area=account.area, duties=[Duty.STATION_HEAD]
    )
    answer = await sign_in("s001.clerk").post(PERSONS, json=body, headers={**headers, "Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "duty_required")


async def test_a_replay_asks_for_the_area_again(runtime: Runtime, sign_in: SignIn, owner: AsyncEngine) -> None:
    """Somebody who has moved to another sub-district does not get back what he was told in the former one."""
    headers, body, account = key(), entry(), next(a for a in ACCOUNTS if a.username == "s002.clerk")
    body["area_code"] = "350702002001"
    assert (await sign_in("s002.clerk").post(PERSONS, json=body, headers=headers)).status_code == 201
    moved = text("UPDATE account SET area_code = :area WHERE id = :id")
    async with owner.begin() as connection:
        await connection.execute(moved, {"area": "350702003", "id": account.id})
    try:
        token = runtime.tokens.issue_access_token(
            subject=account.id, level=account.level, area="350702003", duties=account.duties
        )
        answer = await sign_in("s002.clerk").post(PERSONS, json=body, headers={**headers, "Authorization": f"Bearer {token}"})
    finally:
        async with owner.begin() as connection:
            await connection.execute(moved, {"area": account.area, "id": account.id})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_without_a_token_nothing_is_replayed(sign_in: SignIn, anonymous: httpx.AsyncClient) -> None:
    headers, body = key(), entry()
    assert (await sign_in("s001.clerk").post(PERSONS, json=body, headers=headers)).status_code == 201
    assert (await anonymous.post(PERSONS, json=body, headers=headers)).status_code == 401


@pytest.mark.parametrize("bad", ["", " ", "x" * 201, "\u00e9", "a\tb"])
async def test_a_key_has_to_be_printable_and_short(sign_in: SignIn, bad: str) -> None:
    sent = {"Idempotency-Key": bad.encode("latin-1")}
    answer = await sign_in("s001.clerk").post(PERSONS, json=entry(), headers=sent)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request")
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def test_nothing_readable_is_kept(sign_in: SignIn, owner: AsyncEngine) -> None:
    headers, body = key(), entry(name="保密甲")
    assert (await sign_in("s001.clerk").post(PERSONS, json=body, headers=headers)).status_code == 201
    assert await stored_answers(owner, f"body LIKE '%{'保密甲'}%'::bytea OR headers::text LIKE '%保密甲%'") == 0
    async with owner.connect() as connection:
        bodies = (await connection.execute(text("SELECT body FROM stored_answer ORDER BY stored_at DESC LIMIT 5"))).scalars()
        assert all("保密甲".encode() not in body and MEISHAN_OTHER.encode() not in body for body in bodies)

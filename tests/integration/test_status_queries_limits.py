"""What a bureau can't get: outside its agreement, over its quota, without a case, without a token, past its role."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from app.db.session import transaction
from app.db.tables.accounts import Client, RevokedToken
from app.domain.calendar import SHANGHAI
from app.ids import new_id
from app.runtime import Runtime
from tests.integration.bureau_world import PATH, Bureau, BureauWorld, Terms, id_number, question
from tests.world import World

pytestmark = pytest.mark.db


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bureaus(runtime: Runtime, app: FastAPI, world: World) -> AsyncIterator[BureauWorld]:
    made = BureauWorld(runtime, app)
    yield made
    for client in made.opened:
        await client.aclose()


async def assert_outside(bureaus: BureauWorld, bureau: Bureau, answer: httpx.Response, says: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "outside_agreement")
    assert says in answer.json()["detail"]
    assert await bureaus.refusals(bureau) == ["outside_agreement"]
    assert await bureaus.log_of(bureau) == []
    assert await bureaus.used(bureau) == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"purpose": "marketing"}, "用途"), ({"programmes": ["dibao", "old_age"]}, "old_age")],
)
async def test_another_purpose_or_programme(bureaus: BureauWorld, changes: dict[str, Any], says: str) -> None:
    bureau = await bureaus.client(Terms())
    await assert_outside(bureaus, bureau, await bureau.ask(id_number(), "某某", **changes), says)


@pytest.mark.parametrize(
    "terms",
    [
        [],
        [Terms(valid_from=date(2020, 1, 1), valid_until=date(2026, 8, 1))],
        [Terms(valid_from=date(2026, 8, 2))],
        [Terms(valid_from=date(2020, 1, 1), valid_until=date(2026, 8, 1)), Terms(valid_from=date(2026, 8, 2))],
    ],
    ids=["none", "expired", "not yet", "between two"],
)
async def test_no_agreement_on_the_day(bureaus: BureauWorld, terms: list[Terms]) -> None:
    bureau = await bureaus.client(*terms)
    answer = await bureau.ask(id_number(), "某某", {"X-Demo-Date": "2026-08-01"})
    await assert_outside(bureaus, bureau, answer, "没有有效的数据共享协议")


async def test_the_last_day_and_the_first(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms(valid_until=date(2026, 8, 1), quota=1), Terms(valid_from=date(2026, 8, 1), quota=1))
    for day in ("2026-07-31", "2026-08-01"):
        assert (await bureau.ask(id_number(), "某某", {"X-Demo-Date": day})).status_code == 200


async def test_two_agreements_at_once_can_not_be_written(bureaus: BureauWorld) -> None:
    with pytest.raises(DBAPIError, match="ex_sharing_agreement_one_at_a_time"):
        await bureaus.client(Terms(), Terms(valid_from=date(2026, 6, 1)))


async def test_a_client_of_another_place(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms(area="350702001"), area="350702")
    moved = update(Client).where(col(Client.id) == bureau.id).values(area_code="350703")
    async with transaction(runtime.engine) as session:
        await session.execute(moved)
    answer = await bureaus.http(bureau.id, "350703").post(PATH, json=question(id_number(), "某某"))
    assert (answer.status_code, answer.json()["code"]) == (403, "outside_agreement")
    assert "区域" in answer.json()["detail"]
    old = await bureau.ask(id_number(), "某某")
    assert (old.status_code, old.json()["code"]) == (401, "token_revoked")


async def test_the_quota_is_exact_under_load(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms(quota=20))
    answers = await asyncio.gather(*(bureau.ask(id_number(), "某某") for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {200: 20, 429: 30}
    assert await bureaus.used(bureau) == len(await bureaus.log_of(bureau)) == 20
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "quota_exceeded"
    now = datetime.now(SHANGHAI)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), SHANGHAI)
    left = (midnight - now).total_seconds()
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert abs(int(refused.headers["Retry-After"]) - left) < 60 or left > 86_340
    assert set(await bureaus.refusals(bureau)) == {"quota_exceeded"}


async def test_many_clients_at_once_do_not_block_each_other(bureaus: BureauWorld) -> None:
    clients = [await bureaus.client(Terms(quota=5)) for _ in range(4)]
    answers = await asyncio.gather(*(bureau.ask(id_number(), "某某") for _ in range(10) for bureau in clients))
    assert Counter(answer.status_code for answer in answers) == {200: 20, 429: 20}
    assert [await bureaus.used(bureau) for bureau in clients] == [5, 5, 5, 5]


async def test_the_quota_begins_anew_each_day(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms(quota=1))
    days = ["2026-08-01", "2026-08-01", "2026-08-02"]
    answers = [await bureau.ask(id_number(), "某某", {"X-Demo-Date": day}) for day in days]
    assert [answer.status_code for answer in answers] == [200, 429, 200]


async def test_a_quota_of_nothing_answers_nothing(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms(quota=0))
    assert (await bureau.ask(id_number(), "某某")).status_code == 429
    assert await bureaus.log_of(bureau) == []


@pytest.mark.parametrize("name", ["case_no", "purpose"])
@pytest.mark.parametrize("value", [None, "", "   "])
async def test_no_case_or_purpose_is_an_alarm(
    bureaus: BureauWorld, caplog: pytest.LogCaptureFixture, name: str, value: str | None
) -> None:
    bureau = await bureaus.client(Terms())
    with caplog.at_level(logging.WARNING, logger="minzheng.alerts"):
        changes: dict[str, Any] = {name: value}
        answer = await bureau.ask(id_number(), "某某", **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "query_without_case")
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{name}"]
    assert [getattr(record, "client", None) for record in caplog.records] == [bureau.name]
    assert await bureaus.refusals(bureau) == ["query_without_case"]
    assert await bureaus.log_of(bureau) == []


async def test_an_explicit_null_case_is_an_alarm_too(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    answer = await bureau.http.post(PATH, json=question(id_number(), "某某") | {"case_no": None})
    assert (answer.status_code, answer.json()["code"]) == (422, "query_without_case")


async def test_free_text_can_not_carry_an_id_number(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    number = id_number()
    for name in ("case_no", "legal_basis", "purpose"):
        changes: dict[str, Any] = {name: f"申请人{number}"}
        answer = await bureau.ask(id_number(), "某某", **changes)
        assert answer.status_code == 422
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(f"/{name}", "contains_id_number")]
        assert number not in answer.text
    assert (await bureau.ask(number, "某某", case_no="GZF-350702-20260815-0001")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"programmes": []}, "/programmes"),
        ({"programmes": ["dibao", "dibao"]}, "/programmes"),
        ({"name": "\u200b"}, "/name"),
        ({"attest": "yes"}, "/attest"),
        ({"legal_basis": None}, "/legal_basis"),
        ({"reveal": True}, "/reveal"),
    ],
)
async def test_malformed_questions(bureaus: BureauWorld, changes: dict[str, Any], pointer: str) -> None:
    bureau = await bureaus.client(Terms())
    answer = await bureau.ask(id_number(), "某某", **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_disabled_client_is_out_at_once(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms())
    key = {"Idempotency-Key": "once"}
    assert (await bureau.ask(id_number(), "某某", key)).status_code == 200
    async with transaction(runtime.engine) as session:
        await session.execute(update(Client).where(col(Client.id) == bureau.id).values(disabled_at=datetime.now(UTC)))
    for headers in (None, key):
        answer = await bureau.ask(id_number(), "某某", headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")


async def test_a_revoked_token_is_out_at_once(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms())
    claims = runtime.tokens.verify_access_token(bureau.http.headers["Authorization"].removeprefix("Bearer "))
    now = datetime.now(UTC)
    async with transaction(runtime.engine) as session:
        row = {"jti": str(claims.jti), "expires_at": now + timedelta(minutes=15), "revoked_at": now}
        await session.execute(insert(RevokedToken).values(**row))
    assert (await bureau.ask(id_number(), "某某")).status_code == 401


async def test_nobody_and_an_unknown_client(bureaus: BureauWorld, anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.post(PATH, json=question(id_number(), "某某"))).json()["code"] == "token_missing"
    unknown = await bureaus.http(new_id()).post(PATH, json=question(id_number(), "某某"))
    assert (unknown.status_code, unknown.json()["code"]) == (401, "token_revoked")


FORBIDDEN = [
    "SELECT id FROM person",
    "SELECT id FROM household",
    "SELECT id FROM account",
    "SELECT secret_hash FROM client",
    "SELECT name FROM client",
    "SELECT entitlement_id FROM enrolment",
    "SELECT * FROM status_query_log",
    "SELECT amount_fen FROM entitlement_amount",
    "SELECT person_uid FROM identity_home",
    "SELECT created_by FROM sharing_agreement",
    "SELECT id FROM audit_record",
    "UPDATE enrolment SET category = 'A'",
    "UPDATE sharing_agreement SET quota_per_day = 1000000",
    "UPDATE status_query_log SET case_no = ''",
    "UPDATE stored_answer SET status = 200",
    "DELETE FROM status_query_log",
    "DELETE FROM status_quota",
    "TRUNCATE status_query_log",
    "INSERT INTO identity_key (index_version, bidx, person_uid) VALUES (1, '', gen_random_uuid())",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_role_can_do_no_more(runtime: Runtime, world: World, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(runtime.status_engine) as session:
            await session.execute(text(statement))


async def test_the_role_sees_no_other_routes_answers(runtime: Runtime, world: World) -> None:
    put = text(
        "INSERT INTO stored_answer (caller, route, key_digest, scope, fingerprint, status, headers, body, stored_at)"
        " VALUES (:caller, :route, :key, '', '', 200, '{}', '', now())"
    )
    key = new_id().bytes
    async with transaction(runtime.engine) as session:
        await session.execute(put, {"caller": new_id(), "route": "POST /api/v1/persons", "key": key})
    async with transaction(runtime.status_engine) as session:
        seen = text("SELECT count(*) FROM stored_answer WHERE route <> 'POST /api/v1/status-queries'")
        assert (await session.execute(seen)).scalar_one() == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(runtime.status_engine) as session:
            await session.execute(put, {"caller": new_id(), "route": "POST /api/v1/persons", "key": key})


async def test_the_log_can_not_be_changed_or_added_to_by_the_application(runtime: Runtime, world: World) -> None:
    for statement in ("UPDATE status_query_log SET case_no = ''", "DELETE FROM status_query_log", "TRUNCATE status_query_log"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with transaction(runtime.engine) as session:
                await session.execute(text(statement))

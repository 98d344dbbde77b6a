"""What is refused is on record, by opaque ids only, whatever the caller writes and whatever the database does."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.ids import new_id
from app.observability import JsonFormatter, redact
from tests.integration.registry_world import HUANGDUN, entry, fresh_number, registered
from tests.system.test_conventions import problem
from tests.world import World

pytestmark = pytest.mark.db
SignIn = Callable[[str], httpx.AsyncClient]


@pytest_asyncio.fixture(loop_scope="session")
async def owner(cluster: URL, worker_name: str, world: World) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(cluster.set(database=f"world_{worker_name}"))
    yield engine
    await engine.dispose()


async def record_of(owner: AsyncEngine, answer: httpx.Response) -> dict[str, Any]:
    """The one record of a request, by its trace."""
    statement = text("SELECT * FROM audit_record WHERE trace_id = :trace")
    async with owner.connect() as connection:
        (row,) = (await connection.execute(statement, {"trace": answer.headers["x-trace-id"]})).mappings().all()
    return dict(row)


async def test_a_missing_duty_is_on_record(sign_in: SignIn, owner: AsyncEngine, world: World) -> None:
    person = new_id()
    answer = await sign_in("district.finance").put(f"/api/v1/persons/{person}", json={"name": "甲"}, headers={"if-match": '"1"'})
    problem(answer, 403, "duty_required")
    record = await record_of(owner, answer)
    assert record["action"] == "PUT /api/v1/persons/{person_id}"
    assert (record["outcome"], record["reason"]) == ("refused", "duty_required")
    assert (record["subject_id"], record["actor_name"]) == (str(person), "district.finance")
    assert (record["district"], record["area_code"]) == ("350702", "350702")
    assert record["actor_id"] == world.accounts["district.finance"].id


async def test_a_duplicate_is_on_record(sign_in: SignIn, owner: AsyncEngine) -> None:
    body = entry(HUANGDUN)
    await registered(sign_in("s002.clerk"), HUANGDUN, id_number=body["id_number"])
    answer = await sign_in("s001.clerk").post("/api/v1/persons", json=entry(id_number=body["id_number"]))
    problem(answer, 409, "person_already_registered")
    record = await record_of(owner, answer)
    assert (record["reason"], record["actor_name"]) == ("person_already_registered", "s001.clerk")
    assert body["id_number"] not in str(record)


async def test_failed_sign_ins_and_lock_outs_are_on_record(anonymous: httpx.AsyncClient, owner: AsyncEngine) -> None:
    form = {"grant_type": "password", "username": f"nobody-{new_id()}", "password": "x"}
    answers = [await anonymous.post("/api/v1/auth/token", data=form) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    for answer in (answers[0], answers[-1]):
        record = await record_of(owner, answer)
        assert record["outcome"] == "refused"
        assert record["reason"] == answer.json()["code"]
        assert form["username"] not in str(record)


async def test_an_id_number_in_an_address_is_not_kept(sign_in: SignIn, owner: AsyncEngine) -> None:
    """Somebody who guesses addresses writes personal data into them; the refusal must not keep it."""
    number = fresh_number()
    answer = await sign_in("district.finance").get(f"/api/v1/areas/{number}")
    assert answer.status_code in (404, 422)
    answer = await sign_in("district.admin").post(f"/api/v1/applications/{number}/submit")
    assert answer.status_code in (403, 422)
    async with owner.connect() as connection:
        kept = await connection.execute(text("SELECT count(*) FROM audit_record WHERE subject_id LIKE :n"), {"n": f"%{number}%"})
        assert kept.scalar_one() == 0


FAIL = """
    DO $$ BEGIN
    CREATE FUNCTION refuse_record() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'no room'; END $f$;
    CREATE TRIGGER refuse_record BEFORE INSERT ON audit_record FOR EACH ROW EXECUTE FUNCTION refuse_record();
    END $$
"""


@asynccontextmanager
async def broken_trail(owner: AsyncEngine) -> AsyncIterator[None]:
    async with owner.begin() as connection:
        await connection.execute(text(FAIL))
    try:
        yield
    finally:
        async with owner.begin() as connection:
            await connection.execute(text("DROP FUNCTION refuse_record CASCADE"))


async def test_a_refusal_stands_when_it_cannot_be_recorded_and_raises_the_alarm(sign_in: SignIn, owner: AsyncEngine) -> None:
    counter = "minzheng_refusal_record_failures_total"
    before = REGISTRY.get_sample_value(counter) or 0
    async with broken_trail(owner):
        answer = await sign_in("district.finance").put(
            f"/api/v1/persons/{new_id()}", json={"name": "甲"}, headers={"if-match": '"1"'}
        )
    problem(answer, 403, "duty_required")
    assert REGISTRY.get_sample_value(counter) == before + 1


async def test_an_effect_that_cannot_be_recorded_does_not_happen(sign_in: SignIn, owner: AsyncEngine) -> None:
    body = entry(name="无痕甲")
    async with broken_trail(owner):
        answer = await sign_in("s001.clerk").post("/api/v1/persons", json=body)
    problem(answer, 500, "internal_error")
    async with owner.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM person WHERE name = '无痕甲'"))).scalar_one() == 0


async def test_a_wrong_password_that_cannot_be_counted_is_no_answer(sign_in: SignIn, owner: AsyncEngine) -> None:
    """Otherwise a stolen token could try passwords without limit as long as the trail is broken."""
    async with broken_trail(owner):
        body = {"old_password": "wrong", "new_password": "Another-Pass-2026"}
        answer = await sign_in("s002.head").post("/api/v1/me/password", json=body)
    problem(answer, 500, "internal_error")


async def test_a_broken_seal_is_an_incident(sign_in: SignIn, owner: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    client = sign_in("s001.clerk")
    person = await registered(client)
    address, asked = f"/api/v1/persons/{person['id']}", {"reveal": "id_number", "purpose": "核对证件"}
    assert (await client.get(address, params=asked)).status_code == 200
    flip = "set_byte(id_number_sealed, 20, get_byte(id_number_sealed, 20) # 1)"
    async with owner.begin() as connection:
        await connection.execute(text(f"UPDATE person SET id_number_sealed = {flip} WHERE id = :id"), {"id": person["id"]})
    before = REGISTRY.get_sample_value("minzheng_seals_broken_total") or 0
    with caplog.at_level(logging.CRITICAL):
        problem(await client.get(address, params=asked), 500, "internal_error")
    assert REGISTRY.get_sample_value("minzheng_seals_broken_total") == before + 1
    assert [record for record in caplog.records if getattr(record, "alarm", None) == "seal_broken"]


# --- the log ---------------------------------------------------------------------------------------------------------------


async def test_a_failing_statement_logs_no_values(sign_in: SignIn, owner: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    """SQLAlchemy would quote the parameters, Postgres the row."""
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE person ADD CONSTRAINT nobody CHECK (name <> '泄露甲')"))
    try:
        with caplog.at_level(logging.DEBUG):
            await sign_in("s001.clerk").post("/api/v1/persons", json=entry(name="泄露甲"))
    finally:
        async with owner.begin() as connection:
            await connection.execute(text("ALTER TABLE person DROP CONSTRAINT nobody"))
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name.startswith("minzheng")]
    assert not [line for line in lines if "泄露甲" in line]


@pytest.mark.parametrize(
    "told",
    [
        "DETAIL:  Failing row contains (350702, 01a2, 张三, 1990-01-01).",
        "Key (username)=(张三) already exists.",
        'duplicate key value violates unique constraint "x"\nDETAIL:  Key (name, born)=(张三, 1990-01-01) already exists.',
    ],
)
def test_rows_quoted_by_postgres_are_hidden(told: str) -> None:
    assert "张三" not in redact(told)

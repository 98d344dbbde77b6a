"""Connections kept for single statements: bounded in number, given up when broken, and never in the pool's books."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from sqlalchemy import text

from app.db.kept_connections import KeptConnections
from app.db.session import transaction
from app.db.statements import Statement
from app.runtime import Runtime

pytestmark = pytest.mark.db

BACKEND = Statement.of(text("SELECT pg_backend_pid() AS pid"))
SLEEP = Statement.of(text("SELECT pg_backend_pid() AS pid, pg_sleep(:seconds)"))


@pytest_asyncio.fixture(loop_scope="session")
async def kept(runtime: Runtime) -> AsyncIterator[KeptConnections]:
    connections = KeptConnections(runtime.engine, most=2, patience_seconds=10)
    yield connections
    await connections.close()


@pytest_asyncio.fixture(loop_scope="session")
async def impatient(runtime: Runtime) -> AsyncIterator[KeptConnections]:
    connections = KeptConnections(runtime.engine, most=2, patience_seconds=0.2)
    yield connections
    await connections.close()


async def backend(kept: KeptConnections) -> int:
    (row,) = await kept.fetch(BACKEND, {})
    return int(row["pid"])


def in_use() -> float | None:
    return REGISTRY.get_sample_value("minzheng_db_pool_in_use", {"pool": "api"})


async def test_one_connection_serves_one_statement_after_the_other(kept: KeptConnections) -> None:
    before = in_use()
    assert len({await backend(kept) for _ in range(5)}) == 1
    assert in_use() == before, "a kept connection counts as none of the pool's"


async def test_each_value_goes_to_its_place(kept: KeptConnections) -> None:
    statement = Statement.of(text("SELECT CAST(:a AS text) || CAST(:b AS text) || CAST(:a AS text) AS joined"))
    (row,) = await kept.fetch(statement, {"b": "2", "a": "1", "unused": None})
    assert row["joined"] == "121"


async def test_many_at_once_share_as_many_as_there_may_be(kept: KeptConnections) -> None:
    rows = await asyncio.gather(*(kept.fetch(SLEEP, {"seconds": 0.02}) for _ in range(6)))
    assert len({row["pid"] for (row,) in rows}) == 2


async def test_nobody_waits_for_ever(impatient: KeptConnections) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(impatient.fetch(SLEEP, {"seconds": 1}))
        await asyncio.sleep(0.1)
        with pytest.raises(TimeoutError):
            await backend(impatient)
    assert await backend(impatient)


async def test_a_lost_connection_is_replaced_after_one_error_at_most(kept: KeptConnections, runtime: Runtime) -> None:
    pid = await backend(kept)
    async with transaction(runtime.engine) as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # unless it has noticed before it is used
        await backend(kept)
    assert await backend(kept) != pid


async def test_closing_after_the_server_has_hung_up(runtime: Runtime) -> None:
    connections = KeptConnections(runtime.engine, most=2, patience_seconds=10)
    pid = await backend(connections)
    async with transaction(runtime.engine) as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    await connections.close()


async def test_a_failed_statement_gives_its_connection_and_its_place_back(kept: KeptConnections) -> None:
    broken = Statement.of(text("SELECT 1 / 0"))
    for _ in range(3):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await kept.fetch(broken, {})
    assert await backend(kept)


async def test_whoever_gives_up_waiting_leaves_no_statement_behind(kept: KeptConnections) -> None:
    pid = await backend(kept)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await kept.fetch(SLEEP, {"seconds": 5})
    assert await backend(kept) != pid


# --- turns ----------------------------------------------------------------------------------------------------------------------

XID = Statement.of(text("SELECT CAST(pg_current_xact_id() AS text) AS xid, pg_sleep(0.02)"))
QUOTIENT = Statement.of(text("SELECT CAST(pg_current_xact_id() AS text) AS xid, 6 / CAST(:divisor AS int) AS quotient"))


async def test_those_of_one_turn_share_a_commit(kept: KeptConnections) -> None:
    answers = await asyncio.gather(*(kept.write(XID, {}, "turn") for _ in range(10)))
    transactions = [row["xid"] for (row,) in answers]
    assert len(set(transactions)) == 2, "the first by itself, those that came meanwhile together"
    assert transactions.count(transactions[0]) == 1
    assert len({row["xid"] for (row,) in [await kept.write(XID, {}, "turn") for _ in range(2)]}) == 2


async def test_different_turns_do_not_wait_for_each_other(kept: KeptConnections) -> None:
    answers = await asyncio.gather(*(kept.write(SLEEP, {"seconds": 0.02}, turn) for turn in range(2)))
    assert len({row["pid"] for (row,) in answers}) == 2


async def test_one_that_fails_takes_nobody_along(kept: KeptConnections) -> None:
    calls = (kept.write(QUOTIENT, {"divisor": divisor}, "turn") for divisor in (1, 2, 0, 3, 0))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(answer, asyncpg.DivisionByZeroError) for answer in answers] == [False, False, True, False, True]
    assert [answer[0]["quotient"] for answer in answers if not isinstance(answer, BaseException)] == [6, 3, 2]
    assert await backend(kept)


async def test_whoever_waits_too_long_is_told_and_the_turn_goes_on(impatient: KeptConnections) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(impatient.write(SLEEP, {"seconds": 0.6}, "turn"))
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await impatient.write(BACKEND, {}, "turn")
    assert await impatient.write(BACKEND, {}, "turn")


async def test_a_server_that_hangs_up_on_a_group_answers_nobody_wrongly(kept: KeptConnections, runtime: Runtime) -> None:
    calls = [asyncio.create_task(kept.write(SLEEP, {"seconds": 0.2}, "turn")) for _ in range(3)]
    await asyncio.sleep(0.1)
    async with transaction(runtime.engine) as session:
        hang_up = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid()"
        )
        await session.execute(text(hang_up + " AND datname = current_database()"))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[0], (asyncpg.PostgresError, asyncpg.InterfaceError, OSError))
    assert not any(isinstance(answer, BaseException) for answer in answers[1:]), "they had not begun, and go on"

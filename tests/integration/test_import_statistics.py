"""Lists that come a moment after the people: tables just filled are looked at first, so that nobody walks through them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.db.engine import normalise_url
from app.db.session import enter_scope, transaction
from app.db.statistics import AT_THE_END, MEANWHILE, renew_grown_statistics
from app.jobs.import_reading import FIRST_PART_ROWS
from app.runtime import Runtime
from tests.integration.import_world import csv_of, started, things, work
from tests.integration.kind_kit import DISTRICT, Bench, counts, parsed
from tests.integration.registry_world import card, fresh_number
from tests.integration.test_import_people import number
from tests.integration.test_import_people import row as person_row
from tests.world import World

pytestmark = pytest.mark.db
FIRST, ROWS = FIRST_PART_ROWS, 150
#: Look-ups, foreign keys and the row's own tables: up to 70, by what else lies there and how Postgres plans it. A walk would be
#: the 1,300 people there are.
TUPLES_A_ROW = 300
FETCHED = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables"
OURS = "SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
Maker = Callable[[int, dict[str, Any]], dict[str, Any]]
LISTS: dict[str, Maker] = {
    "payees": lambda _, one: {
        "户编号": one["户编号"],
        "领款人身份证号": one["身份证号"],
        "户名": one["姓名"],
        "开户银行": "农业银行",
        "银行账号": card(),
    },
    "entitlements": lambda _, one: {
        "户编号": one["户编号"],
        "项目": "低保",
        "月保障金额(元)": "300",
        "保障人数": 1,
        "保障人员身份证号": one["身份证号"],
        "起始月份": "2026-01",
    },
    "disability_certificates": lambda _, one: {
        "姓名": one["姓名"],
        "身份证号": one["身份证号"],
        "残疾人证号": f"{one['身份证号']}42",
        "发证日期": "2020-05-06",
    },
    "warnings": lambda _, one: {
        "姓名": one["姓名"],
        "身份证号": one["身份证号"],
        "预警类型": "新购车辆",
        "预警日期": "2026-03-04",
        "预警内容": "名下新增一辆小型汽车",
        "来源": "省平台",
    },
    "officials": lambda _, one: {
        "姓名": one["姓名"],
        "身份证号": one["身份证号"],
        "工作单位": "某某街道办事处",
        "职务": "民政助理员",
        "区划代码": one["区划代码"],
    },
}


@asynccontextmanager
async def never_looked_at(runtime: Runtime) -> AsyncIterator[AsyncSession]:
    """A session as the application has it, when nothing is known of its tables yet; all of it is rolled back."""
    admin = runtime.settings.database_admin_url
    assert admin is not None
    engine = create_async_engine(normalise_url(admin.get_secret_value()))
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"DELETE FROM pg_statistic WHERE starelid IN ({OURS})"))
            await connection.execute(text(f"UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE oid IN ({OURS})"))
            await connection.execute(text("SET LOCAL ROLE minzheng_api"))
            async with AsyncSession(connection) as session:
                await enter_scope(session, DISTRICT)
                yield session
            await connection.rollback()
    finally:
        await engine.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(runtime: Runtime, world: World) -> list[dict[str, Any]]:
    """Each a household; twice as many are registered."""
    rows = [person_row(number(), 身份证号=fresh_number()) for _ in range(2 * (FIRST + ROWS))]
    applied, _ = await Bench.of(runtime, "people", DISTRICT).write(*rows)
    assert counts(applied) == (len(rows), 0, 0, 0)
    return rows[: FIRST + ROWS]


@pytest.mark.parametrize("kind", LISTS)
async def test_every_row_is_looked_up_and_nothing_walked(runtime: Runtime, people: list[dict[str, Any]], kind: str) -> None:
    bench = Bench.of(runtime, kind, DISTRICT)
    rows = [LISTS[kind](place, one) for place, one in enumerate(people)]
    first, rest = (parsed(bench.kind, part, DISTRICT)[0] for part in (rows[:FIRST], rows[FIRST:]))
    run = await bench.start()
    async with never_looked_at(runtime) as session:
        await bench.writer.write(DISTRICT, session, first, run)
        assert await renew_grown_statistics(session, MEANWHILE) > 0
        before = (await session.execute(text(FETCHED))).scalar_one()
        applied = await bench.writer.write(DISTRICT, session, rest, run)
        fetched = (await session.execute(text(FETCHED))).scalar_one() - before
    assert (sum(counts(applied)), applied.refused) == (ROWS, {})
    assert fetched < TUPLES_A_ROW * ROWS


async def test_what_a_job_made_grow_is_looked_at_before_the_next_one(
    runtime: Runtime, sign_in: Callable[[str], httpx.AsyncClient]
) -> None:
    clerk = sign_in("s001.clerk")
    async with transaction(runtime.engine) as session:
        await renew_grown_statistics(session, AT_THE_END)
        assert await renew_grown_statistics(session, AT_THE_END) == 0
    pages = await _pages(runtime)
    await work(runtime, await started(clerk, csv_of(things(max(3_000, pages * 80)))))
    assert await _pages(runtime) > pages
    async with transaction(runtime.engine) as session:
        assert await renew_grown_statistics(session, AT_THE_END) == 0


async def _pages(runtime: Runtime) -> int:
    """Of the table of marks, as the planner has it."""
    async with transaction(runtime.engine) as session:
        found = await session.execute(text("SELECT relpages FROM pg_class WHERE relname = 'import_mark'"))
        return int(found.scalar_one())


@pytest.mark.parametrize(("kind", "lanes"), [("people", 3), ("test_things", 1)])
async def test_parts_that_wait_for_each_other_anyway_go_one_by_one(
    runtime: Runtime, sign_in: Callable[[str], httpx.AsyncClient], kind: str, lanes: int
) -> None:
    """Waiting lanes ran into the time limit of a lock and were tried again, for nothing."""
    clerk = sign_in("s001.clerk")
    row = person_row(number())
    content = csv_of([list(row.values())], list(row)) if kind == "people" else csv_of(things(1))
    import_id = await started(clerk, content, kind=kind)
    await work(runtime, import_id)
    assert await _lanes(runtime, import_id) == lanes


async def _lanes(runtime: Runtime, import_id: UUID) -> int:
    query = text("SELECT j.arguments->>'lanes' FROM job j JOIN import_run r ON r.job_id = j.id WHERE r.id = :id")
    async with transaction(runtime.engine, DISTRICT) as session:
        return int((await session.execute(query, {"id": import_id})).scalar_one())

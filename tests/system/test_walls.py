"""Both walls around an area: the second one holds when the first is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.db.ddl import API_ROLE
from app.db.engine import create_engine
from app.db.session import raw_connection, transaction
from app.domain.access import AreaScope
from app.ids import new_id
from app.runtime import Runtime
from tests.world import World

pytestmark = pytest.mark.db
COMMUNITY = AreaScope("350702", "350702001001")
STATION = AreaScope("350702", "350702001")
NEIGHBOUR = AreaScope("350702", "350702002")
DISTRICT = AreaScope("350702", "350702")
OTHER = AreaScope("340882", "340882")

INSERT = text(
    "INSERT INTO resident_count (district, id, area_code, as_of, population, source, recorded_at)"
    " VALUES (:district, :id, :area, :as_of, 1, 'test', :at)"
)


async def put(runtime: Runtime, scope: AreaScope, area: str, district: str = "350702") -> str:
    identifier = new_id()
    day = datetime.now(UTC).date().replace(year=1900 + identifier.int % 90)
    async with transaction(runtime.engine, scope) as session:
        values = {"district": district, "id": identifier, "area": area, "as_of": day, "at": datetime.now(UTC)}
        await session.execute(INSERT, values)
    return str(identifier)


async def seen(runtime: Runtime, scope: AreaScope | None, identifier: str) -> bool:
    async with transaction(runtime.engine, scope) as session:
        count = text("SELECT count(*) FROM resident_count WHERE id = CAST(:id AS uuid)")
        return bool((await session.execute(count, {"id": identifier})).scalar_one())


async def test_a_row_is_seen_from_its_area_and_above_only(runtime: Runtime, world: World) -> None:
    row = await put(runtime, STATION, "350702001001")
    assert [await seen(runtime, scope, row) for scope in (COMMUNITY, STATION, DISTRICT)] == [True, True, True]
    assert [await seen(runtime, scope, row) for scope in (NEIGHBOUR, OTHER, None)] == [False, False, False]


async def test_nothing_can_be_written_outside_the_scope(runtime: Runtime, world: World) -> None:
    for scope, area, district in ((STATION, "350702002001", "350702"), (DISTRICT, "340882100002", "340882")):
        with pytest.raises(DBAPIError, match="row-level security"):
            await put(runtime, scope, area, district)


async def test_a_code_that_only_begins_alike_is_outside(runtime: Runtime, world: World) -> None:
    """The range ends at the area's own border: '~' sorts behind every digit and before nothing of ours."""
    row = await put(runtime, DISTRICT, "350702010")
    assert not await seen(runtime, AreaScope("350702", "350702001"), row)


async def test_a_pooled_connection_forgets_the_scope(runtime: Runtime, world: World) -> None:
    """After a committed set_config(…, true) the setting is '', not NULL: the wall must still be shut."""
    row = await put(runtime, STATION, "350702001001")
    engine = create_engine(runtime.engine.url, runtime.settings, pool_size=1)
    try:
        async with transaction(engine, DISTRICT) as session:
            first = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            assert (await session.execute(text("SELECT count(*) FROM resident_count"))).scalar_one() > 0
        async with AsyncSession(engine) as session:
            assert (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one() == first
            assert (await session.execute(text("SELECT count(*) FROM resident_count"))).scalar_one() == 0
    finally:
        await engine.dispose()
    assert not await seen(runtime, None, row)


async def test_every_walled_table_is_shut_without_a_scope(runtime: Runtime, world: World, cluster: URL) -> None:
    owner = create_async_engine(cluster.set(database=runtime.engine.url.database))
    try:
        async with owner.connect() as connection:
            rows = await connection.execute(
                text(
                    "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c"
                    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'area_code'"
                    " JOIN pg_attribute d ON d.attrelid = c.oid AND d.attname = 'district'"
                    " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
                )
            )
            walled: dict[str, bool] = {row[0]: row[1] for row in rows}
    finally:
        await owner.dispose()
    open_tables = {"account", "client", "identity_home", "sharing_agreement"}  # before any scope is known
    assert {name for name, forced in walled.items() if not forced} <= open_tables
    for name in sorted(set(walled) - open_tables):
        async with transaction(runtime.engine) as session:
            try:
                count = (await session.execute(text(f'SELECT count(*) FROM "{name}"'))).scalar_one()
            except DBAPIError:
                continue  # not even readable
            assert count == 0, name


async def test_the_application_role_owns_nothing(runtime: Runtime, world: World) -> None:
    async with transaction(runtime.engine) as session:
        role = (
            await session.execute(text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"))
        ).one()
        owned = (
            await session.execute(
                text("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) IN (current_user, :r)"), {"r": API_ROLE}
            )
        ).scalar_one()
    assert (*role, owned) == (False, False, False, 0)


async def test_a_copy_rolls_back_with_its_session(runtime: Runtime, world: World) -> None:
    """asyncpg is in autocommit until the session has spoken; raw_connection() makes it speak first."""
    name = f"copy-{new_id()}"
    with pytest.raises(RuntimeError, match="after all"):
        async with transaction(runtime.engine) as session:
            driver = await raw_connection(session)
            record = (name, 1, datetime.now(UTC), None)
            await driver.copy_records_to_table("sign_in_failures", records=[record])
            raise RuntimeError("after all")
    async with transaction(runtime.engine) as session:
        count = text("SELECT count(*) FROM sign_in_failures WHERE name = :n")
        assert (await session.execute(count, {"n": name})).scalar_one() == 0

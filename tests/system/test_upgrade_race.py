"""Replicas that start at once upgrade the schema once, and the others wait for it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.migrate import check, current_revision, head_revision, upgrade

pytestmark = pytest.mark.db


async def test_upgrades_at_the_same_moment_wait_for_each_other(cluster: URL, worker_name: str) -> None:
    name = f"race_{worker_name}"
    admin = create_async_engine(cluster, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    await admin.dispose()
    url = cluster.set(database=name)
    await asyncio.gather(*(asyncio.to_thread(lambda: asyncio.run(upgrade(url))) for _ in range(2)))
    engine = create_async_engine(url)
    assert await current_revision(engine) == head_revision()
    await engine.dispose()
    await check(url)

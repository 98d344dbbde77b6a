"""Alembic environment: synchronous over asyncpg, one transaction per run, bounded lock waits."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.ext.asyncio import create_async_engine

import app.db.tables  # noqa: F401  (fills the metadata)
from app.db.base import AreaCode, DistrictKey, Instant, Json, Texts, metadata
from app.db.engine import normalise_url

SEPARATE = ("pgqueuer",)  # its schema is pinned in a revision of its own


def include_object(obj: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Partitions are made by maintenance, pgqueuer's tables by its own schema: neither is ours to compare."""
    if kind == "table" and reflected and name is not None:
        return not (name.startswith(SEPARATE) or _is_partition(name))
    if kind == "foreign_key_constraint" and reflected:  # Postgres keeps one for each partition that is referred to
        return not _is_partition(obj.elements[0].target_fullname.rpartition(".")[0])
    return True


def _is_partition(name: str) -> bool:
    parent, _, month = name.rpartition("_")
    return parent in metadata.tables and len(month) == len("YYYYMM") and month.isdigit()


def render_item(kind: str, obj: Any, _context: AutogenContext) -> str | bool:
    if kind != "type":
        return False
    rendered = {
        AreaCode: 'sa.String(12, collation="C")',
        DistrictKey: 'sa.String(12, collation="C")',
        Instant: "sa.DateTime(timezone=True)",
        Json: "postgresql.JSONB(none_as_null=True)",
        Texts: "postgresql.ARRAY(sa.Text())",
    }.get(type(obj))
    if rendered is None and type(obj).__name__ == "AutoString":
        return "sa.String()"
    return rendered or False


def _run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=include_object,
        render_item=render_item,
        compare_server_default=False,
    )
    with context.begin_transaction():
        connection.execute(sa.text("SET LOCAL lock_timeout = '4s'"))
        context.run_migrations()


async def _online(url: str) -> None:
    engine = create_async_engine(normalise_url(url))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


if (existing := context.config.attributes.get("connection")) is not None:
    _run(existing)
else:
    asyncio.run(_online(context.config.get_main_option("sqlalchemy.url") or ""))

"""Forgetting what imports were made from and what they replaced: the registry keeps what it was told, files and rejected rows
are kept for a while only, and so is what stood before, for undoing (个人信息保护法 第十九条).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.db.import_writers.marks import forget_befores
from app.db.repositories.files import drop_parts
from app.db.repositories.import_parts import ImportPartRepository
from app.db.repositories.imports import ImportRepository
from app.db.repositories.reference import list_districts
from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime

BEFORES_AT_ONCE = 5_000


async def forget_old_files(runtime: Runtime) -> int:
    """Drops the contents of imports that ended long enough ago, in all districts; answers how many imports."""
    before = datetime.now(UTC) - timedelta(days=runtime.settings.import_content_days)
    forgotten = 0
    for scope in await _districts(runtime):
        async with transaction(runtime.engine, scope) as session:
            ended = await ImportRepository(session).list_ended(scope, before=before)
            for import_id, file_id in ended:
                await drop_parts(scope, session, file_id)
                await ImportPartRepository(session).drop_contents(scope, import_id)
        forgotten += len(ended)
    return forgotten


async def forget_old_befores(runtime: Runtime) -> int:
    """Drops what stood before imports that can't be undone any more, in all districts; answers how many rows.

    A day later than need be: an undo that was asked for in time has ended by then.
    """
    before = datetime.now(UTC) - timedelta(days=runtime.settings.import_undo_days + 1)
    forgotten = 0
    for scope in await _districts(runtime):
        dropped = BEFORES_AT_ONCE
        while dropped == BEFORES_AT_ONCE:
            async with transaction(runtime.engine, scope) as session:
                dropped = await forget_befores(scope, session, ended_before=before, limit=BEFORES_AT_ONCE)
            forgotten += dropped
    return forgotten


async def _districts(runtime: Runtime) -> list[AreaScope]:
    async with transaction(runtime.engine) as session:
        return list(await list_districts(session))

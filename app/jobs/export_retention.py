"""Forgetting the files of exports: they hold people's data and are there to be fetched, not to be kept (个人信息保护法 第十九条).

That somebody took them, when and what for stays on record.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.db.repositories.exports import ExportRepository
from app.db.repositories.files import drop_parts
from app.db.repositories.reference import list_districts
from app.db.session import transaction
from app.runtime import Runtime


async def forget_old_exports(runtime: Runtime) -> int:
    """Drops the files of exports that ended long enough ago, in all districts; answers how many."""
    before = datetime.now(UTC) - timedelta(days=runtime.settings.export_content_days)
    async with transaction(runtime.engine) as session:
        districts = list(await list_districts(session))
    forgotten = 0
    for scope in districts:
        async with transaction(runtime.engine, scope) as session:
            kept = await ExportRepository(session).list_kept(scope, before=before)
            for _, file_id in kept:
                await drop_parts(scope, session, file_id)
        forgotten += len(kept)
    return forgotten

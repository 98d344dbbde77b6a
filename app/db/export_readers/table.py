"""The generic reader: by the same ``Target`` as the writer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.export_readers import CHUNK_ROWS, Fields, Reading
from app.db.import_writers.target import Target
from app.db.scoping import at_or_below, within
from app.domain.access import AreaScope


class TableReader:
    """Every row that counts, area by area."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def read(self, scope: AreaScope, session: AsyncSession, reading: Reading) -> AsyncIterator[list[Fields]]:
        """See ``Reader``; tables without time of their own are read as they stand now."""
        table = self._target.columns
        where = [within(scope, table), at_or_below(table.area_code, reading.area_code), *self._target.conditions()]
        after: tuple[str, UUID] | None = None
        while True:
            statement = sa.select(*table).where(*where).order_by(table.area_code, table.id).limit(CHUNK_ROWS)
            if after is not None:
                statement = statement.where(sa.tuple_(table.area_code, table.id) > after)
            rows = (await session.execute(statement)).mappings().all()
            if rows:
                yield [self._target.view(dict(row), reading.cipher) for row in rows]
            if len(rows) < CHUNK_ROWS:
                return
            after = (rows[-1]["area_code"], rows[-1]["id"])

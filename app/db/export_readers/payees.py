"""The accounts that households are paid to; households without one are left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.export_readers import CHUNK_ROWS, Fields, Reading, register_reader
from app.db.export_readers.people import HOUSEHOLD, account_of
from app.db.scoping import at_or_below, within
from app.domain.access import AreaScope
from app.domain.imports.kinds.payees import PAYEES


class PayeesReader:
    """Area by area."""

    async def read(self, scope: AreaScope, session: AsyncSession, reading: Reading) -> AsyncIterator[list[Fields]]:
        """See ``Reader``; an account has no time of its own."""
        after: tuple[str, UUID] | None = None
        where = (within(scope, HOUSEHOLD), at_or_below(HOUSEHOLD.area_code, reading.area_code))
        while True:
            statement = sa.select(*HOUSEHOLD).where(*where, HOUSEHOLD.bank_account_sealed.is_not(None))
            if after is not None:
                statement = statement.where(sa.tuple_(HOUSEHOLD.area_code, HOUSEHOLD.id) > after)
            rows = (await session.execute(statement.order_by(HOUSEHOLD.area_code, HOUSEHOLD.id).limit(CHUNK_ROWS))).all()
            if rows:
                yield [{"household_no": row.household_no} | account_of(row, reading.cipher) for row in rows]
            if len(rows) < CHUNK_ROWS:
                return
            after = (rows[-1].area_code, rows[-1].id)


register_reader(PAYEES.code, PayeesReader())

"""Reports of other bureaus about people, as they are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.scoping import at_or_below, within
from app.db.tables.bureau_notices import BureauNotice
from app.domain.access import AreaScope

NOTICE = columns(BureauNotice)


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which reports; None asks for no condition. ``registered``: about somebody who was on file when the report came in."""

    kind: str | None = None
    area_code: str | None = None
    registered: bool | None = None


class BureauNoticeRepository:
    """The reports of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_page(
        self, scope: AreaScope, wanted: NoticeFilter, *, before: UUID | None, limit: int
    ) -> Sequence[BureauNotice]:
        """Newest first."""
        statement = sa.select(BureauNotice).where(*_conditions(scope, wanted))
        if before is not None:
            statement = statement.where(NOTICE.id < before)
        return (await self._session.execute(statement.order_by(NOTICE.id.desc()).limit(limit))).scalars().all()

    async def count(self, scope: AreaScope, wanted: NoticeFilter) -> int:
        statement = sa.select(sa.func.count()).select_from(BureauNotice).where(*_conditions(scope, wanted))
        return int((await self._session.execute(statement)).scalar_one())

    async def list_of_person(
        self, scope: AreaScope, person_id: UUID, number_digest: bytes, until: date
    ) -> Sequence[BureauNotice]:
        """Everything reported about a person up to a day, whether it came before or after he was registered; newest first."""
        his = sa.or_(NOTICE.person_id == person_id, NOTICE.number_digest == number_digest)
        statement = sa.select(BureauNotice).where(within(scope, NOTICE), his, NOTICE.occurred_on <= until)
        return (await self._session.execute(statement.order_by(NOTICE.occurred_on.desc(), NOTICE.id))).scalars().all()


def _conditions(scope: AreaScope, wanted: NoticeFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [within(scope, NOTICE)]
    if wanted.kind is not None:
        conditions.append(NOTICE.kind == wanted.kind)
    if wanted.area_code is not None:
        conditions.append(at_or_below(NOTICE.area_code, wanted.area_code))
    if wanted.registered is not None:
        conditions.append(NOTICE.person_id.is_not(None) if wanted.registered else NOTICE.person_id.is_(None))
    return conditions

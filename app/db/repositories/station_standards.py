"""Standards that a district has laid down itself: drafts, and the signed ones that its stations are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.locks import lock_subjects
from app.db.tables.station_standards import StationStandard
from app.domain.access import AreaScope, Signature
from app.domain.stations.local_standards import DraftState, StandardDraft, draft_not_found

STANDARD = columns(StationStandard)

register_constraint(
    "uq_station_standard_signed", "standard_version_precedes", "该标准已有自同日起的版本，请更正 effective_from。"
)
register_constraint("ck_station_standard_signed_by_another", "own_standard", "不能签批自己起草的标准，请由他人签批。")


class StandardDraftRepository:
    """The standards of one transaction; everybody in the district may read them, whatever his area."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, scope: AreaScope) -> None:
        """Takes the district's standards for this transaction."""
        await lock_subjects(self._session, [f"station standards {scope.district}".encode()])

    async def list_signed(self, scope: AreaScope) -> list[str]:
        """The documents in force, as JSON text, in the order of their first days."""
        statement = sa.select(sa.cast(STANDARD.document, sa.Text)).where(
            STANDARD.district == scope.district, STANDARD.state == DraftState.SIGNED.value
        )
        return list((await self._session.execute(statement.order_by(STANDARD.valid_from, STANDARD.id))).scalars())

    async def get(self, scope: AreaScope, draft_id: UUID) -> StandardDraft:
        """``NotFound`` standard_draft_not_found."""
        statement = sa.select(StationStandard).where(STANDARD.district == scope.district, STANDARD.id == draft_id)
        found = await self._session.execute(statement.execution_options(populate_existing=True))
        row = found.scalar_one_or_none()
        if row is None:
            raise draft_not_found()
        return _draft(row)

    async def list_drafts(
        self, scope: AreaScope, *, state: DraftState | None, after: UUID | None, limit: int
    ) -> Sequence[StandardDraft]:
        """A page by id."""
        statement = sa.select(StationStandard).where(*_wanted(scope, state))
        if after is not None:
            statement = statement.where(STANDARD.id > after)
        rows = await self._session.execute(statement.order_by(STANDARD.id).limit(limit))
        return [_draft(row) for row in rows.scalars()]

    async def count_drafts(self, scope: AreaScope, state: DraftState | None) -> int:
        statement = sa.select(sa.func.count()).select_from(StationStandard).where(*_wanted(scope, state))
        return int((await self._session.execute(statement)).scalar_one())

    async def add(self, scope: AreaScope, draft: StandardDraft) -> None:
        values = {"district": scope.district, "id": draft.id, "area_code": scope.prefix, **_text_of(draft)}
        await self._session.execute(sa.insert(StationStandard).values(**values, state=draft.state.value, version=1))

    async def save(self, scope: AreaScope, draft: StandardDraft) -> StandardDraft:
        """One version more."""
        signed = draft.signed
        signature = {} if signed is None else {"signed_by": signed.by, "signed_by_name": signed.name, "signed_at": signed.at}
        mine = sa.update(StationStandard).where(STANDARD.district == scope.district, STANDARD.id == draft.id)
        changed = mine.values(**_text_of(draft), **signature, state=draft.state.value, version=draft.version + 1)
        await self._session.execute(changed.execution_options(synchronize_session=False))
        return await self.get(scope, draft.id)


def _wanted(scope: AreaScope, state: DraftState | None) -> list[sa.ColumnElement[bool]]:
    wanted = [STANDARD.district == scope.district]
    return wanted if state is None else [*wanted, STANDARD.state == state.value]


def _text_of(draft: StandardDraft) -> dict[str, object]:
    standard = draft.standard
    return {
        "code": standard.code,
        "valid_from": standard.versions[0].valid_from,
        "document": draft.document,
        "drafted_by": draft.drafted.by,
        "drafted_by_name": draft.drafted.name,
        "drafted_at": draft.drafted.at,
    }


def _draft(row: StationStandard) -> StandardDraft:
    signed = None
    if row.signed_by is not None and row.signed_by_name is not None and row.signed_at is not None:
        signed = Signature(row.signed_by, row.signed_by_name, row.signed_at)
    return StandardDraft(
        id=row.id,
        document=row.document,
        state=DraftState(row.state),
        drafted=Signature(row.drafted_by, row.drafted_by_name, row.drafted_at),
        signed=signed,
        version=row.version,
    )

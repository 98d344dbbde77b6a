"""Leads, and what they name: communities, informants, households, colleagues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.scoping import at_or_below, within
from app.db.tables.leads import Lead as LeadTable
from app.domain.access import AreaScope
from app.domain.calendar import Deadline
from app.domain.leads import Lead, LeadEntry, LeadKind, LeadOutcome, LeadState, refusals
from app.domain.leads.model import OPEN, Party
from app.security.fields import Field, FieldCipher

LEAD = columns(LeadTable)
OPEN_STATES = [state.value for state in OPEN]


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads; None asks for no condition. ``overdue_on``: open after their last day.
    ``to_feed_back``: settled, and the informant hasn't been told.
    """

    area_code: str | None = None
    kind: LeadKind | None = None
    state: LeadState | None = None
    open_only: bool = False
    overdue_on: date | None = None
    informant_id: UUID | None = None
    to_feed_back: bool = False


class LeadRepository:
    """The leads of one transaction."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher, now: datetime) -> None:
        self._session = session
        self._cipher = cipher
        self._now = now

    async def add(self, scope: AreaScope, lead: Lead) -> None:
        seal = self._cipher.seal
        values = {
            "district": scope.district,
            "id": lead.id,
            "area_code": lead.entry.area_code,
            "kind": lead.entry.kind.value,
            "about_sealed": seal(Field.LEAD, lead.id, lead.entry.about),
            "description_sealed": seal(Field.LEAD, lead.id, lead.entry.description),
            "informant_id": lead.entry.informant_id,
            "household_id": lead.entry.household_id,
            "reported_by": lead.reported_by.id,
            "reported_by_name": lead.reported_by.name,
            "reported_on": lead.reported_on,
            "due_on": lead.due.date,
            "due_provisional": lead.due.provisional,
            "created_at": self._now,
            "version": 1,
            **self._state_values(lead),
        }
        await self._session.execute(sa.insert(LeadTable).values(**values))

    async def get(self, scope: AreaScope, lead_id: UUID, *, lock: bool = False) -> Lead:
        """``NotFound`` lead_not_found."""
        statement = sa.select(LeadTable).where(within(scope, LEAD), LEAD.id == lead_id)
        statement = statement.with_for_update() if lock else statement
        found = await self._session.execute(statement.execution_options(populate_existing=True))
        row = found.scalar_one_or_none()
        if row is None:
            raise refusals.lead_not_found()
        return self._lead(row)

    async def save(self, scope: AreaScope, lead: Lead) -> Lead:
        mine = sa.update(LeadTable).where(within(scope, LEAD), LEAD.id == lead.id)
        await self._session.execute(mine.values(**self._state_values(lead), version=lead.version + 1))
        return await self.get(scope, lead.id)

    async def list_leads(
        self, scope: AreaScope, wanted: LeadFilter, *, after: tuple[date, UUID] | None, limit: int
    ) -> list[Lead]:
        """By due day: what has to be settled first comes first."""
        statement = sa.select(LeadTable).where(*_conditions(scope, wanted))
        if after is not None:
            statement = statement.where(sa.tuple_(LEAD.due_on, LEAD.id) > sa.tuple_(*map(sa.literal, after)))
        rows = (await self._session.execute(statement.order_by(LEAD.due_on, LEAD.id).limit(limit))).scalars()
        return [self._lead(row) for row in rows]

    async def count_leads(self, scope: AreaScope, wanted: LeadFilter) -> int:
        statement = sa.select(sa.func.count()).select_from(LeadTable).where(*_conditions(scope, wanted))
        return int((await self._session.execute(statement)).scalar_one())

    def _state_values(self, lead: Lead) -> dict[str, Any]:
        return {
            "state": lead.state.value,
            "handler_id": lead.handler.id if lead.handler else None,
            "handler_name": lead.handler.name if lead.handler else None,
            "outcome": lead.outcome.value if lead.outcome else None,
            "note_sealed": self._cipher.seal(Field.LEAD, lead.id, lead.note) if lead.note else None,
            "settled_on": lead.settled_on,
            "fed_back_on": lead.fed_back_on,
        }

    def _lead(self, row: LeadTable) -> Lead:
        opened = self._cipher.open
        handler = None
        if row.handler_id is not None and row.handler_name is not None:
            handler = Party(row.handler_id, row.handler_name)
        return Lead(
            id=row.id,
            entry=LeadEntry(
                area_code=row.area_code,
                kind=LeadKind(row.kind),
                about=opened(Field.LEAD, row.id, row.about_sealed),
                description=opened(Field.LEAD, row.id, row.description_sealed),
                informant_id=row.informant_id,
                household_id=row.household_id,
            ),
            state=LeadState(row.state),
            reported_by=Party(row.reported_by, row.reported_by_name),
            reported_on=row.reported_on,
            due=Deadline(row.due_on, row.due_provisional),
            handler=handler,
            outcome=LeadOutcome(row.outcome) if row.outcome else None,
            note=opened(Field.LEAD, row.id, row.note_sealed) if row.note_sealed else None,
            settled_on=row.settled_on,
            fed_back_on=row.fed_back_on,
            version=row.version,
        )


def _conditions(scope: AreaScope, wanted: LeadFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [within(scope, LEAD)]
    if wanted.area_code is not None:
        conditions.append(at_or_below(LEAD.area_code, wanted.area_code))
    if wanted.kind is not None:
        conditions.append(LEAD.kind == wanted.kind.value)
    if wanted.state is not None:
        conditions.append(LEAD.state == wanted.state.value)
    if wanted.open_only or wanted.overdue_on is not None:
        conditions.append(LEAD.state.in_(OPEN_STATES))
    if wanted.overdue_on is not None:
        conditions.append(LEAD.due_on < wanted.overdue_on)
    if wanted.informant_id is not None:
        conditions.append(LEAD.informant_id == wanted.informant_id)
    if wanted.to_feed_back:
        settled = LEAD.state == LeadState.SETTLED.value
        conditions += [settled, LEAD.informant_id.is_not(None), LEAD.fed_back_on.is_(None)]
    return conditions

"""A desk for leads over one session: the acts of ``app.domain.leads`` with what they name and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.leads import LeadRepository
from app.db.repositories.reference import find_area, get_calendar
from app.db.scoping import within
from app.db.tables.accounts import Account
from app.db.tables.registry import Household
from app.db.tables.stations import Informant
from app.domain.access import Actor, AreaScope, Duty
from app.domain.calendar import Calendar
from app.domain.leads import LeadDesk
from app.domain.leads.model import Party
from app.security.fields import FieldCipher

INFORMANT, HOUSEHOLD, ACCOUNT = columns(Informant), columns(Household), columns(Account)
COMMUNITY_DIGITS, SUBDISTRICT_DIGITS = 12, 9


class Surroundings:
    """What a lead names, looked up in the caller's scope."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def is_community(self, scope: AreaScope, area_code: str, on: date) -> bool:
        if len(area_code) != COMMUNITY_DIGITS or not scope.covers(area_code):
            return False
        area = await find_area(self._session, area_code, on)
        return area is not None and area.district == scope.district

    async def informant_serves(self, scope: AreaScope, informant_id: UUID, area_code: str, on: date) -> bool:
        active = sa.or_(INFORMANT.valid_until.is_(None), INFORMANT.valid_until > on)
        return await self._exists(
            within(scope, INFORMANT),
            INFORMANT.id == informant_id,
            INFORMANT.area_code == area_code,
            INFORMANT.valid_from <= on,
            active,
        )

    async def household_lives(self, scope: AreaScope, household_id: UUID, area_code: str) -> bool:
        return await self._exists(within(scope, HOUSEHOLD), HOUSEHOLD.id == household_id, HOUSEHOLD.area_code == area_code)

    async def find_colleague(self, scope: AreaScope, account_id: UUID, area_code: str) -> Party | None:
        """An active clerk or head of the sub-district that the community lies in."""
        clerk = sa.or_(*(ACCOUNT.duties.contains([duty.value]) for duty in (Duty.STATION_CLERK, Duty.STATION_HEAD)))
        statement = sa.select(ACCOUNT.id, ACCOUNT.username).where(
            ACCOUNT.id == account_id,
            ACCOUNT.district == scope.district,
            ACCOUNT.area_code == area_code[:SUBDISTRICT_DIGITS],
            ACCOUNT.disabled_at.is_(None),
            clerk,
        )
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else Party(row.id, row.username)

    async def calendar(self) -> Calendar:
        return await get_calendar(self._session)

    async def _exists(self, *conditions: sa.ColumnElement[bool]) -> bool:
        return bool((await self._session.execute(sa.select(sa.exists().where(*conditions)))).scalar_one())


class LeadTrail:
    """Entries about leads in the audit trail."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None:
        await self._audit.record(AuditEntry(action, kind, subject, area_code, tuple(fields)))


def open_lead_desk(session: AsyncSession, cipher: FieldCipher, actor: Actor, *, today: date, now: datetime) -> LeadDesk:
    """``today`` is the business date, ``now`` the moment; both go into what is written."""
    trail = LeadTrail(AuditTrail(session, actor))
    return LeadDesk(actor, today, LeadRepository(session, cipher, now), Surroundings(session), trail)

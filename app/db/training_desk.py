"""A desk for trainings of informants over one session: the acts with what they name and the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.reference import area_name, find_area
from app.db.repositories.stations import StationRepository
from app.db.repositories.trainings import TrainingRepository
from app.db.scoping import at_or_below, within
from app.db.tables.stations import Informant
from app.domain.access import Actor, AreaScope
from app.domain.trainings import TrainingDesk
from app.domain.trainings.model import Trainee, TrainingStation

INFORMANT = columns(Informant)


class Surroundings:
    """Stations and informants as trainings name them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._stations = StationRepository(session)

    async def station(self, scope: AreaScope, station_id: UUID) -> TrainingStation:
        """Locked: two trainings of a station must not give the same number to their certificates."""
        seen = await self._stations.get(scope, station_id)
        await self._stations.lock(scope, seen.area_code)
        found = await self._stations.get(scope, station_id)
        return TrainingStation(found.id, found.area_code, found.details.name, found.closed_on)

    async def trainees(self, scope: AreaScope, area_code: str, informants: AbstractSet[UUID], on: date) -> dict[UUID, Trainee]:
        statement = sa.select(
            INFORMANT.id, INFORMANT.area_code, INFORMANT.name, INFORMANT.valid_from, INFORMANT.valid_until
        ).where(within(scope, INFORMANT), at_or_below(INFORMANT.area_code, area_code), INFORMANT.id.in_(informants))
        rows = (await self._session.execute(statement)).all()
        subdistrict = await self._name(area_code, on)
        names = {code: subdistrict + await self._name(code, on) for code in {row.area_code for row in rows}}
        return {
            row.id: Trainee(row.id, row.area_code, row.name, row.valid_from, row.valid_until, names[row.area_code])
            for row in rows
        }

    async def _name(self, code: str, on: date) -> str:
        area = await find_area(self._session, code, on)
        return area.name if area is not None else await area_name(self._session, code)


class TrainingTrail:
    """Entries about trainings in the audit trail."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None:
        await self._audit.record(AuditEntry(action, kind, subject, area_code, tuple(fields)))


def open_training_desk(
    session: AsyncSession, actor: Actor, new_id: Callable[[], UUID], *, today: date, now: datetime
) -> TrainingDesk:
    """``today`` is the business date, ``now`` the moment; both go into what is written."""
    return TrainingDesk(
        actor=actor,
        today=today,
        now=now,
        new_id=new_id,
        trainings=TrainingRepository(session, now),
        around=Surroundings(session),
        trail=TrainingTrail(AuditTrail(session, actor)),
    )

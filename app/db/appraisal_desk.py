"""A desk for the year-end assessment over one session: the acts of ``app.domain.appraisals``, their stores, the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.acceptance_desk import AcceptanceTrail, EvidenceFiles
from app.db.appraisal_measures import OperatingData
from app.db.base import columns
from app.db.repositories.appraisal_entries import EntryRepository
from app.db.repositories.appraisals import AppraisalRepository, SchemeRepository
from app.db.repositories.audit import AuditTrail
from app.db.repositories.personnel import PersonnelRepository
from app.db.repositories.stations import STAFF, StationRepository, held
from app.db.scoping import within
from app.db.tables.accounts import Account
from app.domain.access import Actor, AreaScope
from app.domain.appraisals import AppraisalDesk, Personnel, Scheme, StationYears, Years
from app.domain.appraisals.ports import StationTaken
from app.domain.errors import Conflict
from app.domain.stations.records import StationRecord

ACCOUNT = columns(Account)
MOST_STATIONS = 10_000


class StationsAround:
    """Stations, and who works there."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._stations = StationRepository(session)

    async def taken(self, scope: AreaScope, area_code: str, wanted: Sequence[UUID], on: date) -> list[StationTaken]:
        """Those of the area that stand on the day, by area; ``wanted`` empty: all."""
        listed = await self._stations.list_stations(scope, area_code=area_code, on=on, after=None, limit=MOST_STATIONS)
        standing = {one.id: one for one in listed}
        for station_id in wanted:
            if station_id not in standing:
                await self._stations.get(scope, station_id)  # not there at all, or not on the day
                raise Conflict("station_not_standing", "所选站点在该日未设立或已撤销，请重新选择。")
        chosen = [standing[one] for one in dict.fromkeys(wanted)] if wanted else list(standing.values())
        return [_taken(one) for one in sorted(chosen, key=lambda one: one.area_code)]

    async def area_of(self, scope: AreaScope, station_id: UUID) -> str:
        return (await self._stations.get(scope, station_id)).area_code

    async def staff_of(self, scope: AreaScope, station_id: UUID, first: date, last: date) -> list[tuple[UUID | None, str]]:
        statement = sa.select(STAFF.account_id, STAFF.name).where(
            within(scope, STAFF),
            STAFF.station_id == station_id,
            STAFF.valid_from <= last,
            sa.or_(STAFF.valid_until.is_(None), STAFF.valid_until > first),
            held(STAFF),
        )
        return [(account, name) for account, name in await self._session.execute(statement)]

    async def name_of(self, scope: AreaScope, account_id: UUID) -> str:
        statement = sa.select(ACCOUNT.display_name).where(ACCOUNT.district == scope.district, ACCOUNT.id == account_id)
        return str((await self._session.execute(statement)).scalar_one())


def _taken(station: StationRecord) -> StationTaken:
    return StationTaken(station.id, station.area_code, station.details.name)


@dataclass(frozen=True)
class OpenDesk:
    """One caller's desk: the acts, and the stores for plain reads."""

    years: Years
    stations: StationYears
    personnel: Personnel
    desk: AppraisalDesk
    records: AppraisalRepository
    entries: EntryRepository
    people: PersonnelRepository
    schemes: SchemeRepository


def open_appraisal_desk(
    session: AsyncSession,
    actor: Actor,
    shipped: Sequence[Scheme],
    new_id: Callable[[], UUID],
    *,
    today: date,
    now: datetime,
) -> OpenDesk:
    """``today`` is the business date, ``now`` the moment; both go into what is written. ``shipped``: of the application."""
    records, entries, people = AppraisalRepository(session), EntryRepository(session), PersonnelRepository(session)
    schemes = SchemeRepository(session, actor, shipped, now)
    desk = AppraisalDesk(
        actor=actor,
        today=today,
        now=now,
        new_id=new_id,
        schemes=schemes,
        years=records,
        entries=entries,
        measurements=OperatingData(session),
        people=people,
        stations=StationsAround(session),
        evidence=EvidenceFiles(session),
        trail=AcceptanceTrail(AuditTrail(session, actor)),
    )
    return OpenDesk(Years(desk), StationYears(desk), Personnel(desk), desk, records, entries, people, schemes)

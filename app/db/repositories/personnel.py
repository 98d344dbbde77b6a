"""Assistants and informants of stations, and what was put on record about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.repositories.appraisal_rows import person_record_of
from app.db.repositories.stations import STAFF, STATION, held
from app.db.scoping import within
from app.db.tables.appraisals import PersonnelRecord
from app.db.tables.stations import Informant, Station
from app.domain.access import AreaScope
from app.domain.appraisals.personnel import Person, PersonKind, PersonRecord, RecordKind

INFORMANT = columns(Informant)
RECORD = columns(PersonnelRecord)
SUBDISTRICT_DIGITS = 9
THING = (RECORD.station_id, RECORD.person_id, RECORD.kind, RECORD.period)


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records; None asks for no condition."""

    person_id: UUID | None = None
    kind: RecordKind | None = None
    year: int | None = None


class PersonnelRepository:
    """The people of stations in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_people(self, scope: AreaScope, stations: Sequence[UUID], first: date, last: date) -> list[Person]:
        """Staff but the leaders, and informants of the communities, there on any day of the period; by name."""
        staff = sa.select(*STAFF).where(
            within(scope, STAFF), STAFF.station_id.in_(stations), STAFF.leads_as.is_(None), *_there(STAFF, first, last)
        )
        informants = (
            sa.select(*INFORMANT, STATION.id.label("station_id"))
            .join(
                Station,
                sa.and_(
                    STATION.district == INFORMANT.district,
                    STATION.area_code == sa.func.left(INFORMANT.area_code, SUBDISTRICT_DIGITS),
                ),
            )
            .where(within(scope, INFORMANT), STATION.id.in_(stations), *_there(INFORMANT, first, last))
        )
        found = [_person(row, PersonKind.ASSISTANT, row.account_id) for row in await self._session.execute(staff)]
        found += [_person(row, PersonKind.INFORMANT, None) for row in await self._session.execute(informants)]
        return sorted(found, key=lambda one: (one.kind, one.area_code, one.name, one.id))

    async def list_records(self, scope: AreaScope, stations: Sequence[UUID], year: int) -> list[PersonRecord]:
        """The latest word on each person and period."""
        statement = (
            sa.select(PersonnelRecord)
            .ext(distinct_on(*THING))
            .where(within(scope, RECORD), RECORD.station_id.in_(stations), *_of_year(year))
            .order_by(*THING, RECORD.number.desc())
        )
        rows = (await self._session.execute(statement.execution_options(populate_existing=True))).scalars()
        return [person_record_of(row) for row in rows]

    async def add_records(self, scope: AreaScope, records: Iterable[PersonRecord]) -> None:
        """Of one station. Two that put something on record at once come one after the other."""
        given = list(records)
        station = given[0].station_id
        await lock_subjects(self._session, [f"personnel records {scope.district} {station}".encode()])
        highest = sa.select(sa.func.coalesce(sa.func.max(RECORD.number), 0)).where(
            within(scope, RECORD), RECORD.station_id == station
        )
        number = int((await self._session.execute(highest)).scalar_one()) + 1
        rows = [_row(scope, one) | {"number": number} for one in given]
        await self._session.execute(sa.insert(PersonnelRecord), rows)

    async def page_records(
        self, scope: AreaScope, station_id: UUID, wanted: RecordFilter, *, before: UUID | None, limit: int
    ) -> list[PersonRecord]:
        """Everything on file, the latest first; words that count no longer too."""
        statement = sa.select(PersonnelRecord).where(*_wanted(scope, station_id, wanted))
        if before is not None:
            statement = statement.where(RECORD.id < before)
        rows = (await self._session.execute(statement.order_by(RECORD.id.desc()).limit(limit))).scalars()
        return [person_record_of(row) for row in rows]

    async def count_records(self, scope: AreaScope, station_id: UUID, wanted: RecordFilter) -> int:
        statement = sa.select(sa.func.count()).select_from(PersonnelRecord).where(*_wanted(scope, station_id, wanted))
        return int((await self._session.execute(statement)).scalar_one())


def _there(table: Any, first: date, last: date) -> list[Any]:
    """Held on some day of the period, both days included."""
    return [table.valid_from <= last, sa.or_(table.valid_until.is_(None), table.valid_until > first), held(table)]


def _of_year(year: int) -> list[Any]:
    return [RECORD.period >= date(year, 1, 1), RECORD.period < date(year + 1, 1, 1)]


def _wanted(scope: AreaScope, station_id: UUID, wanted: RecordFilter) -> list[Any]:
    conditions = [within(scope, RECORD), RECORD.station_id == station_id]
    if wanted.person_id is not None:
        conditions.append(RECORD.person_id == wanted.person_id)
    if wanted.kind is not None:
        conditions.append(RECORD.kind == wanted.kind.value)
    return conditions if wanted.year is None else [*conditions, *_of_year(wanted.year)]


def _person(row: Any, kind: PersonKind, account_id: UUID | None) -> Person:
    return Person(row.id, kind, row.station_id, row.name, row.area_code, row.valid_from, row.valid_until, account_id)


def _row(scope: AreaScope, record: PersonRecord) -> dict[str, Any]:
    return {
        "district": scope.district,
        "id": record.id,
        "area_code": record.area_code,
        "station_id": record.station_id,
        "person_id": record.person_id,
        "person_kind": record.person_kind.value,
        "person_name": record.person_name,
        "kind": record.kind.value,
        "period": record.period,
        "held_on": record.held_on,
        "outcome": record.outcome.value,
        "note": record.note,
        "recorded_by": record.signature.by,
        "recorded_by_name": record.signature.name,
        "recorded_at": record.signature.at,
    }

"""Stations, their staff, their trainings and meetings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.locks import lock_subjects
from app.db.scoping import Columns, at_or_below, within
from app.db.tables.accounts import Account
from app.db.tables.station_files import StationMeeting, StationTraining
from app.db.tables.stations import Station, StationStaff
from app.domain.access import AreaScope
from app.domain.stations import refusals
from app.domain.stations.records import (
    E,
    Event,
    Meeting,
    StaffDetails,
    StaffRecord,
    StationDetails,
    StationRecord,
    Training,
)
from app.ids import new_id

STATION = columns(Station)
STAFF = columns(StationStaff)
ACCOUNT = columns(Account)
EVENT_TABLES: Final[dict[type, type[SQLModel]]] = {Training: StationTraining, Meeting: StationMeeting}

register_constraint("ex_station_one_at_a_time", "station_exists", "该乡镇（街道）同一时期已有工作站；请修改原站，或先办理撤站。")
register_constraint("uq_station_open", "station_exists", "该乡镇（街道）同一时期已有工作站；请修改原站，或先办理撤站。")
for _name in ("ex_station_staff_one_post", "uq_station_staff_district_station_id_name_valid_from"):
    register_constraint(_name, "staff_period_overlaps", "此人在该期间已有任职记录；请核对起止日期，或先终止原任职。")
register_constraint("ex_station_staff_one_leader", "station_leader_taken", "该期间已有人担任同一职务；请核对日期，或终止其任职。")
for _name in (
    "uq_station_training_district_station_id_audience_held_on_topic",
    "uq_station_meeting_district_station_id_kind_held_on",
):
    register_constraint(_name, "station_event_repeated", "当日的同一培训或会议已有记录，请修改原记录。")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: behind this day and id."""

    day: date
    id: UUID


class StationRepository:
    """The stations of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, scope: AreaScope, area_code: str) -> None:
        """Takes the station files of a sub-district or community for this transaction."""
        await lock_subjects(self._session, [f"station files {scope.district} {area_code}".encode()])

    # stations

    async def get(self, scope: AreaScope, station_id: UUID) -> StationRecord:
        """``NotFound`` station_not_found."""
        found = await self._stations(scope, STATION.id == station_id)
        if not found:
            raise refusals.station_not_found()
        return found[0]

    async def list_of_area(self, scope: AreaScope, area_code: str) -> Sequence[StationRecord]:
        """All stations that a sub-district ever had."""
        return await self._stations(scope, STATION.area_code == area_code)

    async def list_stations(
        self, scope: AreaScope, *, area_code: str | None, on: date | None, after: UUID | None, limit: int
    ) -> Sequence[StationRecord]:
        """A page by id: the stations that stand on the day, or (None) all that ever did."""
        conditions = _wanted_stations(area_code, on)
        if after is not None:
            conditions.append(STATION.id > after)
        return await self._stations(scope, *conditions, limit=limit)

    async def count_stations(self, scope: AreaScope, *, area_code: str | None, on: date | None) -> int:
        return await self._count(Station, within(scope, STATION), *_wanted_stations(area_code, on))

    async def add(self, scope: AreaScope, area_code: str, details: StationDetails, *, by: UUID, now: datetime) -> UUID:
        station_id = new_id()
        values = {"district": scope.district, "id": station_id, "area_code": area_code, **asdict(details)}
        stamps = {"created_at": now, "created_by": by, "updated_at": now}
        await self._session.execute(insert(Station).values(**values, **stamps))
        return station_id

    async def change(self, scope: AreaScope, station: StationRecord, now: datetime) -> None:
        """Writes down the record as it now is; one version more."""
        values = {**asdict(station.details), "closed_on": station.closed_on, "updated_at": now}
        await self._update(scope, Station, station.id, values)

    # staff

    async def get_staff(self, scope: AreaScope, station_id: UUID, staff_id: UUID) -> StaffRecord:
        """``NotFound`` staff_not_found."""
        found = await self._staff(scope, STAFF.station_id == station_id, STAFF.id == staff_id)
        if not found:
            raise refusals.staff_not_found()
        return found[0]

    async def list_everyone(self, scope: AreaScope, station_id: UUID) -> Sequence[StaffRecord]:
        """Everybody who ever held a post at the station."""
        return await self._staff(scope, STAFF.station_id == station_id)

    async def list_staff(
        self, scope: AreaScope, station_id: UUID, *, on: date | None, after: UUID | None, limit: int
    ) -> Sequence[StaffRecord]:
        """A page by id: who holds a post on the day, or (None) everybody who ever did."""
        conditions = [STAFF.station_id == station_id, *in_force(STAFF, on)]
        if after is not None:
            conditions.append(STAFF.id > after)
        return await self._staff(scope, *conditions, limit=limit)

    async def count_staff(self, scope: AreaScope, station_id: UUID, on: date | None) -> int:
        return await self._count(StationStaff, within(scope, STAFF), STAFF.station_id == station_id, *in_force(STAFF, on))

    async def leaders(self, scope: AreaScope, station_ids: Sequence[UUID], on: date) -> dict[UUID, dict[str, str]]:
        """Station → head, deputy → name, on the day."""
        conditions = [within(scope, STAFF), STAFF.station_id.in_(station_ids), STAFF.leads_as.is_not(None), *in_force(STAFF, on)]
        found: dict[UUID, dict[str, str]] = {}
        for station_id, role, name in await self._session.execute(
            select(STAFF.station_id, STAFF.leads_as, STAFF.name).where(*conditions)
        ):
            found.setdefault(station_id, {})[role] = name
        return found

    async def add_staff(
        self, scope: AreaScope, station: StationRecord, details: StaffDetails, *, by: UUID, now: datetime
    ) -> UUID:
        staff_id = new_id()
        values = {**_owned(scope, station, staff_id, by, now), **_staff_columns(details)}
        await self._session.execute(insert(StationStaff).values(**values))
        return staff_id

    async def change_staff(self, scope: AreaScope, staff: StaffRecord, now: datetime) -> None:
        values = {**_staff_columns(staff.details), "valid_until": staff.until, "recorded_at": now}
        await self._update(scope, StationStaff, staff.id, values)

    async def has_account(self, scope: AreaScope, account_id: UUID, area_code: str) -> bool:
        """Whether it is an account of the area or below."""
        conditions = [ACCOUNT.district == scope.district, ACCOUNT.id == account_id, at_or_below(ACCOUNT.area_code, area_code)]
        return (await self._session.execute(select(ACCOUNT.id).where(*conditions))).first() is not None

    # trainings and meetings

    async def get_event(self, scope: AreaScope, station_id: UUID, kind: type[E], event_id: UUID) -> Event[E]:
        """``NotFound`` station_event_not_found."""
        table = columns(EVENT_TABLES[kind])
        found = await self._events(scope, kind, table.station_id == station_id, table.id == event_id)
        if not found:
            raise refusals.event_not_found()
        return found[0]

    async def list_events(
        self, scope: AreaScope, station_id: UUID, kind: type[E], *, after: Position | None, limit: int
    ) -> Sequence[Event[E]]:
        """A page, the latest first."""
        table = columns(EVENT_TABLES[kind])
        conditions = [table.station_id == station_id]
        if after is not None:
            conditions.append(tuple_(table.held_on, table.id) < (after.day, after.id))
        return await self._events(scope, kind, *conditions, limit=limit)

    async def count_events(self, scope: AreaScope, station_id: UUID, kind: type[E]) -> int:
        table = columns(EVENT_TABLES[kind])
        return await self._count(EVENT_TABLES[kind], within(scope, table), table.station_id == station_id)

    async def add_event(self, scope: AreaScope, station: StationRecord, content: E, *, by: UUID, now: datetime) -> UUID | None:
        """None when it is on file already."""
        event_id = new_id()
        values = {**_owned(scope, station, event_id, by, now), **asdict(content)}
        table = EVENT_TABLES[type(content)]
        statement = upsert(table).values(**values).on_conflict_do_nothing().returning(columns(table).id)
        written: UUID | None = (await self._session.execute(statement)).scalar_one_or_none()
        return written

    async def change_event(self, scope: AreaScope, event: Event[E], now: datetime) -> None:
        values = {**asdict(event.content), "recorded_at": now}
        await self._update(scope, EVENT_TABLES[type(event.content)], event.id, values)

    async def remove_event(self, scope: AreaScope, event: Event[E]) -> None:
        table = EVENT_TABLES[type(event.content)]
        there = columns(table)
        await self._session.execute(delete(table).where(within(scope, there), there.id == event.id))

    # rows

    async def _stations(
        self, scope: AreaScope, *conditions: ColumnElement[bool], limit: int | None = None
    ) -> list[StationRecord]:
        statement = select(*STATION).where(within(scope, STATION), *conditions).order_by(STATION.id).limit(limit)
        return [_station(row) for row in await self._session.execute(statement)]

    async def _staff(self, scope: AreaScope, *conditions: ColumnElement[bool], limit: int | None = None) -> list[StaffRecord]:
        statement = select(*STAFF).where(within(scope, STAFF), *conditions).order_by(STAFF.id).limit(limit)
        return [_staff_record(row) for row in await self._session.execute(statement)]

    async def _events(
        self, scope: AreaScope, kind: type[E], *conditions: ColumnElement[bool], limit: int | None = None
    ) -> list[Event[E]]:
        table = columns(EVENT_TABLES[kind])
        statement = select(*table).where(within(scope, table), *conditions)
        rows = await self._session.execute(statement.order_by(table.held_on.desc(), table.id.desc()).limit(limit))
        names = [field.name for field in fields(cast(Any, kind))]
        return [
            Event(row.id, row.station_id, row.area_code, row.version, kind(**{name: getattr(row, name) for name in names}))
            for row in rows
        ]

    async def _count(self, table: type[SQLModel], *conditions: ColumnElement[bool]) -> int:
        statement = select(func.count()).select_from(table).where(*conditions)
        return (await self._session.execute(statement)).scalar_one()

    async def _update(self, scope: AreaScope, table: type[SQLModel], row_id: UUID, values: dict[str, Any]) -> None:
        there = columns(table)
        statement = update(table).where(within(scope, there), there.id == row_id)
        statement = statement.values(**values, version=there.version + 1)
        await self._session.execute(statement.execution_options(synchronize_session=False))


def in_force(table: Columns, on: date | None) -> list[ColumnElement[bool]]:
    """Rows whose period covers the day; None asks for no condition."""
    if on is None:
        return []
    return [and_(table.valid_from <= on, or_(table.valid_until.is_(None), table.valid_until > on))]


def held(table: Columns) -> ColumnElement[bool]:
    """Rows that weren't voided on their first day."""
    return or_(table.valid_until.is_(None), table.valid_until > table.valid_from)


def _wanted_stations(area_code: str | None, on: date | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if area_code is not None:
        conditions.append(at_or_below(STATION.area_code, area_code))
    if on is not None:
        conditions.append(and_(STATION.opened_on <= on, or_(STATION.closed_on.is_(None), STATION.closed_on > on)))
    return conditions


def _owned(scope: AreaScope, station: StationRecord, row_id: UUID, by: UUID, now: datetime) -> dict[str, Any]:
    """What every row of a station begins with."""
    return {
        "district": scope.district,
        "id": row_id,
        "area_code": station.area_code,
        "station_id": station.id,
        "recorded_at": now,
        "recorded_by": by,
    }


STATION_FIELDS = tuple(field.name for field in fields(StationDetails))
STAFF_FIELDS = tuple(field.name for field in fields(StaffDetails) if field.name != "since")


def _station(row: Row[Any]) -> StationRecord:
    details = StationDetails(**{name: getattr(row, name) for name in STATION_FIELDS})
    return StationRecord(row.id, row.area_code, details, row.closed_on, row.version)


def _staff_columns(details: StaffDetails) -> dict[str, Any]:
    return {name: getattr(details, name) for name in STAFF_FIELDS} | {"valid_from": details.since}


def _staff_record(row: Row[Any]) -> StaffRecord:
    details = StaffDetails(since=row.valid_from, **{name: getattr(row, name) for name in STAFF_FIELDS})
    return StaffRecord(row.id, row.station_id, row.area_code, details, row.valid_until, row.version)

"""Sheets of stations and communities: each in force until the next one of its kind; corrected ones are kept, and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from app.db.base import columns
from app.db.repositories.stations import Position
from app.db.scoping import Columns, at_or_below, within
from app.db.tables.station_files import (
    CommunityOffice as CommunityOfficeRow,
)
from app.db.tables.station_files import (
    StationArchive,
    StationBudget,
    StationEquipment,
    StationPremises,
    StationRule,
    StationVolunteers,
)
from app.domain.access import AreaScope
from app.domain.stations.records import (
    Archives,
    Budget,
    C,
    CommunityOffice,
    Equipment,
    Premises,
    Rules,
    Sheet,
    StationContent,
    StationRecord,
    Volunteers,
)
from app.ids import new_id


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sheets of a kind stand, and by which column they belong to somebody."""

    table: type[SQLModel]
    subject: str = "station_id"


PLACES: Final[dict[type, Place]] = {
    Premises: Place(StationPremises),
    Budget: Place(StationBudget),
    Equipment: Place(StationEquipment),
    Rules: Place(StationRule),
    Archives: Place(StationArchive),
    Volunteers: Place(StationVolunteers),
    CommunityOffice: Place(CommunityOfficeRow, "area_code"),
}


class SheetRepository:
    """The sheets of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(
        self, scope: AreaScope, subject: StationRecord | str, content: C, valid_from: date, *, by: UUID, now: datetime
    ) -> Sheet[C]:
        """A new sheet of a station, or of a community by its code; one of the same day is superseded."""
        place = PLACES[type(content)]
        table = columns(place.table)
        whose: dict[str, Any] = (
            {"area_code": subject} if isinstance(subject, str) else {"area_code": subject.area_code, "station_id": subject.id}
        )
        former = update(place.table).where(
            within(scope, table),
            table[place.subject] == whose[place.subject],
            table.valid_from == valid_from,
            table.superseded_at.is_(None),
        )
        await self._session.execute(former.values(superseded_at=now).execution_options(synchronize_session=False))
        stamps = {"valid_from": valid_from, "recorded_at": now, "recorded_by": by}
        sheet_id = new_id()
        values = {"district": scope.district, "id": sheet_id, **whose, **_values(content), **stamps}
        await self._session.execute(insert(place.table).values(**values))
        written = await self._sheets(_history(scope, type(content), [whose[place.subject]]), type(content), sheet_id)
        return written[0]

    async def withdraw(
        self,
        scope: AreaScope,
        subject: StationRecord,
        kind: type[StationContent | CommunityOffice],
        sheet_id: UUID,
        now: datetime,
    ) -> str | None:
        """Takes a sheet of a station (or of one of its communities) out of force: its area, None when it isn't there."""
        place = PLACES[kind]
        table = columns(place.table)
        whose = subject.area_code if place.subject == "area_code" else subject.id
        own = (within(scope, table), _belonging(table, place, [whose]))
        there = (*own, table.id == sheet_id, table.superseded_at.is_(None))
        taken_back = update(place.table).where(*there).values(superseded_at=now).returning(table.area_code)
        found = await self._session.execute(taken_back.execution_options(synchronize_session=False))
        area_code: str | None = found.scalar_one_or_none()
        return area_code

    async def list_sheets(
        self,
        scope: AreaScope,
        subject: UUID | str,
        kind: type[C],
        *,
        on: date | None,
        after: Position | None,
        limit: int,
    ) -> Sequence[Sheet[C]]:
        """A page, the latest first; only what is in force on ``on`` where it is named. Of a station, or of the communities at or
        below a code.
        """
        history = _history(scope, kind, [subject]).subquery()
        statement = select(history).where(*_in_force(history.c, on))
        if after is not None:
            statement = statement.where(tuple_(history.c.valid_from, history.c.id) < (after.day, after.id))
        rows = await self._session.execute(statement.order_by(history.c.valid_from.desc(), history.c.id.desc()).limit(limit))
        return [_sheet(kind, row) for row in rows]

    async def count_sheets(self, scope: AreaScope, subject: UUID | str, kind: type[C], on: date | None) -> int:
        history = _history(scope, kind, [subject]).subquery()
        statement = select(func.count()).select_from(history).where(*_in_force(history.c, on))
        return (await self._session.execute(statement)).scalar_one()

    async def list_in_force(
        self, scope: AreaScope, subjects: Sequence[UUID | str], kind: type[C], on: date
    ) -> dict[UUID | str, C]:
        """Station (or community) → what its sheet of the day says, in one query for all of them."""
        history = _history(scope, kind, subjects).subquery()
        rows = await self._session.execute(select(history).where(*_in_force(history.c, on)))
        subject = PLACES[kind].subject
        return {getattr(row, subject): _sheet(kind, row).content for row in rows}

    async def _sheets(self, history: Select[Any], kind: type[C], sheet_id: UUID) -> list[Sheet[C]]:
        found = history.subquery()
        rows = await self._session.execute(select(found).where(found.c.id == sheet_id))
        return [_sheet(kind, row) for row in rows]


def _history(scope: AreaScope, kind: type, subjects: Sequence[UUID | str]) -> Select[Any]:
    """The sheets that hold, each with the day on which the next one takes over."""
    place = PLACES[kind]
    table = columns(place.table)
    ends = func.lead(table.valid_from).over(partition_by=table[place.subject], order_by=table.valid_from).label("valid_until")
    return select(*table, ends).where(within(scope, table), _belonging(table, place, subjects), table.superseded_at.is_(None))


def _belonging(table: Columns, place: Place, subjects: Sequence[UUID | str]) -> ColumnElement[bool]:
    """Of these stations; or of these communities and of those in these sub-districts."""
    if place.subject == "area_code":
        return or_(*(at_or_below(table.area_code, str(code)) for code in subjects))
    return table[place.subject].in_(list(subjects))


def _in_force(history: Any, on: date | None) -> list[ColumnElement[bool]]:
    """A budget ends with its year."""
    if on is None:
        return []
    conditions = [history.valid_from <= on, history.valid_until.is_(None) | (history.valid_until > on)]
    if "year" in history:
        conditions.append(history.year == on.year)
    return conditions


def _values(content: C) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(content).items()}


def _sheet(kind: type[C], row: Any) -> Sheet[C]:
    made: Any = kind
    values = {field.name: getattr(row, field.name) for field in fields(made)}
    content: C = made(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
    return Sheet(row.id, row.area_code, row.valid_from, row.valid_until, content)

"""Divisions, resident counts and the calendar: loading (idempotent) and looking up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.reference import Area, AreaSuccession, CalendarDay, CalendarYear, ResidentCount
from app.domain.access import AreaScope
from app.domain.areas import AreaLevel, AreaRow, district_of
from app.domain.calendar import Calendar, DayKind
from app.ids import new_id

SINCE_EVER = date(1949, 10, 1)
IN_A_DISTRICT = (AreaLevel.DISTRICT, AreaLevel.SUBDISTRICT, AreaLevel.COMMUNITY)

AREA = columns(Area)
SUCCESSION = columns(AreaSuccession)
COUNT = columns(ResidentCount)
DAY = columns(CalendarDay)
YEAR = columns(CalendarYear)


async def load_areas(session: AsyncSession, rows: Sequence[AreaRow], *, now: datetime, district: str | None = None) -> int:
    """Adds or renames divisions; returns how many rows changed anything. The same file twice changes nothing.

    ``district`` is the frozen tenant key; None takes each row's own first six digits (right for a district's first load).
    """
    changed = 0
    for row in rows:
        changed += await _load_area(
            session, row, district or (district_of(row.code) if row.level in IN_A_DISTRICT else None), now
        )
        if row.predecessor:
            await _succeed(session, row.predecessor, row.code, row.valid_from or SINCE_EVER)
        if row.successor:
            await _succeed(session, row.code, row.successor, row.valid_until or SINCE_EVER)
    return changed


async def _load_area(session: AsyncSession, row: AreaRow, district: str | None, now: datetime) -> int:
    valid_from = row.valid_from or SINCE_EVER
    # A row that begins while an older one of the same code is still open ends that one (a rename, a new parent).
    ended = update(Area).where(
        AREA.code == row.code, AREA.valid_from < valid_from, or_(AREA.valid_until.is_(None), AREA.valid_until > valid_from)
    )
    await session.execute(ended.values(valid_until=valid_from))
    values = {
        "code": row.code,
        "valid_from": valid_from,
        "valid_until": row.valid_until,
        "name": row.name,
        "level": row.level.value,
        "parent_code": row.parent_code,
        "kind": row.kind,
        "district": district,
        "loaded_at": now,
    }
    changing = {name: values[name] for name in ("valid_until", "name", "level", "parent_code", "kind")}
    statement = insert(Area).values(**values)
    differs = or_(*(getattr(Area, name).is_distinct_from(value) for name, value in changing.items()))
    statement = statement.on_conflict_do_update(index_elements=["code", "valid_from"], set_=changing, where=differs)
    return len((await session.execute(statement.returning(AREA.code))).all())


async def _succeed(session: AsyncSession, predecessor: str, successor: str, on_date: date) -> None:
    values = {"predecessor": predecessor, "successor": successor, "on_date": on_date, "reason": "区划调整"}
    await session.execute(insert(AreaSuccession).values(**values).on_conflict_do_nothing())


async def known_area_codes(session: AsyncSession, codes: Iterable[str], on: date) -> set[str]:
    """Which of ``codes`` are divisions in force on the day."""
    found = await session.execute(select(AREA.code).where(AREA.code.in_(list(codes)), in_force(on)))
    return set(found.scalars())


def in_force(on: date) -> ColumnElement[bool]:
    return and_(AREA.valid_from <= on, or_(AREA.valid_until.is_(None), AREA.valid_until > on))


async def find_area(session: AsyncSession, code: str, on: date) -> Area | None:
    return (await session.execute(select(Area).where(AREA.code == code, in_force(on)))).scalar_one_or_none()


async def list_districts(session: AsyncSession) -> list[AreaScope]:
    """The scope of every district that was ever loaded."""
    statement = select(AREA.district, AREA.code).where(AREA.level == AreaLevel.DISTRICT.value).distinct().order_by(AREA.code)
    return [AreaScope(district, code) for district, code in await session.execute(statement)]


async def area_name(session: AsyncSession, code: str) -> str:
    """The latest name of a division, whether or not it is still in force; the code itself when unknown."""
    statement = select(AREA.name).where(AREA.code == code).order_by(AREA.valid_from.desc()).limit(1)
    return (await session.execute(statement)).scalar_one_or_none() or code


def _within(scope: AreaScope, on: date, parent: str | None) -> Select[Area]:
    statement = select(Area).where(AREA.code.startswith(scope.prefix, autoescape=True), in_force(on))
    return statement if parent is None else statement.where(AREA.parent_code == parent)


async def list_areas(
    scope: AreaScope, session: AsyncSession, on: date, *, parent: str | None, after: str | None, limit: int
) -> Sequence[Area]:
    """Divisions in force within the scope, by code; the scope's own area included."""
    statement = _within(scope, on, parent)
    if after is not None:
        statement = statement.where(AREA.code > after)
    return (await session.execute(statement.order_by(AREA.code).limit(limit))).scalars().all()


async def count_areas(scope: AreaScope, session: AsyncSession, on: date, *, parent: str | None) -> int:
    counted = select(func.count()).select_from(_within(scope, on, parent).subquery())
    return int((await session.execute(counted)).scalar_one())


async def list_successions(session: AsyncSession, code: str) -> tuple[list[str], list[str]]:
    """Codes that a division took over from, and codes that took over from it."""
    pairs = await session.execute(
        select(SUCCESSION.predecessor, SUCCESSION.successor)
        .where(or_(SUCCESSION.predecessor == code, SUCCESSION.successor == code))
        .order_by(SUCCESSION.predecessor, SUCCESSION.successor)
    )
    found = [(before, after) for before, after in pairs]
    return [before for before, after in found if after == code], [after for before, after in found if before == code]


async def list_resident_counts(scope: AreaScope, session: AsyncSession, code: str) -> Sequence[ResidentCount]:
    statement = select(ResidentCount).where(COUNT.district == scope.district, COUNT.area_code == code)
    return (await session.execute(statement.order_by(COUNT.as_of))).scalars().all()


async def load_calendar_year(
    session: AsyncSession, year: int, days: Iterable[tuple[date, DayKind, str]], *, source: str, now: datetime
) -> bool:
    """Replaces a year's announced days; False when nothing differed."""
    wanted = sorted((day, kind.value, name) for day, kind, name in days)
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows = await session.execute(select(CalendarDay).where(DAY.day.between(first, last)))
    present = sorted((row.day, row.kind, row.name) for row in rows.scalars())
    stored = await session.get(CalendarYear, year)
    if stored is not None and present == wanted:
        return False
    await session.execute(delete(CalendarDay).where(DAY.day.between(first, last)))
    if wanted:
        await session.execute(insert(CalendarDay), [{"day": d, "kind": k, "name": n} for d, k, n in wanted])
    if stored is None:
        session.add(CalendarYear(year=year, version=1, source=source, loaded_at=now))
    else:
        stored.version, stored.source, stored.loaded_at = stored.version + 1, source, now
    await session.flush()
    return True


async def get_calendar(session: AsyncSession) -> Calendar:
    """The whole loaded calendar; small enough to read for each request that computes a deadline."""
    days = await session.execute(select(DAY.day, DAY.kind))
    years = await session.execute(select(YEAR.year))
    return Calendar({day: DayKind(kind) for day, kind in days}, frozenset(years.scalars()))


async def load_resident_counts(
    session: AsyncSession, scope: AreaScope, counts: Iterable[tuple[str, int]], *, as_of: date, source: str, now: datetime
) -> int:
    """Populations of communities on a day; a second load of the same day replaces them. Returns the number of rows."""
    rows = [
        {
            "district": scope.district,
            "id": new_id(),
            "area_code": code,
            "as_of": as_of,
            "population": population,
            "source": source,
            "recorded_at": now,
        }
        for code, population in counts
    ]
    statement = insert(ResidentCount)
    replaced = {name: statement.excluded[name] for name in ("population", "source", "recorded_at")}
    await session.execute(statement.on_conflict_do_update(index_elements=["district", "area_code", "as_of"], set_=replaced), rows)
    return len(rows)

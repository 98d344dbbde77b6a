"""The dashboard of a scope's stations: one query for each kind of fact and day, however many stations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.stations import StationRepository
from app.db.scoping import within
from app.db.station_operations import asked_by, list_facts_on_file, list_readings
from app.db.tables.inspections import Rectification
from app.domain.access import AreaScope
from app.domain.inspections.model import RectificationState
from app.domain.stations import Standard, assess
from app.domain.stations.dashboard import (
    Dashboard,
    Funnel,
    Operations,
    StationFigures,
    Subject,
    month_ends,
    shown,
    trend_point,
)
from app.domain.stations.model import NoStandardInForce
from app.domain.stations.operating import full_months
from app.domain.stations.records import StationRecord, holds

RECTIFICATION = columns(Rectification)
MAX_STATIONS = 10_000


async def dashboard_of(
    scope: AreaScope, session: AsyncSession, standard: Standard, as_of: date, *, months: int, today: date
) -> Dashboard:
    """Raises ``NoStandardInForce`` for ``as_of`` itself; months before the standard are left out of the trend."""
    criteria = standard.on(as_of).criteria_on(as_of)
    stations = StationRepository(session)
    records = await stations.list_stations(scope, area_code=None, on=None, after=None, limit=MAX_STATIONS)
    subjects = await _assessed(scope, session, standard, records, as_of, today)
    trend = []
    for day in month_ends(as_of, months):
        try:
            standard.on(day)
        except NoStandardInForce:
            continue
        standing = await _assessed(scope, session, standard, records, day, today)
        trend.append(trend_point(day, [one.assessment for one in standing]))
    trend.append(trend_point(as_of, [one.assessment for one in subjects]))
    return Dashboard(
        standard=standard.code,
        as_of=as_of,
        criteria=criteria,
        stations=tuple(shown(subject) for subject in subjects),
        trend=tuple(trend),
        rectifications=await _funnel(scope, session, today),
        operations=await _operations(scope, session, records, as_of, today),
    )


async def _assessed(
    scope: AreaScope, session: AsyncSession, standard: Standard, records: Sequence[StationRecord], on: date, today: date
) -> list[Subject]:
    """The stations that stood on the day, by area."""
    standing = _standing(records, on)
    measures = asked_by(standard.on(on), on)
    facts = await list_facts_on_file(scope, session, standing, on, today=today, measures=measures)
    return [Subject(one.id, one.area_code, one.details.name, assess(facts[one.id], standard, on)) for one in standing]


def _standing(records: Sequence[StationRecord], on: date) -> list[StationRecord]:
    there = [one for one in records if holds(on, one.details.opened_on, one.closed_on)]
    return sorted(there, key=lambda one: one.area_code)


async def _operations(
    scope: AreaScope, session: AsyncSession, records: Sequence[StationRecord], as_of: date, today: date
) -> Operations:
    """The twelve full months up to the day."""
    standing, period = _standing(records, as_of), full_months(as_of, today)
    readings = await list_readings(scope, session, standing, period)
    figures = [StationFigures(one.id, one.details.name, tuple(readings[one.id].values())) for one in standing]
    return Operations(period, tuple(figures))


async def _funnel(scope: AreaScope, session: AsyncSession, today: date) -> Funnel:
    def counted(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(*conditions) if conditions else sa.func.count()

    state = RECTIFICATION.state
    overdue = sa.and_(state == RectificationState.OPEN.value, RECTIFICATION.due_on < today)
    statement = sa.select(
        counted(),
        counted(state == RectificationState.SUBMITTED.value),
        counted(state == RectificationState.CLOSED.value),
        counted(overdue),
    ).where(within(scope, RECTIFICATION))
    return Funnel(*(await session.execute(statement)).one())

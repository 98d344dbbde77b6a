"""On-time rates (按时办结率), set-wise: one query for requests, one for relief applications, however many stations there are.

An item that is handled by application has its on-time rate from the applications of its programme and their total clock
(``application_deadline``), all of them, also those for which nobody wrote down a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.reference import get_calendar
from app.db.repositories.service_items import ITEM, LIST
from app.db.repositories.service_requests import APPLICATION, DEADLINE, REQUEST, TOTAL, WITHDRAWN
from app.db.scoping import at_or_below, within
from app.db.tables.casework import Application, ApplicationDeadline
from app.db.tables.service_items import ServiceItem, ServiceItemList, ServiceRequest
from app.domain.access import AREA_DIGITS, AreaScope, Level
from app.domain.calendar import Calendar
from app.domain.service_items import DayUnit, ListLevel, OnTime
from app.domain.service_items.clocks import started
from app.domain.service_items.rates import Period, Served, summed

STATION_DIGITS = AREA_DIGITS[Level.SUBDISTRICT]
Rates = Mapping[tuple[str, str], OnTime]


async def on_time_rates(
    scope: AreaScope,
    session: AsyncSession,
    period: Period,
    *,
    area_code: str | None = None,
    item_code: str | None = None,
) -> Rates:
    """(station's sub-district code, item code) → on time, by the legal and by the promised limit; two queries and the calendar.

    Villages and communities count into their station. What has nothing judged in the period is left out: no data, not 0 %.
    """
    calendar = await get_calendar(session)
    requests = await session.execute(_requests(scope, period, area_code, item_code))
    applications = await session.execute(_applications(scope, period, area_code, item_code))
    served = [*_served_requests(requests), *_served_applications(applications, calendar)]
    return summed(served, period)


async def on_time_by_station(scope: AreaScope, session: AsyncSession, period: Period) -> Mapping[str, OnTime]:
    """The stations of a scope: sub-district code → on time over all its items; stations without data are left out."""
    totals: dict[str, OnTime] = {}
    for (station, _), rate in (await on_time_rates(scope, session, period)).items():
        totals[station] = totals.get(station, OnTime()) + rate
    return totals


# --- statements ---------------------------------------------------------------------------------------------------------


def _station(area_code: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.left(area_code, STATION_DIGITS)


def _requests(scope: AreaScope, period: Period, area_code: str | None, item_code: str | None) -> sa.Select[Any]:
    """Grouped by their days. What ended before the period was judged before it."""
    groups = (
        _station(REQUEST.area_code).label("station"),
        ITEM.code.label("item"),
        REQUEST.legal_due_on,
        REQUEST.promised_due_on,
        REQUEST.closed_on,
        (REQUEST.state == WITHDRAWN).label("taken_back"),
    )
    item = sa.and_(ITEM.district == REQUEST.district, ITEM.id == REQUEST.item_id)
    statement = (
        sa.select(*groups, sa.func.count().label("number"))
        .select_from(ServiceRequest)
        .join(ServiceItem, item)
        .where(
            within(scope, REQUEST),
            REQUEST.application_id.is_(None),
            REQUEST.taken_on < period.until,
            sa.or_(REQUEST.closed_on.is_(None), REQUEST.closed_on >= period.first),
        )
        .group_by(*groups)
    )
    return _narrowed(statement, REQUEST.area_code, area_code, ITEM.code, item_code)


def _applications(scope: AreaScope, period: Period, area_code: str | None, item_code: str | None) -> sa.Select[Any]:
    """By the item of their programme that was in force on the day of acceptance; no item then, no rate."""
    current = (
        sa.select(LIST.id)
        .where(
            LIST.district == DEADLINE.district,
            LIST.level == ListLevel.SUBDISTRICT.value,
            LIST.valid_from <= DEADLINE.starts_on,
        )
        .order_by(LIST.valid_from.desc(), LIST.number.desc())
        .limit(1)
        .correlate(ApplicationDeadline)
        .select_from(ServiceItemList)
        .scalar_subquery()
    )
    item = sa.and_(
        ITEM.district == APPLICATION.district,
        ITEM.list_id == current,
        ITEM.by_application,
        ITEM.programme == APPLICATION.programme,
    )
    groups = (
        _station(DEADLINE.area_code).label("station"),
        ITEM.code.label("item"),
        ITEM.day_unit,
        ITEM.promised_days,
        DEADLINE.starts_on,
        DEADLINE.due_on,
        DEADLINE.met_on,
        (APPLICATION.state == WITHDRAWN).label("taken_back"),
    )
    statement = (
        sa.select(*groups, sa.func.count().label("number"))
        .select_from(ApplicationDeadline)
        .join(
            Application,
            sa.and_(APPLICATION.district == DEADLINE.district, APPLICATION.id == DEADLINE.application_id),
        )
        .join(ServiceItem, item)
        .where(
            within(scope, DEADLINE),
            DEADLINE.kind == TOTAL,
            DEADLINE.starts_on < period.until,
            sa.or_(DEADLINE.met_on.is_(None), DEADLINE.met_on >= period.first),
        )
        .group_by(*groups)
    )
    return _narrowed(statement, DEADLINE.area_code, area_code, ITEM.code, item_code)


def _narrowed(
    statement: sa.Select[Any],
    area: sa.ColumnElement[Any],
    area_code: str | None,
    item: sa.ColumnElement[Any],
    item_code: str | None,
) -> sa.Select[Any]:
    if area_code is not None:
        statement = statement.where(at_or_below(area, area_code))
    return statement if item_code is None else statement.where(item == item_code)


# --- rows ---------------------------------------------------------------------------------------------------------------


def _served_requests(rows: Iterable[sa.Row[Any]]) -> Iterable[Served]:
    for row in rows:
        ended = row.closed_on
        yield Served(row.station, row.item, row.legal_due_on, row.promised_due_on, ended, row.taken_back, row.number)


def _served_applications(rows: Iterable[sa.Row[Any]], calendar: Calendar) -> Iterable[Served]:
    """The promised day follows from the day of acceptance; the same few thousand times."""

    @cache
    def promised(unit: str, days: int, starts_on: date) -> date | None:
        return started(DayUnit(unit), days, starts_on, calendar).due_on

    for row in rows:
        due = promised(row.day_unit, row.promised_days, row.starts_on)
        yield Served(row.station, row.item, row.due_on, due, row.met_on, row.taken_back, row.number)

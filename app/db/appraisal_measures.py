"""What the operating data say about stations in a year: one query for each source, however many stations.

A station of which nothing of a kind was ever put on file is left out there: the assessment then says that it has no data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.personnel import PersonnelRepository
from app.db.repositories.stations import StationRepository
from app.db.scoping import within
from app.db.station_operations import list_readings
from app.db.tables.inspections import InspectionResult, Rectification
from app.db.tables.station_files import StationMeeting, StationTraining
from app.domain.access import AreaScope
from app.domain.appraisals.measures import RATES
from app.domain.appraisals.model import Measured
from app.domain.appraisals.personnel import PersonYear, station_points, years_of
from app.domain.appraisals.scheme import FULL_POINTS, PersonnelRule, Scheme
from app.domain.appraisals.scheme_document import HUNDREDTHS
from app.domain.appraisals.scoring import half_up
from app.domain.calendar import ONE_DAY, SHANGHAI
from app.domain.stations.operating import Period

TRAINING, MEETING = columns(StationTraining), columns(StationMeeting)
RESULT, RECTIFICATION = columns(InspectionResult), columns(Rectification)
AUDIENCES = {"assistants": "assistant_trainings", "coordinators": "coordinator_trainings"}
TRAININGS = frozenset(AUDIENCES.values())
MEETINGS = frozenset({"monthly_meetings", "quarterly_checks"})
ACCEPTANCE = frozenset({"acceptance_score", "acceptance_points_off"})
RECTIFICATIONS = frozenset({"rectification_rate"})
MOST_STATIONS = 10_000
Found = dict[UUID, dict[str, Measured]]


class OperatingData:
    """The port ``Measurements`` over one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def measure(
        self, scope: AreaScope, stations: Sequence[UUID], year: int, as_of: date, scheme: Scheme
    ) -> Mapping[UUID, Mapping[str, Measured]]:
        found: Found = {station: {} for station in stations}
        days = (date(year, 1, 1), as_of)
        for read, measures in (
            (self._trainings, TRAININGS),
            (self._meetings, MEETINGS),
            (self._acceptance, ACCEPTANCE),
            (self._rectifications, RECTIFICATIONS),
        ):
            if scheme.measures & measures:
                await read(scope, found, days)
        if scheme.measures & set(RATES):
            await self._rates(scope, found, days, scheme.measures)
        if "personnel_points" in scheme.measures:
            await self._people(scope, found, year, as_of, scheme.personnel)
        return found

    async def _trainings(self, scope: AreaScope, found: Found, days: tuple[date, date]) -> None:
        this_year = TRAINING.held_on >= days[0]
        counts = [sa.func.count().filter(this_year, TRAINING.audience == audience) for audience in AUDIENCES]
        statement = (
            sa.select(TRAINING.station_id, *counts)
            .where(within(scope, TRAINING), TRAINING.station_id.in_(list(found)), TRAINING.held_on <= days[1])
            .group_by(TRAINING.station_id)
        )
        for station, *held in await self._session.execute(statement):
            for measure, count in zip(AUDIENCES.values(), held, strict=True):
                found[station][measure] = Measured(count * HUNDREDTHS, f"培训记录 {count} 次")

    async def _meetings(self, scope: AreaScope, found: Found, days: tuple[date, date]) -> None:
        """Two meetings in a month are one month's, two checks in a quarter one quarter's."""
        this_year = MEETING.held_on >= days[0]

        def periods(unit: str, kind: str) -> Any:
            distinct = sa.func.count(sa.func.distinct(sa.func.date_trunc(unit, MEETING.held_on)))
            return distinct.filter(this_year, MEETING.kind == kind)

        statement = (
            sa.select(MEETING.station_id, periods("month", "monthly_meeting"), periods("quarter", "quarterly_check"))
            .where(within(scope, MEETING), MEETING.station_id.in_(list(found)), MEETING.held_on <= days[1])
            .group_by(MEETING.station_id)
        )
        for station, months, quarters in await self._session.execute(statement):
            found[station]["monthly_meetings"] = Measured(months * HUNDREDTHS, f"例会记录覆盖 {months} 个月")
            found[station]["quarterly_checks"] = Measured(quarters * HUNDREDTHS, f"检查记录覆盖 {quarters} 个季度")

    async def _acceptance(self, scope: AreaScope, found: Found, days: tuple[date, date]) -> None:
        """The result published last in the year, and what it takes off the year-end target (S001 L57)."""
        first, until = (datetime.combine(day, time(), SHANGHAI) for day in (days[0], days[1] + ONE_DAY))
        statement = (
            sa.select(RESULT.station_id, RESULT.score_points, RESULT.consequence, RESULT.published_at)
            .ext(distinct_on(RESULT.station_id))
            .where(within(scope, RESULT), RESULT.station_id.in_(list(found)))
            .where(RESULT.published_at >= first, RESULT.published_at < until)
            .order_by(RESULT.station_id, RESULT.published_at.desc())
        )
        for station, points, consequence, published_at in await self._session.execute(statement):
            source = f"{published_at.astimezone(SHANGHAI).date()} 公布的验收结果"
            found[station]["acceptance_score"] = Measured(points, source)
            found[station]["acceptance_points_off"] = Measured(int(consequence["points_off"]), source)

    async def _rectifications(self, scope: AreaScope, found: Found, days: tuple[date, date]) -> None:
        closed = sa.func.count().filter(RECTIFICATION.state == "closed")
        statement = (
            sa.select(RECTIFICATION.station_id, closed, sa.func.count())
            .where(within(scope, RECTIFICATION), RECTIFICATION.station_id.in_(list(found)))
            .where(RECTIFICATION.due_on.between(*days))
            .group_by(RECTIFICATION.station_id)
        )
        for station, good, due in await self._session.execute(statement):
            found[station]["rectification_rate"] = _rate(good, due, f"到期整改 {due} 项，已销号 {good} 项")

    async def _rates(self, scope: AreaScope, found: Found, days: tuple[date, date], wanted: frozenset[str]) -> None:
        """Rates of the operating data, through their own interface; without a case there is no rate."""
        measures = [one for one in RATES if one in wanted]
        listed = await StationRepository(self._session).list_stations(
            scope, area_code=None, on=None, after=None, limit=MOST_STATIONS
        )
        stations = [one for one in listed if one.id in found]
        period = Period(days[0], days[1] + ONE_DAY)
        for station, readings in (await list_readings(scope, self._session, stations, period, measures)).items():
            for measure, reading in readings.items():
                if reading.rate_bp is not None and reading.tally is not None:
                    source = f"{reading.tally.cases} 件中 {reading.tally.good} 件"
                    found[station][measure] = Measured(reading.rate_bp, source)

    async def _people(self, scope: AreaScope, found: Found, year: int, as_of: date, rule: PersonnelRule) -> None:
        store = PersonnelRepository(self._session)
        people = await store.list_people(scope, list(found), date(year, 1, 1), as_of)
        records = await store.list_records(scope, list(found), year)
        by_station: dict[UUID, list[PersonYear]] = {}
        for one in years_of(people, records, rule, year, as_of):
            by_station.setdefault(one.person.station_id, []).append(one)
        for station, years in by_station.items():
            points = station_points(years)
            if points is not None:
                counted = sum(one.points is not None for one in years)
                found[station]["personnel_points"] = Measured(points, f"{counted} 人有考核记录（共 {len(years)} 人）")


def _rate(good: int, due: int, source: str) -> Measured:
    """Per cent, in hundredths."""
    return Measured(half_up(FULL_POINTS * good, due), source)

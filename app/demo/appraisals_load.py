"""The demo's year-end assessment: last year's, published in January, and this year's as far as it has come.

What stations reported differs from one to the next in a fixed way, so that there are ranks, an equal pair and a next step to see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.appraisal_schemes import shipped_schemes
from app.db.appraisal_desk import OpenDesk, open_appraisal_desk
from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.session import transaction
from app.db.tables.appraisals import AppraisalYear
from app.demo.accounts import ACCOUNTS, SECOND_ACCOUNTS, DemoAccount
from app.domain.access import Actor, AreaScope, Duty, Signature
from app.domain.appraisals import Appraisal, Phase, RecordEntry, Span, StationYear, YearEntry
from app.domain.appraisals.model import FIVE, Report, Schedule, Score
from app.domain.appraisals.personnel import RecordKind, RecordOutcome
from app.domain.appraisals.recording import PersonOutcome
from app.domain.appraisals.scheme import Direction, Part, Round
from app.domain.appraisals.scoring import survey_points
from app.domain.calendar import SHANGHAI, business_date
from app.ids import new_id
from app.runtime import Runtime

YEAR = columns(AppraisalYear)
SCHEME = "year_end"
SAMPLE = 200
MISSED = 70
HELD = (
    (100, RecordKind.MONTHLY_MEETING),
    (MISSED, RecordKind.MONTHLY_MEETING),
    (60, RecordKind.QUARTERLY_CHECK),
    (40, RecordKind.MONTHLY_MEETING),
)
SCORERS = {Part.SELF_REVIEW: Duty.STATION_HEAD, Part.LEADER: Duty.APPROVER, Part.SURVEY: Duty.INSPECTOR}


async def load_appraisals(runtime: Runtime, now: datetime) -> None:
    """Idempotent, one transaction a district."""
    for accounts in (ACCOUNTS, SECOND_ACCOUNTS):
        people = {duty: one for one in reversed(accounts) for duty in one.duties}
        scope = AreaScope(people[Duty.INSPECTOR].area, people[Duty.INSPECTOR].area)
        async with transaction(runtime.engine, scope) as session:
            await lock_subjects(session, [b"demo appraisals " + scope.district.encode()])
            if not await session.scalar(select(exists().where(YEAR.district == scope.district))):
                await _Demo(session, scope, people).build(business_date(now))


def schedule_of(year: int) -> Schedule:
    """The days of the source (3 月下旬 … 次年 1 月中旬)."""
    days = (((3, 21), (4, 30)), ((5, 1), (6, 10)), ((6, 11), (8, 10)), ((8, 11), (12, 31)), ((11, 11), (1, 15)))
    return {
        phase: Span(date(year, *first), date(year + (last < first), *last))
        for phase, (first, last) in zip(FIVE, days, strict=True)
    }


@dataclass(frozen=True)
class _Demo:
    """What building a district's demo needs."""

    session: AsyncSession
    scope: AreaScope
    people: dict[Duty, DemoAccount]

    async def build(self, today: date) -> None:
        await self._meetings(today)
        last = await self._opened(today.year - 1)
        published_on = min(today, date(today.year, 1, 10))
        last = await self._led(last, published_on)
        await self._desk(published_on, Duty.REVIEWER).years.publish(last.id, None)
        await self._led(await self._opened(today.year), today)

    def _desk(self, day: date, duty: Duty = Duty.INSPECTOR) -> OpenDesk:
        account = self.people[duty]
        actor = Actor(account.id, account.username, account.level, account.area, self.scope.district, frozenset({duty}))
        return open_appraisal_desk(self.session, actor, shipped_schemes(), new_id, today=day, now=_noon(day))

    async def _opened(self, year: int) -> Appraisal:
        schedule = schedule_of(year)
        entry = YearEntry(self.scope.prefix, year, f"{year} 年度民政工作站考核", SCHEME, None, schedule, ())
        return await self._desk(schedule[Phase.PREPARATION].first).years.open(entry)

    async def _led(self, appraisal: Appraisal, today: date) -> Appraisal:
        """Through every phase that has begun by the day, with what it leaves behind."""
        for phase in FIVE[1:]:
            day = appraisal.schedule[phase].first
            if day > today:
                return appraisal
            if phase is Phase.REPORTING:
                await self._entered(appraisal, Round.MID_YEAR, day - timedelta(days=2))
            appraisal = await self._desk(day).years.advance(appraisal.id, None)
        if today > appraisal.schedule[Phase.REPORTING].last:
            await self._entered(appraisal, Round.YEAR_END, appraisal.schedule[Phase.REPORTING].last)
        return appraisal

    async def _entered(self, appraisal: Appraisal, round_: Round, day: date) -> None:
        desk = self._desk(day)
        for number, station in enumerate(await desk.records.list_stations(self.scope, appraisal.id)):
            await desk.entries.add_scores(self.scope, station, self._scores(number, round_, day))
            if round_ is Round.YEAR_END:
                await desk.entries.add_reports(self.scope, station, self._reports(number, station, day))

    def _signature(self, duty: Duty, day: date) -> Signature:
        return Signature(self.people[duty].id, self.people[duty].username, _noon(day))

    def _scores(self, number: int, round_: Round, day: date) -> list[Score]:
        step = number // 2  # two neighbours are alike
        satisfied = SAMPLE - 4 * (step % 7)
        points = {Part.SELF_REVIEW: 9500 - 50 * step, Part.LEADER: 9200 - 100 * (step % 9)}
        points[Part.SURVEY] = survey_points(satisfied, SAMPLE)
        made = []
        for part, duty in SCORERS.items():
            score = Score(part, round_, points[part], None, None, None, None, (), self._signature(duty, day))
            if part is Part.SURVEY:
                score = replace(score, sample_size=SAMPLE, satisfied=satisfied, conducted_by="统计局（演示）")
            made.append(score)
        return made

    def _reports(self, number: int, station: StationYear, day: date) -> list[Report]:
        """Every fifth station fell short of what counts up."""
        signature, reports = self._signature(Duty.STATION_CLERK, day), []
        for one in station.scheme.indicators:
            if one.measure is not None or one.target is None:
                continue
            short = number % 5 == 0 and one.direction is Direction.HIGHER
            next_step = "次年一季度补齐入户和回访" if short else None
            actual = one.target * 9 // 10 if short else one.target
            reports.append(Report(one.code, Round.YEAR_END, actual, None, next_step, (), signature))
        return reports

    async def _meetings(self, today: date) -> None:
        """At the station of the demo's accounts; the first of its people missed the meeting in the middle."""
        desk = self._desk(today)
        station = (await desk.desk.stations.taken(self.scope, self.people[Duty.STATION_CLERK].area, (), today))[0]
        for days_ago, kind in HELD:
            day = today - timedelta(days=days_ago)
            there = await desk.people.list_people(self.scope, [station.station_id], day, day)
            good = RecordOutcome.PRESENT if kind is RecordKind.MONTHLY_MEETING else RecordOutcome.PASSED
            said = [PersonOutcome(one.id, good, None) for one in there]
            if days_ago == MISSED and said:
                said[0] = replace(said[0], outcome=RecordOutcome.ABSENT)
            if said:
                await desk.personnel.record(station.station_id, RecordEntry(kind, day, tuple(said)))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), SHANGHAI).astimezone(UTC)

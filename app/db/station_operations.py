"""How stations work, read from the operating data: one query for each measure, however many stations.

``list_readings`` is the one place to ask for figures; ``list_facts_on_file`` adds those that a standard asks for to what is on
file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import station_operation_cases as cases
from app.db.repositories.station_facts import list_facts
from app.db.scoping import at_or_below
from app.domain.access import AreaScope
from app.domain.stations.facts import Facts, OperationsFact, TallyFact
from app.domain.stations.model import StandardVersion
from app.domain.stations.operating import JUDGED, NOTHING, OPERATING, Miss, OperatingReading, Period, Tally, full_months
from app.domain.stations.operating_ports import Sources
from app.domain.stations.records import StationRecord

Readings = Mapping[str, OperatingReading]
#: Measures of the sheet that read the operating data where there are any.
READ_INSTEAD = {"archives_digitised_share": "digital_case_files"}


@dataclass(frozen=True)
class KeptCases:
    """One area of work, as far as its tables keep it: measure → its cases."""

    session: AsyncSession
    statements: Mapping[str, cases.Cases]

    @property
    def kept(self) -> frozenset[str]:
        return frozenset(self.statements)

    async def tallies(self, scope: AreaScope, measure: str, period: Period) -> Mapping[str, Tally]:
        found = self._cases(scope, measure, period)
        station = sa.func.left(found.area_code, cases.SUBDISTRICT_DIGITS)
        statement = sa.select(station, sa.func.sum(found.good), sa.func.count()).group_by(station)
        return {area: Tally(int(good), count) for area, good, count in await self.session.execute(statement)}

    async def list_misses(
        self, scope: AreaScope, measure: str, area_code: str, period: Period, *, after: UUID | None, limit: int
    ) -> Sequence[Miss]:
        found = self._cases(scope, measure, period)
        statement = sa.select(found.row_id, found.subject_id, found.area_code, found.on_day, found.what).where(
            _missed(found, area_code)
        )
        if after is not None:
            statement = statement.where(found.row_id > after)
        rows = await self.session.execute(statement.order_by(found.row_id).limit(limit))
        return [Miss(row.row_id, row.subject_id, row.area_code, row.on_day, row.what) for row in rows]

    async def count_misses(self, scope: AreaScope, measure: str, area_code: str, period: Period) -> int:
        found = self._cases(scope, measure, period)
        statement = sa.select(sa.func.count()).where(_missed(found, area_code))
        return int((await self.session.execute(statement)).scalar_one())

    def _cases(self, scope: AreaScope, measure: str, period: Period) -> Any:
        return self.statements[measure](scope, period).subquery().c


def _missed(found: Any, area_code: str) -> sa.ColumnElement[bool]:
    return sa.and_(found.good == 0, at_or_below(found.area_code, area_code))


# Not here, since nobody keeps it yet: home visits and reviews (no act of casework records them), returned payments (no result of
# a bank is read in), complaints.
CASEWORK: Mapping[str, cases.Cases] = MappingProxyType(
    {
        "survey_rate": cases.surveys,
        "on_time_rate": cases.time_limits,
        "notice_rate": cases.notices,
        "complete_case_files": cases.complete_files,
        "digital_case_files": cases.digital_files,
        "reviews_overdue": cases.overdue_reviews,
    }
)
PAYMENTS: Mapping[str, cases.Cases] = MappingProxyType({"account_paid_rate": cases.paid_to_accounts})
SERVICE_ITEMS: Mapping[str, cases.Cases] = MappingProxyType({"service_on_time_rate": cases.requests_on_time})
LEADS: Mapping[str, cases.Cases] = MappingProxyType(
    {
        "lead_on_time_rate": cases.leads_settled,
        "active_informants": cases.active_informants,
        "leads_per_informant": cases.leads_by_informant,
    }
)
STATION_FILES: Mapping[str, cases.Cases] = MappingProxyType(
    {
        "trainings_of_assistants": cases.trainings("assistants"),
        "trainings_of_coordinators": cases.trainings("coordinators"),
        "meeting_months": cases.meetings("monthly_meeting", "month"),
        "check_quarters": cases.meetings("quarterly_check", "quarter"),
    }
)


def sources_of(session: AsyncSession) -> Sources:
    """Who answers for each area of work in this transaction."""
    return Sources(
        casework=KeptCases(session, CASEWORK),
        payments=KeptCases(session, PAYMENTS),
        leads=KeptCases(session, LEADS),
        station_files=KeptCases(session, STATION_FILES),
        service_items=KeptCases(session, SERVICE_ITEMS),
    )


async def list_readings(
    scope: AreaScope,
    session: AsyncSession,
    stations: Sequence[StationRecord],
    period: Period,
    measures: Iterable[str] = OPERATING,
) -> dict[UUID, Readings]:
    """Station → measure → what it says about the period. One query for each measure that has data, none for the others."""
    sources = sources_of(session)
    found: dict[UUID, dict[str, OperatingReading]] = {station.id: {} for station in stations}
    for measure in measures:
        source = sources.of(measure)
        tallies = None if source is None or not stations else await source.tallies(scope, measure, period)
        for station in stations:
            tally = None if tallies is None else tallies.get(station.area_code, NOTHING)
            found[station.id][measure] = OperatingReading(measure, tally)
    return dict(found)


async def list_facts_on_file(
    scope: AreaScope,
    session: AsyncSession,
    stations: Sequence[StationRecord],
    on: date,
    *,
    today: date,
    measures: Collection[str] = tuple(JUDGED),
) -> dict[UUID, Facts]:
    """What is on file on the day, with the operating measures asked for over the twelve full months before."""
    facts = await list_facts(scope, session, stations, on)
    readings = await list_readings(scope, session, stations, full_months(on, today), sorted(measures))
    return {station: replace(found, operations=operations_fact(readings[station])) for station, found in facts.items()}


async def with_operations(
    scope: AreaScope,
    session: AsyncSession,
    station: StationRecord,
    facts: Facts,
    on: date,
    *,
    today: date,
) -> Facts:
    """The facts of one station with everything that standards may ask of its work."""
    readings = await list_readings(scope, session, [station], full_months(on, today), JUDGED)
    return replace(facts, operations=operations_fact(readings[station.id]))


def operations_fact(readings: Readings) -> OperationsFact:
    return OperationsFact(**{measure: _fact(reading.tally) for measure, reading in readings.items()})


def _fact(tally: Tally | None) -> TallyFact:
    return TallyFact(recorded=False) if tally is None else TallyFact(tally.good, tally.cases)


def asked_by(version: StandardVersion, on: date) -> frozenset[str]:
    """The operating measures that a version reads on a day."""
    measures = {criterion.measure for criterion in version.criteria_on(on)}
    return frozenset(measures & JUDGED.keys()) | {READ_INSTEAD[measure] for measure in measures & READ_INSTEAD.keys()}

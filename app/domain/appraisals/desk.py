"""What every act of the assessment works with, and how results are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.domain.access import Actor, Signature
from app.domain.appraisals import refusals, scoring
from app.domain.appraisals.model import Inputs, StationYear
from app.domain.appraisals.personnel import DECEMBER, PersonYear, years_of
from app.domain.appraisals.ports import Entries, Evidence, Measurements, People, Schemes, Stations, Trail, Years
from app.domain.appraisals.scheme import PersonnelRule
from app.domain.appraisals.scoring import StationResult


def last_of_year(year: int) -> date:
    return date(year, DECEMBER, 31)


@dataclass(frozen=True)
class AppraisalDesk:
    """One caller's desk in one transaction. ``today`` is the business date, ``now`` the moment."""

    actor: Actor
    today: date
    now: datetime
    new_id: Callable[[], UUID]
    schemes: Schemes
    years: Years
    entries: Entries
    measurements: Measurements
    people: People
    stations: Stations
    evidence: Evidence
    trail: Trail

    def signature(self) -> Signature:
        return Signature.of(self.actor, self.now)

    def as_of(self, year: int) -> date:
        """The year so far, or all of it."""
        return min(self.today, last_of_year(year))

    async def require_evidence(self, area_code: str, files: Sequence[UUID]) -> None:
        wanted = set(files)
        if wanted and await self.evidence.there(self.actor.scope, area_code, wanted) != wanted:
            raise refusals.evidence_not_of_station()

    async def inputs_of(self, stations: Sequence[StationYear]) -> Mapping[UUID, Inputs]:
        """Station appraisal → all that counts: what was entered and what is measured. The stations are of one year."""
        if not stations:
            return {}
        scope, year = self.actor.scope, stations[0].year
        entered = await self.entries.list_inputs(scope, stations)
        ids = [one.station_id for one in stations]
        measured = await self.measurements.measure(scope, ids, year, self.as_of(year), stations[0].scheme)
        return {one.id: replace(entered[one.id], measured=measured.get(one.station_id, {})) for one in stations}

    async def results_of(self, stations: Sequence[StationYear]) -> tuple[StationResult, ...]:
        """As things stand now, by rank."""
        inputs = await self.inputs_of(stations)
        return scoring.ranked(scoring.result_of(one, inputs[one.id]) for one in stations)

    async def people_of(self, stations: Sequence[UUID], rule: PersonnelRule, year: int) -> Mapping[UUID, Sequence[PersonYear]]:
        """Station → the year of each of its people, by name."""
        scope, as_of = self.actor.scope, self.as_of(year)
        people = await self.people.list_people(scope, stations, date(year, 1, 1), as_of)
        records = await self.people.list_records(scope, stations, year)
        found: dict[UUID, list[PersonYear]] = {station: [] for station in stations}
        for one in years_of(people, records, rule, year, as_of):
            found[one.person.station_id].append(one)
        return found

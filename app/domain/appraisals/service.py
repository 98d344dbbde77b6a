"""The district's acts on a year: laid down, opened, led through its phases, published for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app.domain.appraisals import refusals, scoring, workflow
from app.domain.appraisals.desk import AppraisalDesk
from app.domain.appraisals.model import FIVE, Appraisal, Inputs, Phase, Schedule, StationYear, Target
from app.domain.appraisals.ports import FrozenYear, StationTaken
from app.domain.appraisals.scheme import Part, Round, Scheme
from app.domain.appraisals.scoring import StationResult


@dataclass(frozen=True, slots=True)
class YearEntry:
    """A year as somebody opens it; ``scheme_version`` None: the latest for the year, ``stations`` empty: all of the area."""

    area_code: str
    year: int
    title: str
    scheme: str
    scheme_version: str | None
    schedule: Schedule
    stations: tuple[UUID, ...]


@dataclass(frozen=True)
class Years:
    """What the district does with a year."""

    desk: AppraisalDesk

    async def lay_down(self, scheme: Scheme) -> Scheme:
        """A new version of a scheme; the ones before stay as they are. ``Conflict`` scheme_version_exists."""
        actor = self.desk.actor
        shelf = await self.desk.schemes.shelf(actor.scope)
        if any(one.version == scheme.version for one in shelf.versions(scheme.code)):
            raise refusals.scheme_version_exists(scheme.version)
        await self.desk.schemes.add(actor.scope, scheme)
        return scheme

    async def open(self, entry: YearEntry) -> Appraisal:
        """The year with its scheme and its stations, each with the scheme's own targets."""
        workflow.check_schedule(entry.schedule, entry.year)
        scope = self.desk.actor.scope
        if await self.desk.years.find_of_year(scope, entry.area_code, entry.year) is not None:
            raise refusals.year_exists(entry.year)
        scheme = await self._scheme(entry)
        taken = await self.desk.stations.taken(scope, entry.area_code, entry.stations, entry.schedule[FIVE[0]].first)
        if not taken:
            raise refusals.no_stations()
        appraisal = self._appraisal(entry, scheme)
        stations = [self._station(appraisal, one) for one in taken]
        await self.desk.years.add(scope, appraisal, stations)
        for station in stations:  # entered before there was a first version
            await self.desk.entries.add_targets(scope, replace(station, version=0), self._defaults(scheme))
        await self.desk.trail.note("appraisal.open", "appraisal", appraisal.id, appraisal.area_code)
        return await self.desk.years.get(scope, appraisal.id)

    async def _scheme(self, entry: YearEntry) -> Scheme:
        shelf = await self.desk.schemes.shelf(self.desk.actor.scope)
        if not shelf.versions(entry.scheme):
            raise refusals.scheme_not_found(entry.scheme)
        found = shelf.find(entry.scheme, entry.scheme_version, entry.year)
        if found is None:
            raise refusals.no_scheme_in_force(entry.scheme, entry.year)
        return found

    def _appraisal(self, entry: YearEntry, scheme: Scheme) -> Appraisal:
        return Appraisal(
            id=self.desk.new_id(),
            area_code=entry.area_code,
            year=entry.year,
            title=entry.title,
            scheme=scheme,
            scheme_digest="",  # of its content, made where it is written
            schedule=entry.schedule,
            phase=Phase.PREPARATION,
            opened=self.desk.signature(),
            published=None,
            version=1,
        )

    def _station(self, appraisal: Appraisal, taken: StationTaken) -> StationYear:
        return StationYear(
            id=self.desk.new_id(),
            appraisal_id=appraisal.id,
            station_id=taken.station_id,
            area_code=taken.area_code,
            station_name=taken.name,
            year=appraisal.year,
            title=appraisal.title,
            scheme=appraisal.scheme,
            schedule=appraisal.schedule,
            phase=appraisal.phase,
            version=1,
        )

    def _defaults(self, scheme: Scheme) -> list[Target]:
        signature = self.desk.signature()
        given = [one for one in scheme.indicators if one.target is not None]
        return [Target(one.code, one.target, None, None, signature) for one in given]

    async def advance(self, appraisal_id: UUID, expected: int | None) -> Appraisal:
        """The next phase, once what this one is for is there."""
        appraisal = await self._locked(appraisal_id, expected)
        following = workflow.advanced(appraisal, self.desk.today)
        stations = await self.desk.years.list_stations(self.desk.actor.scope, appraisal.id, lock=True)
        if appraisal.phase is Phase.PREPARATION:
            await self._require_targets(stations)
        if appraisal.phase is Phase.MID_YEAR:
            await self._require_mid_year(stations)
        return await self._save(f"appraisal.{following.phase.value}", following)

    async def _require_targets(self, stations: Sequence[StationYear]) -> None:
        entered = await self.desk.entries.list_inputs(self.desk.actor.scope, stations)
        missing = [
            f"{station.station_name}“{indicator.name}”"
            for station in stations
            for indicator in station.scheme.indicators
            if indicator.code not in entered[station.id].targets
        ]
        if missing:
            raise refusals.targets_missing(missing)

    async def _require_mid_year(self, stations: Sequence[StationYear]) -> None:
        """What counts of the middle of the year is entered before it is over."""
        entered = await self.desk.entries.list_inputs(self.desk.actor.scope, stations)
        missing = [
            f"{station.station_name}{scoring.part_name(part, round_)}"
            for station in stations
            for (part, round_), weight in station.scheme.weights.items()
            if weight and round_ is Round.MID_YEAR and (part, round_) not in entered[station.id].scores
        ]
        if missing:
            raise refusals.results_incomplete(missing)

    async def cancel(self, appraisal_id: UUID, expected: int | None) -> Appraisal:
        appraisal = await self._locked(appraisal_id, expected)
        await self.desk.years.list_stations(self.desk.actor.scope, appraisal.id, lock=True)
        return await self._save("appraisal.cancel", workflow.cancelled(appraisal))

    async def publish(self, appraisal_id: UUID, expected: int | None) -> Appraisal:
        """Scheme, inputs, scores and ranking become final. Stations are locked first, so that no entry slips past."""
        appraisal = await self._locked(appraisal_id, expected)
        published = workflow.published(appraisal, self.desk.signature(), self.desk.today)
        scope = self.desk.actor.scope
        stations = await self.desk.years.list_stations(scope, appraisal.id, lock=True)
        inputs = await self.desk.inputs_of(stations)
        self._require_other_than_leader(inputs.values())
        results = scoring.ranked(scoring.result_of(one, inputs[one.id]) for one in stations)
        missing = [f"{result.station_name}{name}" for result in results for name in result.missing]
        if missing:
            raise refusals.results_incomplete(missing)
        people = await self.desk.people_of([one.station_id for one in stations], appraisal.scheme.personnel, appraisal.year)
        by_station = {one.station_id: one for one in stations}
        frozen = [
            FrozenYear(by_station[one.station_id], one, inputs[by_station[one.station_id].id], people[one.station_id])
            for one in results
        ]
        await self.desk.years.freeze(scope, appraisal, frozen, self.desk.now)
        return await self._save("appraisal.publish", published)

    def _require_other_than_leader(self, inputs: Iterable[Inputs]) -> None:
        leaders = {score.signature.by for one in inputs for (part, _), score in one.scores.items() if part is Part.LEADER}
        if self.desk.actor.id in leaders:
            raise refusals.published_by_leader()

    async def results(self, appraisal_id: UUID) -> tuple[StationResult, ...]:
        """As things stand; after the publication what was published, whatever has been entered elsewhere since."""
        scope = self.desk.actor.scope
        appraisal = await self.desk.years.get(scope, appraisal_id)
        if appraisal.phase is Phase.PUBLISHED:
            return tuple(await self.desk.years.list_frozen(scope, appraisal_id))
        return await self.desk.results_of(await self.desk.years.list_stations(scope, appraisal_id))

    async def _locked(self, appraisal_id: UUID, expected: int | None) -> Appraisal:
        appraisal = await self.desk.years.get(self.desk.actor.scope, appraisal_id, lock=True)
        refusals.check_version(expected, appraisal.version)
        return appraisal

    async def _save(self, action: str, appraisal: Appraisal) -> Appraisal:
        await self.desk.trail.note(action, "appraisal", appraisal.id, appraisal.area_code)
        return await self.desk.years.save(self.desk.actor.scope, appraisal)

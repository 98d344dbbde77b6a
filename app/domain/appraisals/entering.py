"""What is entered about a station in the course of a year, each act told in order: look, decide, save, put on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.domain.appraisals import refusals, scoring, workflow
from app.domain.appraisals.desk import AppraisalDesk, last_of_year
from app.domain.appraisals.model import Adjustment, Inputs, Phase, Report, Score, StationYear, Target
from app.domain.appraisals.scheme import Indicator, Kind, Part, Round
from app.domain.appraisals.scoring import StationResult


@dataclass(frozen=True, slots=True)
class TargetEntry:
    indicator: str
    target: int | None
    note: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class ReportEntry:
    indicator: str
    actual: int
    note: str | None
    next_step: str | None
    evidence: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class SurveyEntry:
    """社会公认度: by whom it was asked (统计局或社会中介组织, S003 L279), how many answered, how many of them were satisfied."""

    sample_size: int
    satisfied: int
    conducted_by: str
    note: str | None
    evidence: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class AdjustmentEntry:
    kind: Kind
    code: str
    points: int
    reason: str
    evidence: tuple[UUID, ...]


@dataclass(frozen=True)
class StationYears:
    """What is entered about one station."""

    desk: AppraisalDesk

    async def set_targets(self, station_appraisal_id: UUID, entries: Sequence[TargetEntry], expected: int | None) -> StationYear:
        """Only those named change."""
        station = await self._locked(station_appraisal_id, expected)
        signature, targets = self.desk.signature(), []
        for index, entry in enumerate(entries):
            indicator = self._indicator(station, entry.indicator, entries[:index], f"/targets/{index}/indicator")
            target = Target(indicator.code, entry.target, entry.note, entry.owner, signature)
            workflow.check_target(station.phase, target, f"/targets/{index}")
            targets.append(target)
        await self.desk.entries.add_targets(self.desk.actor.scope, station, targets)
        return await self._save("station_appraisal.targets", station, [one.indicator for one in targets])

    async def report(
        self, station_appraisal_id: UUID, round_: Round, entries: Sequence[ReportEntry], expected: int | None
    ) -> StationYear:
        """What the station has reached; what it hasn't comes with the next step."""
        station = await self._locked(station_appraisal_id, expected)
        workflow.require_phase(station.phase, *workflow.REPORTS_IN[round_])
        inputs = await self._entered(station)
        signature, reports = self.desk.signature(), []
        for index, entry in enumerate(entries):
            pointer = f"/reports/{index}"
            indicator = self._indicator(station, entry.indicator, entries[:index], f"{pointer}/indicator")
            said = Report(indicator.code, round_, entry.actual, entry.note, entry.next_step, entry.evidence, signature)
            workflow.check_report(indicator, inputs.targets.get(indicator.code), said, pointer)
            await self.desk.require_evidence(station.area_code, entry.evidence)
            reports.append(said)
        await self.desk.entries.add_reports(self.desk.actor.scope, station, reports)
        return await self._save("station_appraisal.report", station, [one.indicator for one in reports])

    def _indicator(self, station: StationYear, code: str, before: Sequence[TargetEntry | ReportEntry], pointer: str) -> Indicator:
        found = station.scheme.indicator(code)
        if found is None:
            raise refusals.indicator_unknown(code)
        if any(one.indicator == code for one in before):
            raise refusals.entered_twice(pointer)
        return found

    async def review_itself(
        self, station_appraisal_id: UUID, round_: Round, points: int, note: str, expected: int | None
    ) -> StationYear:
        station = await self._scorable(station_appraisal_id, Part.SELF_REVIEW, round_, expected)
        return await self._score(station, self._plain(Part.SELF_REVIEW, round_, points, note))

    async def score_as_leader(
        self, station_appraisal_id: UUID, round_: Round, points: int, note: str | None, expected: int | None
    ) -> StationYear:
        """Nobody scores a station where he holds a post in the year."""
        station = await self._scorable(station_appraisal_id, Part.LEADER, round_, expected)
        first, last = date(station.year, 1, 1), last_of_year(station.year)
        staff = await self.desk.stations.staff_of(self.desk.actor.scope, station.station_id, first, last)
        name = await self.desk.stations.name_of(self.desk.actor.scope, self.desk.actor.id)
        workflow.require_independent(self.desk.actor.id, name, staff)
        return await self._score(station, self._plain(Part.LEADER, round_, points, note))

    async def survey(self, station_appraisal_id: UUID, round_: Round, entry: SurveyEntry, expected: int | None) -> StationYear:
        """The points follow from the figures."""
        station = await self._scorable(station_appraisal_id, Part.SURVEY, round_, expected)
        workflow.check_survey(entry.sample_size, entry.satisfied, station.scheme.survey_least_sample)
        await self.desk.require_evidence(station.area_code, entry.evidence)
        points = scoring.survey_points(entry.satisfied, entry.sample_size)
        score = replace(
            self._plain(Part.SURVEY, round_, points, entry.note),
            sample_size=entry.sample_size,
            satisfied=entry.satisfied,
            conducted_by=entry.conducted_by,
            evidence=entry.evidence,
        )
        return await self._score(station, score)

    def _plain(self, part: Part, round_: Round, points: int, note: str | None) -> Score:
        return Score(part, round_, points, note, None, None, None, (), self.desk.signature())

    async def _scorable(self, station_appraisal_id: UUID, part: Part, round_: Round, expected: int | None) -> StationYear:
        station = await self._locked(station_appraisal_id, expected)
        workflow.require_phase(station.phase, *workflow.SCORES_IN[round_])
        if not station.scheme.weight(part, round_):
            raise refusals.part_not_asked(scoring.part_name(part, round_))
        return station

    async def _score(self, station: StationYear, score: Score) -> StationYear:
        await self.desk.entries.add_scores(self.desk.actor.scope, station, [score])
        return await self._save(f"station_appraisal.{score.part.value}", station, [score.round.value])

    async def record_overdue(self, station_appraisal_id: UUID, round_: Round, reason: str, expected: int | None) -> StationYear:
        """After the last day: what the station still owes counts as nothing, so that one station doesn't hold up the others."""
        station = await self._locked(station_appraisal_id, expected)
        workflow.require_phase(station.phase, *workflow.SCORES_IN[round_])
        last = workflow.last_day(station.schedule, round_)
        if self.desk.today <= last:
            raise refusals.not_overdue_yet(last)
        inputs, scope = await self._entered(station), self.desk.actor.scope
        scores = self._owed_review(station, inputs, round_, reason)
        reports = self._owed_reports(station, inputs, reason) if round_ is Round.YEAR_END else []
        if not scores and not reports:
            raise refusals.nothing_overdue()
        await self.desk.entries.add_scores(scope, station, scores)
        await self.desk.entries.add_reports(scope, station, reports)
        return await self._save("station_appraisal.overdue", station, [one.indicator for one in reports])

    def _owed_review(self, station: StationYear, inputs: Inputs, round_: Round, reason: str) -> list[Score]:
        key = (Part.SELF_REVIEW, round_)
        if not station.scheme.weight(*key) or key in inputs.scores:
            return []
        return [self._plain(*key, 0, reason)]

    def _owed_reports(self, station: StationYear, inputs: Inputs, reason: str) -> list[Report]:
        owed = workflow.owed_reports(station.scheme.indicators, inputs.targets, inputs.reports)
        return [Report(one.code, Round.YEAR_END, None, reason, None, (), self.desk.signature()) for one in owed]

    async def adjust(self, station_appraisal_id: UUID, entry: AdjustmentEntry, expected: int | None) -> Adjustment:
        """A bonus, a deduction or a veto, with its reason and evidence (奖扣分, S003 L301; 一票否决, S000 L227)."""
        station = await self._locked(station_appraisal_id, expected)
        workflow.require_phase(station.phase, *workflow.ADJUSTMENTS_IN)
        rule = station.scheme.rule(entry.kind, entry.code)
        if rule is None:
            raise refusals.rule_unknown(entry.code)
        workflow.check_adjustment(rule, entry.points)
        await self.desk.require_evidence(station.area_code, entry.evidence)
        made = Adjustment(
            self.desk.new_id(), entry.kind, entry.code, entry.points, entry.reason, entry.evidence, self.desk.signature()
        )
        await self.desk.entries.add_adjustment(self.desk.actor.scope, station, made)
        await self._save(f"station_appraisal.{entry.kind.value}", station, [entry.code])
        return made

    async def withdraw(self, station_appraisal_id: UUID, adjustment_id: UUID, reason: str, expected: int | None) -> Adjustment:
        station = await self._locked(station_appraisal_id, expected)
        workflow.require_phase(station.phase, *workflow.ADJUSTMENTS_IN)
        entered = (await self._entered(station)).adjustments
        found = next((one for one in entered if one.id == adjustment_id), None)
        if found is None:
            raise refusals.adjustment_not_found()
        made = workflow.withdrawn(found, reason, self.desk.signature())
        await self.desk.entries.save_adjustment(self.desk.actor.scope, made)
        await self._save("station_appraisal.withdraw", station, [made.code])
        return made

    async def result(self, station: StationYear) -> StationResult:
        """As things stand, without a rank, which the other stations have a part in; after the publication as published."""
        scope = self.desk.actor.scope
        if station.phase is Phase.PUBLISHED:
            published = await self.desk.years.list_frozen(scope, station.appraisal_id)
            return next(one for one in published if one.station_id == station.station_id)
        inputs = await self.desk.inputs_of([station])
        return scoring.result_of(station, inputs[station.id])

    async def _locked(self, station_appraisal_id: UUID, expected: int | None) -> StationYear:
        station = await self.desk.years.get_station(self.desk.actor.scope, station_appraisal_id, lock=True)
        refusals.check_version(expected, station.version)
        return station

    async def _entered(self, station: StationYear) -> Inputs:
        return (await self.desk.entries.list_inputs(self.desk.actor.scope, [station]))[station.id]

    async def _save(self, action: str, station: StationYear, fields: Sequence[str]) -> StationYear:
        await self.desk.trail.note(action, "station_appraisal", station.id, station.area_code, fields)
        return await self.desk.years.touch(self.desk.actor.scope, station)

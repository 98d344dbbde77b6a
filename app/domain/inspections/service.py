"""The acts of the acceptance, each told in order: look, decide, save, put on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.domain.access import Actor, Signature
from app.domain.inspections import judging, refusals, workflow
from app.domain.inspections.consequences import Frozen
from app.domain.inspections.model import (
    Campaign,
    Inspection,
    InspectionState,
    Mark,
    Phase,
    Rectification,
    RectificationState,
    Result,
    Schedule,
    Source,
)
from app.domain.inspections.ports import Campaigns, Derivation, Evidence, People, Trail
from app.domain.stations import Assessment


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """A campaign as somebody opens it; ``stations`` empty: every open station of the area."""

    area_code: str
    title: str
    standard: str
    as_of: date
    schedule: Schedule
    seed: int
    sample_size: int
    stations: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class MarkEntry:
    """What somebody says about one criterion."""

    met: bool
    note: str | None
    evidence: tuple[UUID, ...]
    rectify_by: date | None = None


@dataclass(frozen=True)
class Acceptance:
    """The acceptance at one caller's desk, in one transaction. ``today`` is the business date, ``now`` the moment."""

    actor: Actor
    today: date
    now: datetime
    new_id: Callable[[], UUID]
    campaigns: Campaigns
    derivation: Derivation
    people: People
    evidence: Evidence
    trail: Trail

    # campaigns

    async def open(self, entry: CampaignEntry) -> Campaign:
        """A campaign in draft with its stations and their samples. ``Conflict`` no_stations, station_in_other_campaign."""
        workflow.check_schedule(entry.schedule)
        version = self.derivation.version_on(entry.standard, entry.as_of)
        stations = await self.derivation.stations_of(self.actor.scope, entry.area_code, entry.stations, entry.as_of)
        if not stations:
            raise refusals.no_stations()
        busy = await self.campaigns.busy_stations(self.actor.scope, [one.station_id for one in stations])
        if busy:
            raise refusals.station_in_other_campaign(busy)
        campaign = Campaign(
            id=self.new_id(),
            area_code=entry.area_code,
            title=entry.title,
            standard=entry.standard,
            standard_version=version,
            as_of=entry.as_of,
            schedule=entry.schedule,
            seed=entry.seed,
            sample_size=entry.sample_size,
            phase=Phase.DRAFT,
            opened=self._signature(),
            published=None,
            version=1,
        )
        await self.campaigns.add(self.actor.scope, campaign)
        inspections = [
            Inspection(
                id=self.new_id(),
                campaign_id=campaign.id,
                title=campaign.title,
                standard=campaign.standard,
                standard_version=campaign.standard_version,
                as_of=campaign.as_of,
                phase=campaign.phase,
                station_id=one.station_id,
                area_code=one.area_code,
                station_name=one.name,
                inspectors=(),
                sample=workflow.drawn(entry.seed, one.area_code, one.communities, entry.sample_size),
                state=InspectionState.PLANNED,
                signatures=(),
                countersigned=None,
                version=1,
            )
            for one in stations
        ]
        await self.campaigns.add_inspections(self.actor.scope, inspections)
        await self.trail.note("inspection_campaign.open", "inspection_campaign", campaign.id, campaign.area_code)
        return campaign

    async def advance(self, campaign_id: UUID, expected: int | None) -> Campaign:
        """The next phase. It closes only when every station is confirmed."""
        campaign = await self._campaign(campaign_id, expected)
        following = workflow.advanced(campaign, self.today)
        if following.phase is Phase.CLOSED:
            inspections = await self.campaigns.list_inspections(self.actor.scope, campaign_id)
            open_ones = [one.station_name for one in inspections if one.state is not InspectionState.CONFIRMED]
            if open_ones:
                raise refusals.unfinished(open_ones)
        return await self._save(f"inspection_campaign.{following.phase.value}", following)

    async def cancel(self, campaign_id: UUID, expected: int | None) -> Campaign:
        campaign = await self._campaign(campaign_id, expected)
        return await self._save("inspection_campaign.cancel", workflow.cancelled(campaign))

    async def publish(self, campaign_id: UUID, expected: int | None) -> Campaign:
        """Freezes facts, standard, marks, scores and ranking for good."""
        campaign = await self._campaign(campaign_id, expected)
        published = workflow.published(campaign, self._signature())
        results = await self.results(campaign)
        frozen = [await self._frozen(campaign, result) for result in results]
        saved = await self._save("inspection_campaign.publish", published)
        await self.campaigns.freeze(self.actor.scope, saved, frozen, self.now)
        return saved

    async def _frozen(self, campaign: Campaign, result: Result) -> Frozen:
        consequence = self.derivation.consequence_of(result, self.today)
        facts = await self.derivation.facts_document(self.actor.scope, result.station_id, campaign.as_of)
        return Frozen(result, consequence, facts, campaign.standard, campaign.standard_version, campaign.as_of)

    async def results(self, campaign: Campaign) -> tuple[Result, ...]:
        """As they stand now, with ranks among those that are decided."""
        inspections = await self.campaigns.list_inspections(self.actor.scope, campaign.id)
        ids = [one.id for one in inspections]
        marks = await self.campaigns.list_marks(self.actor.scope, ids)
        rectifications = await self.campaigns.list_rectifications_of(self.actor.scope, ids)
        stations = [one.station_id for one in inspections]
        derived = await self.derivation.assessments(
            self.actor.scope, campaign.standard, campaign.standard_version, campaign.as_of, stations
        )
        found = [
            judging.result_of(
                one,
                derived[one.station_id],
                marks.get(one.id, ()),
                [each for each in rectifications if each.inspection_id == one.id],
            )
            for one in inspections
        ]
        return judging.ranked(found)

    # inspections

    async def appoint(self, inspection_id: UUID, inspectors: Sequence[UUID], expected: int | None) -> Inspection:
        """The team of a station. ``Conflict`` not_an_inspector, inspector_worked_there."""
        inspection = await self._inspection(inspection_id, expected)
        workflow.require_editable(inspection)
        workflow.require_phase(inspection.phase, *workflow.ORDER[:-1])
        staff = await self.people.everyone_at(self.actor.scope, inspection.station_id)
        for one in inspectors:
            name = await self.people.find_inspector(self.actor.scope, one)
            if name is None:
                raise refusals.not_an_inspector()
            workflow.require_independent(one, name, staff)
        changed = replace(inspection, inspectors=tuple(dict.fromkeys(inspectors)), signatures=())
        return await self._save_inspection("inspection.appoint", changed, ("inspectors",))

    async def mark(self, inspection_id: UUID, criterion: str, source: Source, entry: MarkEntry, expected: int | None) -> Mark:
        """The station's own word (from the implementation on), or a finding of the team (while inspecting)."""
        inspection = await self._inspection(inspection_id, expected)
        workflow.require_editable(inspection)
        own = source is Source.SELF
        wanted = (Phase.IMPLEMENTATION, Phase.INSPECTION) if own else (Phase.INSPECTION,)
        workflow.require_phase(inspection.phase, *wanted)
        derived = await self._derived(inspection)
        verdict = next((one for one in derived.criteria if one.criterion.code == criterion), None)
        if verdict is None:
            raise refusals.criterion_unknown(criterion)
        mark = Mark(criterion, source, entry.met, entry.note, entry.evidence, entry.rectify_by, self._signature())
        if not own:
            if self.actor.id not in inspection.inspectors:
                raise refusals.not_on_the_team()
            workflow.check_finding(mark, verdict.met, self.today)
        await self._require_evidence(entry.evidence)
        await self.campaigns.put_mark(self.actor.scope, inspection, mark)
        if not own and inspection.signatures:  # a finding changed after the first signature has to be signed anew
            await self.campaigns.save_inspection(self.actor.scope, replace(inspection, signatures=()))
        await self.trail.note(f"inspection.{source.value}", "inspection", inspection.id, inspection.area_code, (criterion,))
        return mark

    async def sign(self, inspection_id: UUID, expected: int | None) -> Inspection:
        inspection = await self._inspection(inspection_id, expected)
        workflow.require_phase(inspection.phase, Phase.INSPECTION)
        if not inspection.inspectors:
            raise refusals.team_missing()
        marks = (await self.campaigns.list_marks(self.actor.scope, [inspection.id])).get(inspection.id, ())
        open_ones = judging.unmarked(await self._derived(inspection), marks)
        signed = workflow.signed(inspection, self._signature(), open_ones)
        return await self._save_inspection("inspection.sign", signed)

    async def countersign(self, inspection_id: UUID, expected: int | None) -> Inspection:
        """The station's head signs; every failed criterion becomes a rectification."""
        inspection = await self._inspection(inspection_id, expected)
        workflow.require_phase(inspection.phase, Phase.INSPECTION)
        signed = workflow.countersigned(inspection, self._signature())
        marks = (await self.campaigns.list_marks(self.actor.scope, [inspection.id])).get(inspection.id, ())
        derived = await self._derived(inspection)
        await self.campaigns.add_rectifications(self.actor.scope, self._rectifications(inspection, derived, marks))
        return await self._save_inspection("inspection.countersign", signed)

    def _rectifications(self, inspection: Inspection, derived: Assessment, marks: Sequence[Mark]) -> list[Rectification]:
        names = {one.criterion.code: one.criterion.sentence for one in derived.criteria}
        return [
            Rectification(
                id=self.new_id(),
                inspection_id=inspection.id,
                station_id=inspection.station_id,
                area_code=inspection.area_code,
                criterion=mark.criterion,
                requirement=mark.note or names[mark.criterion],
                due_on=mark.rectify_by,
                owner=None,
                state=RectificationState.OPEN,
                submissions=(),
                closed=None,
                version=1,
            )
            for mark in marks
            if mark.source is Source.FOUND and not mark.met and mark.rectify_by is not None
        ]

    # rectifications

    async def take_on(self, rectification_id: UUID, owner: str, expected: int | None) -> Rectification:
        """Who at the station answers for it."""
        found = await self._rectification(rectification_id, expected)
        if found.state is RectificationState.CLOSED:
            raise refusals.wrong_rectification_state(found.state)
        return await self._save_rectification("rectification.take_on", replace(found, owner=owner), ("owner",))

    async def submit(self, rectification_id: UUID, note: str, evidence: Sequence[UUID], expected: int | None) -> Rectification:
        found = await self._rectification(rectification_id, expected)
        await self._require_evidence(evidence)
        return await self._save_rectification(
            "rectification.submit", workflow.submitted(found, note, evidence, self._signature())
        )

    async def reinspect(
        self, rectification_id: UUID, *, passed: bool, note: str, due_on: date | None, expected: int | None
    ) -> Rectification:
        """By a member of the team that found it."""
        found = await self._rectification(rectification_id, expected)
        inspection = await self.campaigns.get_inspection(self.actor.scope, found.inspection_id)
        if self.actor.id not in inspection.inspectors:
            raise refusals.not_on_the_team()
        looked = workflow.reinspected(
            found, passed=passed, note=note, due_on=due_on, signature=self._signature(), today=self.today
        )
        return await self._save_rectification("rectification.reinspect", looked)

    # what all of them share

    def _signature(self) -> Signature:
        return Signature.of(self.actor, self.now)

    async def _campaign(self, campaign_id: UUID, expected: int | None) -> Campaign:
        campaign = await self.campaigns.get(self.actor.scope, campaign_id, lock=True)
        refusals.check_version(expected, campaign.version)
        return campaign

    async def _save(self, action: str, campaign: Campaign) -> Campaign:
        await self.trail.note(action, "inspection_campaign", campaign.id, campaign.area_code)
        return await self.campaigns.save(self.actor.scope, campaign)

    async def _inspection(self, inspection_id: UUID, expected: int | None) -> Inspection:
        inspection = await self.campaigns.get_inspection(self.actor.scope, inspection_id, lock=True)
        refusals.check_version(expected, inspection.version)
        return inspection

    async def _derived(self, inspection: Inspection) -> Assessment:
        found = await self.derivation.assessments(
            self.actor.scope, inspection.standard, inspection.standard_version, inspection.as_of, [inspection.station_id]
        )
        return found[inspection.station_id]

    async def _save_inspection(self, action: str, inspection: Inspection, fields: Sequence[str] = ()) -> Inspection:
        await self.trail.note(action, "inspection", inspection.id, inspection.area_code, fields)
        return await self.campaigns.save_inspection(self.actor.scope, inspection)

    async def _rectification(self, rectification_id: UUID, expected: int | None) -> Rectification:
        found = await self.campaigns.get_rectification(self.actor.scope, rectification_id, lock=True)
        refusals.check_version(expected, found.version)
        return found

    async def _save_rectification(self, action: str, found: Rectification, fields: Sequence[str] = ()) -> Rectification:
        await self.trail.note(action, "rectification", found.id, found.area_code, fields)
        return await self.campaigns.save_rectification(self.actor.scope, found)

    async def _require_evidence(self, files: Sequence[UUID]) -> None:
        if files and not await self.evidence.all_there(self.actor.scope, files):
            raise refusals.evidence_unknown()

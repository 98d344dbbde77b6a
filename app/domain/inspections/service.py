"""The acts of the acceptance, each told in order: look, decide, save, put on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.domain.access import Actor, Signature
from app.domain.inspections import judging, marking, refusals, workflow
from app.domain.inspections.consequences import Frozen
from app.domain.inspections.imprint import Imprint, ImprintSource, imprint_of, signers
from app.domain.inspections.marking import MarkEntry
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
        workflow.check_schedule(entry.schedule, entry.as_of)
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
        """Freezes facts, standard, marks, scores and ranking for good. ``Conflict`` results_undecided: nothing is scored zero."""
        campaign = await self._campaign(campaign_id, expected)
        published = workflow.published(campaign, self._signature())
        results = await self.results(campaign)
        undecided = [one.station_name for one in results if one.rank is None]
        if undecided:
            raise refusals.undecided(undecided)
        imprints = await self._imprints(campaign)
        frozen = [await self._frozen(campaign, result, imprints[result.station_id]) for result in results]
        saved = await self._save("inspection_campaign.publish", published)
        await self.campaigns.freeze(self.actor.scope, saved, frozen, self.now)
        return saved

    async def _imprints(self, campaign: Campaign) -> Mapping[UUID, Imprint]:
        """What the documents about each station will name."""
        scope, inspections = self.actor.scope, await self.campaigns.list_inspections(self.actor.scope, campaign.id)
        ids = [one.id for one in inspections]
        marks = await self.campaigns.list_marks(scope, ids)
        rectifications = await self.campaigns.list_rectifications_of(scope, ids)
        source = ImprintSource(
            campaign=campaign,
            issuer=await self.derivation.issuer(scope, self.today),
            standard_name=self.derivation.standard_name(campaign.standard),
            names=await self.people.names_of(scope, signers(inspections)),
            on=self.today,
        )
        return {
            one.station_id: imprint_of(
                source, one, marks.get(one.id, ()), [each for each in rectifications if each.inspection_id == one.id]
            )
            for one in inspections
        }

    async def _frozen(self, campaign: Campaign, result: Result, imprint: Imprint) -> Frozen:
        consequence = self.derivation.consequence_of(result, self.today)
        facts = await self.derivation.facts_document(
            self.actor.scope, result.station_id, campaign.standard, campaign.standard_version, campaign.as_of
        )
        return Frozen(result, consequence, facts, campaign.standard, campaign.standard_version, campaign.as_of, imprint)

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
        await self._require_independent(inspection, inspectors)
        changed = replace(inspection, inspectors=tuple(dict.fromkeys(inspectors)), signatures=())
        return await self._save_inspection("inspection.appoint", changed, ("inspectors",))

    async def mark(self, inspection_id: UUID, criterion: str, source: Source, entry: MarkEntry, expected: int | None) -> Mark:
        """The station's own word (from the implementation on), or a finding of the team (while inspecting)."""
        inspection = await self._markable(inspection_id, source, expected)
        mark = marking.mark_of(criterion, source, entry, self._signature())
        derived = marking.by_criterion(await self._derived(inspection))
        marking.check_mark(mark, derived, await self._missing(inspection, entry.evidence), self.today)
        await self._put(inspection, source, [mark])
        return mark

    async def mark_all(
        self, inspection_id: UUID, source: Source, entries: Sequence[tuple[str, MarkEntry]], expected: int | None
    ) -> Sequence[Mark]:
        """A whole sheet at once, criterion by criterion: all of it or, with every fault named, nothing."""
        inspection = await self._markable(inspection_id, source, expected)
        signature = self._signature()
        marks = [marking.mark_of(criterion, source, entry, signature) for criterion, entry in entries]
        derived = marking.by_criterion(await self._derived(inspection))
        missing = await self._missing(inspection, marking.evidence_of(marks))
        marking.check_sheet(marks, derived, missing, self.today)
        await self._put(inspection, source, marks)
        return marks

    async def _markable(self, inspection_id: UUID, source: Source, expected: int | None) -> Inspection:
        """The inspection, if the caller may mark it now. ``Forbidden`` not_on_the_team; ``Conflict`` inspector_worked_there."""
        inspection = await self._inspection(inspection_id, expected)
        workflow.require_editable(inspection)
        if source is Source.SELF:
            workflow.require_phase(inspection.phase, Phase.IMPLEMENTATION, Phase.INSPECTION)
            return inspection
        workflow.require_phase(inspection.phase, Phase.INSPECTION)
        await self._require_member(inspection)
        return inspection

    async def _put(self, inspection: Inspection, source: Source, marks: Sequence[Mark]) -> None:
        await self.campaigns.put_marks(self.actor.scope, inspection, marks)
        if source is Source.FOUND and inspection.signatures:  # findings changed after a signature have to be signed anew
            await self.campaigns.save_inspection(self.actor.scope, replace(inspection, signatures=()))
        criteria = [mark.criterion for mark in marks]
        await self.trail.note(f"inspection.{source.value}", "inspection", inspection.id, inspection.area_code, criteria)

    async def _require_member(self, inspection: Inspection) -> None:
        """On the team, and still nobody who worked there: a former post may have come on file since the team was appointed."""
        if self.actor.id not in inspection.inspectors:
            raise refusals.not_on_the_team()
        await self._require_independent(inspection, [self.actor.id])

    async def _require_independent(self, inspection: Inspection, inspectors: Sequence[UUID]) -> None:
        staff = await self.people.everyone_at(self.actor.scope, inspection.station_id)
        for one in inspectors:
            inspector = await self.people.find_inspector(self.actor.scope, one)
            if inspector is None:
                raise refusals.not_an_inspector()
            workflow.require_independent(inspector, inspection.area_code, staff)

    async def sign(self, inspection_id: UUID, expected: int | None) -> Inspection:
        inspection = await self._inspection(inspection_id, expected)
        workflow.require_phase(inspection.phase, Phase.INSPECTION)
        if not inspection.inspectors:
            raise refusals.team_missing()
        marks = (await self.campaigns.list_marks(self.actor.scope, [inspection.id])).get(inspection.id, ())
        open_ones = judging.unmarked(await self._derived(inspection), marks)
        await self._require_member(inspection)
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
        inspection = await self.campaigns.get_inspection(self.actor.scope, found.inspection_id)
        if await self._missing(inspection, evidence):
            raise refusals.evidence_unknown()
        return await self._save_rectification(
            "rectification.submit", workflow.submitted(found, note, evidence, self._signature())
        )

    async def reinspect(
        self, rectification_id: UUID, *, passed: bool, note: str, due_on: date | None, expected: int | None
    ) -> Rectification:
        """By a member of the team that found it."""
        found = await self._rectification(rectification_id, expected)
        inspection = await self.campaigns.get_inspection(self.actor.scope, found.inspection_id)
        await self._require_member(inspection)
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

    async def _missing(self, inspection: Inspection, files: Iterable[UUID]) -> AbstractSet[UUID]:
        """Evidence that isn't there, or is another station's."""
        wanted = set(files)
        return wanted - await self.evidence.there(self.actor.scope, inspection.area_code, wanted) if wanted else wanted

"""The demo's acceptance of stations: one campaign published last month, one under way; and some leads from the communities.

What the inspectors of the demo found is what the data say. Of the failures of the first station that has any, the first was put
right; the others are open, some of them overdue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.acceptance_points import consequence_on
from app.db.acceptance_desk import AcceptanceDesk, open_acceptance_desk
from app.db.base import columns
from app.db.lead_desk import open_lead_desk
from app.db.locks import lock_subjects
from app.db.session import transaction
from app.db.tables.inspections import InspectionCampaign
from app.demo.accounts import ACCOUNTS, SECOND_ACCOUNTS, DemoAccount
from app.demo.photo import office_front
from app.domain.access import Actor, AreaScope, Duty, Signature
from app.domain.calendar import SHANGHAI, business_date
from app.domain.inspections import Campaign, CampaignEntry, Inspection, Mark, MarkEntry, Phase, Rectification, Schedule, Source
from app.domain.inspections import workflow as acts
from app.domain.inspections.judging import to_be_found
from app.domain.inspections.model import RectificationState
from app.domain.leads import LeadDesk, LeadEntry, LeadKind, LeadOutcome
from app.domain.stations import Assessment
from app.files import FileStore
from app.ids import new_id
from app.runtime import Runtime
from app.station_standards import standards

CAMPAIGN = columns(InspectionCampaign)
STANDARD = "sanyou_siquan"
PUBLISHED_DAYS_AGO = 30
STEP_DAYS = 10
FIRST_SEEN = (
    (LeadKind.HARDSHIP, "一组某户", "家中唯一劳动力患病住院，生活困难", None),
    (LeadKind.DEATH, "二组某老人", "上月去世，家属尚未申报", LeadOutcome.RECORD_CHANGED),
    (LeadKind.MOVE, "三组某户", "已随子女迁往外地居住", None),
)


async def load_acceptance(runtime: Runtime, now: datetime) -> None:
    """Idempotent, one transaction a district."""
    for accounts in (ACCOUNTS, SECOND_ACCOUNTS):
        await _load(runtime, {duty: one for one in reversed(accounts) for duty in one.duties}, now)


async def _load(runtime: Runtime, people: dict[Duty, DemoAccount], now: datetime) -> None:
    inspector = people[Duty.INSPECTOR]
    scope = AreaScope(inspector.area, inspector.area)
    async with transaction(runtime.engine, scope) as session:
        await lock_subjects(session, [b"demo acceptance " + scope.district.encode()])
        if await session.scalar(select(exists().where(CAMPAIGN.district == scope.district))):
            return
        await _Demo(runtime, session, scope, people).build(business_date(now))


@dataclass(frozen=True)
class _Demo:
    """What building a district's demo needs."""

    runtime: Runtime
    session: AsyncSession
    scope: AreaScope
    people: dict[Duty, DemoAccount]

    async def build(self, today: date) -> None:
        await self._published(today - timedelta(days=PUBLISHED_DAYS_AGO))
        await self._under_way(today)
        await self._leads(today - timedelta(days=STEP_DAYS))

    def _actor(self, duty: Duty) -> Actor:
        account = self.people[duty]
        return Actor(account.id, account.username, account.level, account.area, self.scope.district, frozenset({duty}))

    def _desk(self, day: date, duty: Duty = Duty.INSPECTOR) -> AcceptanceDesk:
        return open_acceptance_desk(
            self.session, self._actor(duty), standards(), consequence_on, new_id, today=day, now=_noon(day)
        )

    async def _published(self, day: date) -> None:
        """Everything looked at, signed and published on one day after the other."""
        first = day - timedelta(days=3 * STEP_DAYS)
        campaign = await self._opened("上一轮三有四全检查验收", day, Schedule(first, first, first, day))
        desk = self._desk(day)
        inspections = await desk.records.list_inspections(self.scope, campaign.id)
        derived = await desk.derivation.assessments(
            self.scope, STANDARD, campaign.standard_version, day, [one.station_id for one in inspections]
        )
        for one in inspections:
            await self._look_at(desk, one, derived[one.station_id], day)
        await desk.acts.advance(campaign.id, None)
        await self._desk(day, Duty.REVIEWER).acts.publish(campaign.id, None)

    async def _opened(self, title: str, as_of: date, schedule: Schedule) -> Campaign:
        """A campaign in its last phase before the end."""
        desk = self._desk(schedule.inspection_from)
        entry = CampaignEntry(self.scope.prefix, title, STANDARD, as_of, schedule, 2026, 3, ())
        campaign = await desk.acts.open(entry)
        while campaign.phase is not Phase.INSPECTION:
            campaign = await desk.acts.advance(campaign.id, None)
        return campaign

    async def _look_at(self, desk: AcceptanceDesk, inspection: Inspection, derived: Assessment, day: date) -> None:
        signature = Signature(self.people[Duty.INSPECTOR].id, self.people[Duty.INSPECTOR].username, _noon(day))
        photo = await self._photo(inspection.area_code, day)
        marks = [
            _found(verdict.criterion.code, verdict.met is not False, photo, day, signature) for verdict in to_be_found(derived)
        ]
        await desk.records.put_marks(self.scope, inspection, marks)
        head = self.people[Duty.STATION_HEAD]
        team = replace(inspection, inspectors=(signature.by,))
        signed = acts.signed(team, signature, [])
        confirmed = acts.countersigned(signed, Signature(head.id, head.username, _noon(day)))
        await desk.records.save_inspection(self.scope, confirmed)
        await desk.records.add_rectifications(self.scope, _rectifications(confirmed, derived, marks, signature, photo))

    async def _photo(self, area_code: str, day: date) -> UUID:
        kept = await FileStore(self.runtime.cipher).put(
            AreaScope(self.scope.district, area_code),
            self.session,
            _once(office_front(area_code)),
            purpose="evidence",
            name="现场照片.png",
            media_type="image/png",
            by=self.people[Duty.INSPECTOR].id,
            now=_noon(day),
            max_bytes=1 << 20,
        )
        return kept.id

    async def _under_way(self, today: date) -> None:
        """The station of the demo's accounts has a team and a first word of its own."""
        first = today - timedelta(days=2 * STEP_DAYS)
        schedule = Schedule(first, first, today, today + timedelta(days=2 * STEP_DAYS))
        campaign = await self._opened("本轮三有四全检查验收", today, schedule)
        desk = self._desk(today)
        station = self.people[Duty.STATION_CLERK].area
        inspections = await desk.records.list_inspections(self.scope, campaign.id)
        own = next(one for one in inspections if one.area_code == station)
        await desk.acts.appoint(own.id, [self.people[Duty.INSPECTOR].id], None)
        derived = await desk.derivation.assessments(self.scope, STANDARD, campaign.standard_version, today, [own.station_id])
        code = derived[own.station_id].criteria[0].criterion.code
        clerk = self._desk(today, Duty.STATION_CLERK)
        await clerk.acts.mark(own.id, code, Source.SELF, MarkEntry(True, "自查达标", ()), None)

    async def _leads(self, day: date) -> None:
        worker = self._lead_desk(day, Duty.COMMUNITY_WORKER)
        community = self.people[Duty.COMMUNITY_WORKER].area
        clerk = self._lead_desk(day + timedelta(days=1), Duty.STATION_CLERK)
        for kind, about, description, outcome in FIRST_SEEN:
            lead = await worker.report(new_id(), LeadEntry(community, kind, about, description))
            if outcome is not None:
                await clerk.take(lead.id, None)
                await clerk.settle(lead.id, outcome, "已核实并办理", None)

    def _lead_desk(self, day: date, duty: Duty) -> LeadDesk:
        return open_lead_desk(self.session, self.runtime.cipher, self._actor(duty), today=day, now=_noon(day))


def _found(code: str, met: bool, photo: UUID, day: date, signature: Signature) -> Mark:
    due = None if met else day + timedelta(days=2 * STEP_DAYS)
    note = None if met else "请按标准限期整改"
    return Mark(code, Source.FOUND, met, note, () if met else (photo,), due, signature)


def _rectifications(
    inspection: Inspection, derived: Assessment, marks: Sequence[Mark], signature: Signature, photo: UUID
) -> list[Rectification]:
    """The first failure of every second station has been put right."""
    sentences = {verdict.criterion.code: verdict.criterion.sentence for verdict in derived.criteria}
    made = [
        Rectification(
            id=new_id(),
            inspection_id=inspection.id,
            station_id=inspection.station_id,
            area_code=inspection.area_code,
            criterion=mark.criterion,
            requirement=mark.note or sentences[mark.criterion],
            due_on=mark.rectify_by,
            owner="站长",
            state=RectificationState.OPEN,
            submissions=(),
            closed=None,
            version=1,
        )
        for mark in marks
        if not mark.met and mark.rectify_by is not None
    ]
    if made and int(inspection.area_code[-1]) % 2:
        sent = acts.submitted(made[0], "已按要求整改", [photo], signature)
        today = business_date(signature.at)
        made[0] = acts.reinspected(sent, passed=True, note="复查合格", due_on=None, signature=signature, today=today)
    return made


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
    await asyncio.sleep(0)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), SHANGHAI).astimezone(UTC)

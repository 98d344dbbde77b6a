"""Leads from the communities: reported, taken, settled, fed back."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field

from app.db.lead_desk import open_lead_desk
from app.db.repositories.leads import LeadFilter, LeadRepository
from app.dependencies import (
    ClockDep,
    CurrentActor,
    IfMatch,
    PageDep,
    RuntimeDep,
    SessionDep,
    allow,
    bad_cursor,
    encode_cursor,
    set_etag,
)
from app.domain.access import Actor, Duty
from app.domain.leads import Lead, LeadDesk, LeadEntry, LeadKind, LeadOutcome, LeadState
from app.domain.leads.model import overdue
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.routers.models import ApiModel, AreaCodeText, CommunityCode, LongText, Page, ShortText
from app.routers.route import api_router

router = api_router("线索", "/leads")

Reporter = Annotated[Actor, allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK)]
Handler = Annotated[Actor, allow(Duty.STATION_CLERK, Duty.STATION_HEAD)]
Reader = Annotated[
    Actor,
    allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.INSPECTOR, Duty.AUDITOR),
]


async def get_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep, runtime: RuntimeDep) -> LeadDesk:
    return open_lead_desk(session, runtime.cipher, actor, today=clock.today, now=clock.now)


async def get_leads(session: SessionDep, clock: ClockDep, runtime: RuntimeDep) -> LeadRepository:
    return LeadRepository(session, runtime.cipher, clock.now)


DeskDep = Annotated[LeadDesk, Depends(get_desk)]
LeadsDep = Annotated[LeadRepository, Depends(get_leads)]


class LeadIn(ApiModel):
    """一条线索。文字中请勿填写身份证号、电话等号码。"""

    area_code: CommunityCode
    kind: LeadKind = Field(description="家庭遇困、突发急难、死亡、迁移、其他")
    about: ShortText = Field(description="涉及何人或何户，如“某小组某某家”")
    description: LongText = Field(description="发现的情况")
    informant_id: UUID | None = Field(default=None, description="由哪位信息监督员发现")
    household_id: UUID | None = Field(default=None, description="已登记的家庭")

    def entry(self) -> LeadEntry:
        return LeadEntry(self.area_code, self.kind, self.about, self.description, self.informant_id, self.household_id)


class HandOverIn(ApiModel):
    """移交给本站另一位经办人。"""

    account_id: UUID


class SettlementIn(ApiModel):
    """办理结果。"""

    outcome: LeadOutcome
    note: LongText = Field(description="办理情况，反馈给上报人")


class WithdrawalIn(ApiModel):
    """撤回原因。"""

    note: LongText


class LeadOut(ApiModel):
    """一条线索。"""

    id: UUID
    area_code: str
    kind: LeadKind
    about: str
    description: str
    informant_id: UUID | None
    household_id: UUID | None
    state: LeadState
    reported_by: str
    reported_on: date
    due_on: date = Field(description="办结期限")
    provisional: bool = Field(description="期限跨入尚未公布日历的年度，待日历公布后为准")
    overdue: bool
    handler: str | None = Field(description="首问负责人：接办后由其负责到底，移交后由接手人负责")
    handler_id: UUID | None
    outcome: LeadOutcome | None
    note: str | None = Field(description="办理情况或撤回原因")
    settled_on: date | None
    fed_back_on: date | None = Field(description="结果反馈给信息监督员的日期")

    @classmethod
    def of(cls, lead: Lead, today: date) -> LeadOut:
        return cls(
            id=lead.id,
            area_code=lead.entry.area_code,
            kind=lead.entry.kind,
            about=lead.entry.about,
            description=lead.entry.description,
            informant_id=lead.entry.informant_id,
            household_id=lead.entry.household_id,
            state=lead.state,
            reported_by=lead.reported_by.name,
            reported_on=lead.reported_on,
            due_on=lead.due.date,
            provisional=lead.due.provisional,
            overdue=overdue(lead, today),
            handler=lead.handler.name if lead.handler else None,
            handler_id=lead.handler.id if lead.handler else None,
            outcome=lead.outcome,
            note=lead.note,
            settled_on=lead.settled_on,
            fed_back_on=lead.fed_back_on,
        )


def _shown(lead: Lead, clock: ClockDep, response: Response) -> LeadOut:
    set_etag(response, lead.version)
    return LeadOut.of(lead, clock.today)


@router.post("", status_code=201, summary="上报线索", dependencies=[IDEMPOTENT])
async def report(
    body: LeadIn,
    desk: DeskDep,
    clock: ClockDep,
    actor: Reporter,  # noqa: ARG001  (declares the duty)
    response: Response,
) -> LeadOut:
    """上报后转到所属工作站，按类别起算办结期限：突发急难一个工作日，家庭遇困、死亡三个，其余五个。"""
    lead = await desk.report(new_id(), body.entry())
    response.headers["Location"] = f"/api/v1/leads/{lead.id}"
    return _shown(lead, clock, response)


@router.get("", summary="线索列表")
async def list_leads(
    leads: LeadsDep,
    clock: ClockDep,
    actor: Reader,
    page: PageDep,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    kind: Annotated[LeadKind | None, Query(description="只看该类")] = None,
    state: Annotated[LeadState | None, Query(description="只看该状态")] = None,
    open_only: Annotated[bool, Query(description="只看未办结的")] = False,
    overdue_only: Annotated[bool, Query(description="只看已逾期未办结的")] = False,
    informant_id: Annotated[UUID | None, Query(description="只看该信息监督员发现的")] = None,
    to_feed_back: Annotated[bool, Query(description="只看已办结、尚未反馈给信息监督员的")] = False,
) -> Page[LeadOut]:
    """本人辖区内的线索，期限近的在前。"""
    late = clock.today if overdue_only else None
    wanted = LeadFilter(area_code, kind, state, open_only, late, informant_id, to_feed_back)
    found = await leads.list_leads(actor.scope, wanted, after=_position(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    cursor = encode_cursor(items[-1].due.date, items[-1].id) if len(found) > page.limit else None
    return Page(
        items=[LeadOut.of(lead, clock.today) for lead in items],
        next_cursor=cursor,
        total=await leads.count_leads(actor.scope, wanted) if page.count else None,
    )


def _position(after: tuple[Any, ...] | None) -> tuple[date, UUID] | None:
    if after is None:
        return None
    try:
        due_on, lead_id = after
        return date.fromisoformat(due_on), UUID(lead_id)
    except ValueError as error:
        raise bad_cursor() from error


@router.get("/{lead_id}", summary="线索详情")
async def get_lead(lead_id: UUID, leads: LeadsDep, clock: ClockDep, actor: Reader, response: Response) -> LeadOut:
    """情况、期限、首问负责人和办理结果。"""
    return _shown(await leads.get(actor.scope, lead_id), clock, response)


@router.post("/{lead_id}/take", summary="接办线索", dependencies=[IDEMPOTENT])
async def take(
    lead_id: UUID,
    desk: DeskDep,
    clock: ClockDep,
    actor: Handler,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> LeadOut:
    """首问负责：先接办者负责到办结，或移交他人。"""
    return _shown(await desk.take(lead_id, version), clock, response)


@router.post("/{lead_id}/hand-over", summary="移交线索", dependencies=[IDEMPOTENT])
async def hand_over(
    lead_id: UUID,
    body: HandOverIn,
    desk: DeskDep,
    clock: ClockDep,
    actor: Handler,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> LeadOut:
    """由现任负责人移交给本站另一位经办人，负责人不在岗时由站长移交；期限不重新起算。"""
    return _shown(await desk.hand_over(lead_id, body.account_id, version), clock, response)


@router.post("/{lead_id}/settle", summary="办结线索", dependencies=[IDEMPOTENT])
async def settle(
    lead_id: UUID,
    body: SettlementIn,
    desk: DeskDep,
    clock: ClockDep,
    actor: Handler,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> LeadOut:
    """由负责人填写结果，上报的村（社区）随即可见。"""
    return _shown(await desk.settle(lead_id, body.outcome, body.note, version), clock, response)


@router.post("/{lead_id}/feed-back", summary="登记结果已反馈", dependencies=[IDEMPOTENT])
async def feed_back(
    lead_id: UUID,
    desk: DeskDep,
    clock: ClockDep,
    actor: Reporter,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> LeadOut:
    """办结的结果已告知发现该线索的信息监督员。"""
    return _shown(await desk.feed_back(lead_id, version), clock, response)


@router.post("/{lead_id}/withdraw", summary="撤回线索", dependencies=[IDEMPOTENT])
async def withdraw(
    lead_id: UUID,
    body: WithdrawalIn,
    desk: DeskDep,
    clock: ClockDep,
    actor: Reporter,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> LeadOut:
    """接办之前，上报人可以撤回。"""
    return _shown(await desk.withdraw(lead_id, body.note, version), clock, response)

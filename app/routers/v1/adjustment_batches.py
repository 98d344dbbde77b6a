"""提标: the new amounts of everybody whom a newly active parameter set concerns, approved once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from app.db.repositories.adjustments import AdjustmentRepository
from app.db.repositories.audit import AuditEntry, AuditTrail, write_audit
from app.db.repositories.policy_runs import RunningCaseRepository
from app.db.repositories.policy_sets import PolicySetRepository
from app.dependencies import (
    AuditDep,
    ClockDep,
    IfMatch,
    PageDep,
    RuntimeDep,
    SessionDep,
    allow,
    cursor_id,
    encode_cursor,
    set_etag,
)
from app.domain.access import Actor, Duty
from app.domain.calendar import Month
from app.domain.eligibility import ParameterBook
from app.domain.eligibility.answering_setwise import answer_all
from app.domain.policy import adjusting
from app.domain.policy.adjusting import Amounts, Plan
from app.domain.policy.model import Adjustment, AdjustmentBatch, AdjustmentState
from app.domain.policy.simulation import RunningCase
from app.idempotency import IDEMPOTENT_MONEY
from app.ids import new_id
from app.routers.models import ApiModel, MonthText, Page
from app.routers.route import api_router

router = api_router("提标", "/adjustment-batches")

Officer = Annotated[Actor, allow(Duty.POLICY_OFFICER)]
Reviewer = Annotated[Actor, allow(Duty.REVIEWER)]
Reader = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER, Duty.FINANCE, Duty.AUDITOR)]


class AdjustmentProposal(ApiModel):
    """编制提标批次。"""

    set_id: UUID = Field(description="现行参数集")
    effective_month: MonthText = Field(description="从该月起按新标准；早于本月的，另列各月应补发的差额")


class AdjustmentBatchOut(ApiModel):
    """一次提标。"""

    id: UUID
    area_code: str
    set_id: UUID
    effective_month: str
    state: AdjustmentState
    business_date: date
    items: int = Field(description="提高待遇的户（人）数")
    excluded: int = Field(description="未列入的在保户（人）数：无法测算、会降低或终止的，须逐户办理")
    monthly_change_fen: int = Field(description="每月增加，单位分")
    arrears_fen: int = Field(description="应补发合计，单位分")
    made_by: str
    made_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    version: int

    @classmethod
    def of(cls, batch: AdjustmentBatch) -> AdjustmentBatchOut:
        return cls(
            id=batch.id,
            area_code=batch.area_code,
            set_id=batch.set_id,
            effective_month=str(batch.effective_month),
            state=batch.state,
            business_date=batch.business_date,
            items=batch.items,
            excluded=batch.excluded,
            monthly_change_fen=batch.monthly_change_fen,
            arrears_fen=batch.arrears_fen,
            made_by=batch.made.name,
            made_at=batch.made.at,
            approved_by=batch.approved.name if batch.approved else None,
            approved_at=batch.approved.at if batch.approved else None,
            version=batch.version,
        )


class ArrearsOut(ApiModel):
    """一个月应补发的差额。"""

    month: str
    amount_fen: int


class NewComponentOut(ApiModel):
    """新待遇的一项。"""

    component: str
    person_id: UUID | None
    amount_fen: int


class AdjustmentItemOut(ApiModel):
    """一户（人）的新旧待遇。"""

    id: UUID
    area_code: str
    entitlement_id: UUID
    household_id: UUID
    programme: str
    from_month: str = Field(description="从该月起按新待遇")
    old_fen: int
    new_fen: int
    components: list[NewComponentOut]
    arrears: list[ArrearsOut] = Field(description="已到期各月的差额；尚未发放的月份直接按新待遇发放，不再补发")
    arrears_fen: int

    @classmethod
    def of(cls, item: Adjustment) -> AdjustmentItemOut:
        return cls(
            id=item.id,
            area_code=item.area_code,
            entitlement_id=item.entitlement_id,
            household_id=item.household_id,
            programme=item.programme,
            from_month=str(item.from_month),
            old_fen=item.old_fen,
            new_fen=item.new_fen,
            components=[NewComponentOut.model_validate(one) for one in item.components],
            arrears=[ArrearsOut(month=str(month), amount_fen=fen) for month, fen in item.arrears],
            arrears_fen=item.arrears_fen,
        )


@dataclass(frozen=True)
class AdjustmentDesk:
    """What every act on a batch needs in its request."""

    batches: AdjustmentRepository
    trail: AuditTrail

    async def done(self, act: str, batch: AdjustmentBatch, response: Response) -> AdjustmentBatchOut:
        details = {"items": batch.items, "monthly_change_fen": batch.monthly_change_fen, "arrears_fen": batch.arrears_fen}
        entry = AuditEntry(f"adjustment_batch.{act}", "adjustment_batch", batch.id, batch.area_code, details=details)
        await self.trail.record(entry)
        return shown(batch, response)


async def get_desk(session: SessionDep, trail: AuditDep) -> AdjustmentDesk:
    return AdjustmentDesk(AdjustmentRepository(session), trail)


DeskDep = Annotated[AdjustmentDesk, Depends(get_desk)]


def shown(batch: AdjustmentBatch, response: Response) -> AdjustmentBatchOut:
    set_etag(response, batch.version)
    return AdjustmentBatchOut.of(batch)


async def computing(
    plan: Plan, cases: Sequence[RunningCase], amounts: Amounts, book: ParameterBook
) -> tuple[list[Adjustment], int]:
    return await asyncio.to_thread(adjusting.adjust_all, plan, cases, amounts, book, answer_all)


@router.post("", status_code=201, summary="编制提标批次", dependencies=[IDEMPOTENT_MONEY])
async def propose(
    body: AdjustmentProposal,
    desk: DeskDep,
    session: SessionDep,
    runtime: RuntimeDep,
    actor: Officer,
    clock: ClockDep,
    response: Response,
) -> AdjustmentBatchOut:
    """按现行参数集重算全部在保待遇，列出新旧金额和各月应补发的差额；由他人一次批准后才生效。"""
    batch = await adjusting.propose(
        PolicySetRepository(session),
        RunningCaseRepository(session),
        desk.batches,
        actor.scope,
        body.set_id,
        Month.parse(body.effective_month),
        await runtime.parameter_books.current(session),
        computing,
        actor=actor,
        new_id=new_id,
        now=clock.now,
        today=clock.today,
    )
    response.headers["Location"] = f"/api/v1/adjustment-batches/{batch.id}"
    return await desk.done("propose", batch, response)


@router.get("", summary="提标批次列表")
async def list_batches(desk: DeskDep, actor: Reader, page: PageDep) -> Page[AdjustmentBatchOut]:
    """新的在前。"""
    found = await desk.batches.list_page(actor.scope, before=cursor_id(page.after), limit=page.limit + 1)
    items = [AdjustmentBatchOut.of(one) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=await desk.batches.count(actor.scope) if page.count else None)


@router.get("/{adjustment_id}", summary="提标批次详情")
async def get_batch(adjustment_id: UUID, desk: DeskDep, actor: Reader, response: Response) -> AdjustmentBatchOut:
    """批准后这里的记录不再变化，供补发和告知使用。"""
    return shown(await desk.batches.get(actor.scope, adjustment_id), response)


@router.get("/{adjustment_id}/items", summary="提标明细")
async def list_items(adjustment_id: UUID, desk: DeskDep, actor: Reader, page: PageDep) -> Page[AdjustmentItemOut]:
    """逐户（人）列出新旧待遇、各项金额和各月应补发的差额。"""
    batch = await desk.batches.get(actor.scope, adjustment_id)
    found = await desk.batches.list_items(actor.scope, batch.id, after=cursor_id(page.after), limit=page.limit + 1)
    items = [AdjustmentItemOut.of(one) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=batch.items if page.count else None)


@router.post("/{adjustment_id}/approve", summary="批准提标", dependencies=[IDEMPOTENT_MONEY])
async def approve(
    adjustment_id: UUID,
    desk: DeskDep,
    session: SessionDep,
    actor: Reviewer,
    clock: ClockDep,
    version: IfMatch,
    response: Response,
) -> AdjustmentBatchOut:
    """由编制人以外的审核员办理，全部待遇一次生效；编制之后有待遇变动的，须作废重编。"""
    batch = await adjusting.approve(desk.batches, actor.scope, adjustment_id, actor, version=version, now=clock.now)
    items = await desk.batches.list_items(actor.scope, batch.id, after=None, limit=None)
    details = {"adjustment_batch_id": str(batch.id)}
    entries = [
        AuditEntry("entitlement.adjust", "entitlement", one.entitlement_id, one.area_code, fields=["amounts"], details=details)
        for one in items
    ]
    await write_audit(session, entries, actor)
    return await desk.done("approve", batch, response)


@router.post("/{adjustment_id}/cancel", summary="作废提标批次", dependencies=[IDEMPOTENT_MONEY])
async def cancel(adjustment_id: UUID, desk: DeskDep, actor: Officer, version: IfMatch, response: Response) -> AdjustmentBatchOut:
    """只能作废尚未批准的批次；作废后可重新编制。"""
    batch = await adjusting.cancel(desk.batches, actor.scope, adjustment_id, version=version)
    return await desk.done("cancel", batch, response)

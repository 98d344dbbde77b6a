"""Payment batches: open, compute, submit, approve by somebody else, release, bank file."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Depends, Header, Query, Response

from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.payments import BatchRepository, open_books
from app.db.repositories.reference import find_area
from app.dependencies import (
    AuditDep,
    ClockDep,
    CurrentActor,
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
from app.domain.payments import service
from app.domain.payments.bankfile import PROFILES, BankFile
from app.domain.payments.model import Batch, BatchAct, BatchState
from app.domain.payments.ports import Books
from app.idempotency import IDEMPOTENT_MONEY
from app.jobs.payment_compute import PaymentJobs
from app.routers.models import MonthText, Page
from app.routers.route import api_router
from app.routers.v1.areas import area_not_found
from app.routers.v1.payment_models import BatchOpening, BatchOut, ItemOut, Nothing, Programme, Reason, Withdrawal

router = api_router("资金发放", "/payment-batches")

Finance = Annotated[Actor, allow(Duty.FINANCE)]
Approver = Annotated[Actor, allow(Duty.APPROVER)]
Sender = Annotated[Actor, allow(Duty.FINANCE, Duty.APPROVER)]
Treasury = Annotated[Actor, allow(Duty.TREASURY)]
Reader = Annotated[Actor, allow(Duty.FINANCE, Duty.APPROVER, Duty.TREASURY, Duty.AUDITOR)]
NoBody = Annotated[Nothing | None, Body()]


@dataclass(frozen=True)
class Desk:
    """What every act on a batch needs in its request."""

    books: Books
    actor: Actor
    trail: AuditTrail

    async def done(self, act: str, batch: Batch, response: Response, reason: str | None = None) -> BatchOut:
        """Puts the act on record and shows the batch."""
        details = {"state": batch.state.value, "total_fen": batch.totals.total_fen}
        await self.trail.record(
            AuditEntry(f"payment_batch.{act}", "payment_batch", batch.id, batch.request.area_code, reason=reason, details=details)
        )
        return self.shown(batch, response)

    def shown(self, batch: Batch, response: Response) -> BatchOut:
        set_etag(response, batch.version)
        return BatchOut.of(batch, self.actor)


def get_desk(session: SessionDep, actor: CurrentActor, runtime: RuntimeDep, trail: AuditDep) -> Desk:
    return Desk(open_books(session, runtime.cipher, runtime.blind_index), actor, trail)


DeskDep = Annotated[Desk, Depends(get_desk)]


@router.post("", status_code=201, summary="新建发放批次", dependencies=[IDEMPOTENT_MONEY])
async def open_batch(
    body: BatchOpening,
    desk: DeskDep,
    actor: Finance,
    session: SessionDep,
    runtime: RuntimeDep,
    clock: ClockDep,
    response: Response,
) -> BatchOut:
    """由财务编制。期间首末月均包含在内；新批次为“待计算”，请接着办理 `compute`。"""
    request = body.request(actor.area)
    if not actor.scope.covers(request.area_code) or await find_area(session, request.area_code, clock.today) is None:
        raise area_not_found(request.area_code)
    book = await runtime.parameter_books.current(session)
    parameter = book.find(request.area_code, "payment.pay_by_day", request.pay_month.first_day)
    pay_by_day = int(parameter.value) if parameter else None
    batch = await service.open_batch(desk.books, actor.scope, request, actor, pay_by_day=pay_by_day, now=clock.now)
    response.headers["Location"] = f"/api/v1/payment-batches/{batch.id}"
    return await desk.done("open", batch, response)


@router.get("", summary="发放批次列表")
async def list_batches(
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    state: Annotated[BatchState | None, Query(description="按状态筛选")] = None,
    pay_month: Annotated[MonthText | None, Query(description="按发放月份筛选")] = None,
) -> Page[BatchOut]:
    """本人辖区内的批次，新的在前。"""
    batches, month = BatchRepository(session), Month.parse(pay_month) if pay_month else None
    found = await batches.list_batches(
        actor.scope, state=state, pay_month=month, before=cursor_id(page.after), limit=page.limit + 1
    )
    items = found[: page.limit]
    return Page(
        items=[BatchOut.of(batch, actor) for batch in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await batches.count_batches(actor.scope, state=state, pay_month=month) if page.count else None,
    )


@router.get("/{batch_id}", summary="发放批次详情")
async def get_batch(batch_id: UUID, desk: DeskDep, actor: Reader, response: Response) -> BatchOut:
    """后台计算中的批次请定时查询，直至状态不再是 `computing`。"""
    return desk.shown(await desk.books.batches.get(actor.scope, batch_id), response)


@router.get("/{batch_id}/items", summary="发放明细")
async def list_items(
    batch_id: UUID,
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    held: Annotated[bool | None, Query(description="true 只看挂起，false 只看可发放")] = None,
    programme: Annotated[Programme | None, Query(description="只看该项目")] = None,
) -> Page[ItemOut]:
    """账号以掩码显示。基本金、各项分类施保、补发各成一行，可分别追溯。"""
    batches = BatchRepository(session)
    batch = await batches.get(actor.scope, batch_id)
    found = await batches.list_items(
        actor.scope, batch, held=held, programme=programme, after=cursor_id(page.after), limit=page.limit + 1
    )
    items = found[: page.limit]
    return Page(
        items=[ItemOut.of(item) for item in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await batches.count_items(actor.scope, batch, held=held, programme=programme) if page.count else None,
    )


@router.post(
    "/{batch_id}/compute",
    summary="计算批次",
    dependencies=[IDEMPOTENT_MONEY],
    responses={202: {"model": BatchOut, "description": "已转后台计算，请按 Location 查询结果"}},
)
async def compute_batch(
    batch_id: UUID,
    desk: DeskDep,
    actor: Finance,
    session: SessionDep,
    runtime: RuntimeDep,
    clock: ClockDep,
    version: IfMatch,
    response: Response,
    prefer: Annotated[str | None, Header(description="respond-async：转后台计算，返回 202")] = None,
    _body: NoBody = None,
) -> BatchOut:
    """按在保对象生成发放明细。同一项目同一月份每户（人）只发一次：已计入其他批次的不再生成，件数见 `already_claimed`。

    账户有问题的户挂起并注明原因，不影响其他户。规模大时转后台计算，状态为 `computing`。
    """
    batch = await service.compute(
        desk.books,
        PaymentJobs(session),
        actor.scope,
        batch_id,
        actor,
        version=version,
        inline_limit=runtime.settings.payment_inline_benefits,
        in_background=prefer is not None and "respond-async" in prefer.lower(),
        now=clock.now,
    )
    if batch.state is BatchState.COMPUTING:
        response.status_code = 202
        response.headers["Location"] = f"/api/v1/payment-batches/{batch.id}"
    return await desk.done(BatchAct.COMPUTE, batch, response)


@router.post("/{batch_id}/submit", summary="提交审批", dependencies=[IDEMPOTENT_MONEY])
async def submit_batch(
    batch_id: UUID, desk: DeskDep, actor: Finance, clock: ClockDep, version: IfMatch, response: Response, _body: NoBody = None
) -> BatchOut:
    """提交后明细不再变化。没有可发放明细的批次不能提交。"""
    batch = await service.submit(desk.books, actor.scope, batch_id, actor, version=version, now=clock.now)
    return await desk.done(BatchAct.SUBMIT, batch, response)


@router.post("/{batch_id}/approve", summary="审批", dependencies=[IDEMPOTENT_MONEY])
async def approve_batch(
    batch_id: UUID, desk: DeskDep, actor: Approver, clock: ClockDep, version: IfMatch, response: Response, _body: NoBody = None
) -> BatchOut:
    """由编制人、提交人以外的审批人办理，否则返回 403 `own_batch`。"""
    batch = await service.approve(desk.books, actor.scope, batch_id, actor, version=version, now=clock.now)
    return await desk.done(BatchAct.APPROVE, batch, response)


@router.post("/{batch_id}/reject", summary="驳回", dependencies=[IDEMPOTENT_MONEY])
async def reject_batch(
    batch_id: UUID, body: Reason, desk: DeskDep, actor: Approver, clock: ClockDep, version: IfMatch, response: Response
) -> BatchOut:
    """批次终止，其中各项可由新批次重新计算；明细留存备查。"""
    batch = await service.close(
        desk.books, actor.scope, batch_id, BatchAct.REJECT, actor, version=version, reason=body.reason, now=clock.now
    )
    return await desk.done(BatchAct.REJECT, batch, response)


@router.post("/{batch_id}/cancel", summary="作废", dependencies=[IDEMPOTENT_MONEY])
async def cancel_batch(
    batch_id: UUID,
    desk: DeskDep,
    actor: Finance,
    clock: ClockDep,
    version: IfMatch,
    response: Response,
    body: Annotated[Withdrawal | None, Body()] = None,
) -> BatchOut:
    """尚未发放的批次均可作废，其中各项可由新批次重新计算；明细留存备查。"""
    reason = body.reason if body else None
    batch = await service.close(
        desk.books, actor.scope, batch_id, BatchAct.CANCEL, actor, version=version, reason=reason, now=clock.now
    )
    return await desk.done(BatchAct.CANCEL, batch, response)


@router.post("/{batch_id}/send-to-treasury", summary="送财政审核", dependencies=[IDEMPOTENT_MONEY])
async def send_to_treasury(
    batch_id: UUID, desk: DeskDep, actor: Sender, version: IfMatch, response: Response, _body: NoBody = None
) -> BatchOut:
    """一经送审，须财政通过后才能发放。"""
    batch = await service.pass_to_treasury(desk.books, actor.scope, batch_id, actor, version=version)
    return await desk.done(BatchAct.SEND_TO_TREASURY, batch, response)


@router.post("/{batch_id}/treasury-accept", summary="财政审核通过", dependencies=[IDEMPOTENT_MONEY])
async def accept_by_treasury(
    batch_id: UUID, desk: DeskDep, actor: Treasury, clock: ClockDep, version: IfMatch, response: Response, _body: NoBody = None
) -> BatchOut:
    """通过后由审批人发放。"""
    act = BatchAct.TREASURY_ACCEPT
    batch = await service.answer_of_treasury(
        desk.books, actor.scope, batch_id, act, actor, version=version, reason=None, now=clock.now
    )
    return await desk.done(act, batch, response)


@router.post("/{batch_id}/treasury-return", summary="财政退回", dependencies=[IDEMPOTENT_MONEY])
async def return_by_treasury(
    batch_id: UUID, body: Reason, desk: DeskDep, actor: Treasury, clock: ClockDep, version: IfMatch, response: Response
) -> BatchOut:
    """退回须说明理由；可说明情况后再次送审，或作废后重新编制。"""
    act = BatchAct.TREASURY_RETURN
    batch = await service.answer_of_treasury(
        desk.books, actor.scope, batch_id, act, actor, version=version, reason=body.reason, now=clock.now
    )
    return await desk.done(act, batch, response)


@router.post("/{batch_id}/release", summary="发放", dependencies=[IDEMPOTENT_MONEY])
async def release_batch(
    batch_id: UUID, desk: DeskDep, actor: Approver, clock: ClockDep, version: IfMatch, response: Response, _body: NoBody = None
) -> BatchOut:
    """记账并确定代发文件，一次办结且不可撤销；不能发放自己编制或提交的批次。"""
    batch = await service.release(desk.books, actor.scope, batch_id, actor, version=version, now=clock.now)
    return await desk.done(BatchAct.RELEASE, batch, response)


@router.get(
    "/{batch_id}/bank-file",
    summary="代发文件",
    response_class=Response,
    responses={200: {"description": "CSV：首行为批次号、月份、笔数、总额，以下每个账户一行", "content": {"text/csv": {}}}},
)
async def bank_file(
    batch_id: UUID,
    desk: DeskDep,
    actor: Finance,
    profile: Annotated[
        Literal["generic", "generic_gbk"], Query(description="文件格式：generic 为 GB18030 编码，generic_gbk 为 GBK 编码")
    ] = "generic",
    programme: Annotated[Programme | None, Query(description="只出该项目；不填为整批。请勿既送整批又送分项")] = None,
) -> Response:
    """发放后才能下载，每次内容相同；含完整账号，每次下载都记入审计。"""
    batch, file = await service.bank_file(desk.books, actor.scope, batch_id, profile, programme)
    entry = AuditEntry(
        "payment_batch.bank_file",
        "payment_batch",
        batch.id,
        batch.request.area_code,
        fields=["account_number"],
        details={"profile": profile, "programme": programme, "lines": len(file.lines)},
    )
    await desk.trail.record(entry)
    return _download(file, PROFILES[profile])


def _download(file: BankFile, encoding: str) -> Response:
    digest = base64.b64encode(hashlib.sha256(file.content).digest()).decode()
    headers = {
        "Content-Disposition": f'attachment; filename="{file.batch_no}.csv"',
        "Content-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "private, no-store",
    }
    return Response(file.content, media_type=f"text/csv; charset={encoding.upper()}", headers=headers)

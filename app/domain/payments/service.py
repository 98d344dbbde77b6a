"""Payments, told in order: open a batch, compute it, have somebody else approve it, release it, hand the file to the bank.

Every act locks the batch first, so of two that race one finds the state already moved on and is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app.domain.access import Actor, AreaScope, Signature
from app.domain.errors import Conflict, FieldError, Malformed, PreconditionFailed
from app.domain.payments.bankfile import BankFile, write_bank_file
from app.domain.payments.claims import claims_of
from app.domain.payments.model import Batch, BatchAct, BatchRequest, BatchState, Totals
from app.domain.payments.ports import Books, ComputeJobs
from app.domain.payments.workflow import require

STANDARD_PROFILE = "generic"


class BooksDontBalance(Exception):
    """Lines, ledger or file don't add up to what was approved. Never to be answered with a default: everything rolls back."""


async def open_batch(
    books: Books, scope: AreaScope, request: BatchRequest, actor: Actor, *, pay_by_day: int | None, now: datetime
) -> Batch:
    """A draft. ``Malformed`` for an impossible period, ``Conflict`` month_not_open for a month without books."""
    request.check()
    last_day = request.pay_month.last_day
    pay_by_on = last_day.replace(day=min(pay_by_day, last_day.day)) if pay_by_day else None
    return await books.batches.add(scope, request, Signature.of(actor, now), pay_by_on)


async def compute(
    books: Books,
    jobs: ComputeJobs,
    scope: AreaScope,
    batch_id: UUID,
    actor: Actor,
    *,
    version: int | None,
    inline_limit: int,
    in_background: bool,
    now: datetime,
) -> Batch:
    """Takes the claims and writes the lines: at once when at most ``inline_limit`` benefits are due, else as a job per community.

    In the latter case the batch stays ``computing`` until the job is done.
    """
    batch, state = await _begin(books, scope, batch_id, BatchAct.COMPUTE, actor, version)
    due = await books.claims.count_due(scope, batch.request)
    benefits = sum(due.values()) * len(batch.request.months)
    if due and (in_background or benefits > inline_limit):
        job_id = await jobs.start(scope, batch, sorted(due), actor, now)
        return await books.batches.save(scope, replace(batch, state=state, job_id=job_id))
    batch = await books.batches.save(scope, replace(batch, state=state))
    await compute_area(books, scope, batch, batch.request.area_code, now)
    return await finish_computing(books, scope, batch, now)


async def compute_area(books: Books, scope: AreaScope, batch: Batch, area_code: str, now: datetime) -> int:
    """Claims and lines of one area; what another batch has taken, or takes first, is left out. Returns the claims taken."""
    request = replace(batch.request, area_code=area_code)
    due = await books.claims.list_due(scope, request)
    payees = await books.claims.payees(scope, sorted({line.household_id for line in due}))
    return await books.claims.take(scope, batch, claims_of(due, payees, request.period_to), payees, now)


async def finish_computing(books: Books, scope: AreaScope, batch: Batch, now: datetime) -> Batch:
    """Holds what can't be paid, gives its claims back, and settles the totals."""
    await books.claims.hold_shared_accounts(scope, batch)
    await books.claims.void_held(scope, batch, now)
    totals = await books.claims.totals(scope, batch)
    return await books.batches.save(scope, replace(batch, state=BatchState.COMPUTED, totals=totals))


async def compute_chunk(books: Books, scope: AreaScope, batch_id: UUID, area_code: str, now: datetime) -> int:
    """One community of a job. A batch cancelled in the meantime takes nothing."""
    batch = await books.batches.get(scope, batch_id, share=True)
    if batch.state is not BatchState.COMPUTING:
        return 0
    return await compute_area(books, scope, batch, area_code, now)


async def finish_job(books: Books, scope: AreaScope, batch_id: UUID, now: datetime) -> Batch:
    """After the last community."""
    batch = await books.batches.get(scope, batch_id, lock=True)
    return await finish_computing(books, scope, batch, now) if batch.state is BatchState.COMPUTING else batch


async def abandon_job(books: Books, scope: AreaScope, batch_id: UUID, requested: Signature) -> Batch:
    """The job failed for good: the batch is cancelled and its claims are free again."""
    batch = await books.batches.get(scope, batch_id, lock=True)
    if batch.state is not BatchState.COMPUTING:
        return batch
    return await _close(books, scope, batch, BatchState.CANCELLED, requested, "后台计算失败，请新建批次重新计算。")


async def submit(books: Books, scope: AreaScope, batch_id: UUID, actor: Actor, *, version: int | None, now: datetime) -> Batch:
    """Hands the batch to the approver. ``Conflict`` batch_empty when it pays nothing."""
    batch, state = await _begin(books, scope, batch_id, BatchAct.SUBMIT, actor, version)
    if not batch.totals.total_fen:
        raise Conflict("batch_empty", "批次没有可发放的明细：可能都已在其他批次发放或被挂起，请核对后作废本批次。")
    return await books.batches.save(scope, replace(batch, state=state, submitted=Signature.of(actor, now)))


async def approve(books: Books, scope: AreaScope, batch_id: UUID, actor: Actor, *, version: int | None, now: datetime) -> Batch:
    """Approved by somebody else than who prepared or submitted it; the database refuses it as well."""
    batch, state = await _begin(books, scope, batch_id, BatchAct.APPROVE, actor, version)
    return await books.batches.save(scope, replace(batch, state=state, approved=Signature.of(actor, now)))


async def pass_to_treasury(books: Books, scope: AreaScope, batch_id: UUID, actor: Actor, *, version: int | None) -> Batch:
    """The treasury's turn. Once sent, a batch is released only after the treasury has accepted it."""
    batch, state = await _begin(books, scope, batch_id, BatchAct.SEND_TO_TREASURY, actor, version)
    return await books.batches.save(scope, replace(batch, state=state))


async def answer_of_treasury(
    books: Books,
    scope: AreaScope,
    batch_id: UUID,
    act: BatchAct,
    actor: Actor,
    *,
    version: int | None,
    reason: str | None,
    now: datetime,
) -> Batch:
    """``act``: TREASURY_ACCEPT, or TREASURY_RETURN with its reason."""
    batch, state = await _begin(books, scope, batch_id, act, actor, version)
    return await books.batches.save(scope, replace(batch, state=state, treasury=Signature.of(actor, now), reason=reason))


async def close(
    books: Books,
    scope: AreaScope,
    batch_id: UUID,
    act: BatchAct,
    actor: Actor,
    *,
    version: int | None,
    reason: str | None,
    now: datetime,
) -> Batch:
    """``act``: REJECT or CANCEL. The claims become free; the lines stay on record."""
    batch, state = await _begin(books, scope, batch_id, act, actor, version)
    return await _close(books, scope, batch, state, Signature.of(actor, now), reason)


async def _close(books: Books, scope: AreaScope, batch: Batch, state: BatchState, closed: Signature, reason: str | None) -> Batch:
    saved = await books.batches.save(scope, replace(batch, state=state, closed=closed, reason=reason))
    await books.claims.void_all(scope, saved, closed.at)
    return saved


async def release(books: Books, scope: AreaScope, batch_id: UUID, actor: Actor, *, version: int | None, now: datetime) -> Batch:
    """The money goes out: ledger, claims and the digest of the bank file in one transaction, or nothing of it."""
    batch, state = await _begin(books, scope, batch_id, BatchAct.RELEASE, actor, version)
    file = await _bank_file(books, scope, batch, STANDARD_PROFILE, None)
    signature = Signature.of(actor, now)
    digest = hashlib.sha256(file.content).hexdigest()
    saved = await books.batches.save(scope, replace(batch, state=state, released=signature, file_sha256=digest))
    posted_fen = await books.ledger.post_release(scope, saved, signature)
    if posted_fen != batch.totals.total_fen:
        raise BooksDontBalance(f"batch {batch.number}: ledger {posted_fen}, approved {batch.totals.total_fen}")
    await books.claims.mark_released(scope, saved, now)
    return saved


async def bank_file(
    books: Books, scope: AreaScope, batch_id: UUID, profile: str, programme: str | None
) -> tuple[Batch, BankFile]:
    """The file of a released batch, of one programme or of all; the same bytes every time.

    ``Conflict`` batch_not_released; ``Malformed`` for a programme that the batch doesn't pay.
    """
    batch = await books.batches.get(scope, batch_id)
    if batch.state is not BatchState.RELEASED:
        raise Conflict("batch_not_released", "批次尚未发放，不能生成代发文件；请先审批并发放。")
    if programme is not None and programme not in batch.request.programmes:
        finding = FieldError("/query/programme", "programme_not_in_batch", "批次不含该项目，请核对项目代码。")
        raise Malformed("malformed_request", "批次不含该项目。", errors=[finding])
    file = await _bank_file(books, scope, batch, profile, programme)
    whole = profile == STANDARD_PROFILE and file.batch_no == batch.number
    if whole and hashlib.sha256(file.content).hexdigest() != batch.file_sha256:
        raise BooksDontBalance(f"batch {batch.number}: the file is no longer the one released")
    return batch, file


async def _bank_file(books: Books, scope: AreaScope, batch: Batch, profile: str, programme: str | None) -> BankFile:
    """A file of one programme of several carries its code in the batch number, so that no two lines share a reference."""
    split = programme is not None and len(batch.request.programmes) > 1
    number = f"{batch.number}-{programme}" if split else batch.number
    items = await books.claims.list_payable(scope, batch, programme)
    return write_bank_file(
        number, batch.request.pay_month, items, total_fen=_approved_fen(batch.totals, programme), profile=profile
    )


def _approved_fen(totals: Totals, programme: str | None) -> int:
    return totals.total_fen if programme is None else totals.by_programme.get(programme, 0)


async def _begin(
    books: Books, scope: AreaScope, batch_id: UUID, act: BatchAct, actor: Actor, version: int | None
) -> tuple[Batch, BatchState]:
    """The locked batch and the state that the act leads to."""
    batch = await books.batches.get(scope, batch_id, lock=True)
    if version is not None and version != batch.version:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
    return batch, require(batch, act, actor)

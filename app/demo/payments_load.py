"""The demo's payment roll of the last month, taken through its acts: prepared, approved by another account, released."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.db.base import columns
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.payments import open_books
from app.db.session import transaction
from app.db.tables.payments import PaymentBatch
from app.demo.accounts import ACCOUNTS, DISTRICT
from app.domain.access import Actor, AreaScope, Duty
from app.domain.calendar import Month, business_date
from app.domain.payments import service
from app.domain.payments.model import BatchRequest
from app.jobs.payment_compute import PaymentJobs
from app.runtime import Runtime

BATCH = columns(PaymentBatch)
SCOPE = AreaScope(DISTRICT, DISTRICT)
MORE_THAN_THE_DEMO = 100_000


async def load_payments(runtime: Runtime, now: datetime) -> UUID | None:
    """The released batch's id; None when the district has a batch already."""
    finance, approver = _demo_actor(Duty.FINANCE), _demo_actor(Duty.APPROVER)
    month = Month.of(business_date(now)).previous()  # the current month is left for whoever tries it out
    async with transaction(runtime.engine, SCOPE) as session:
        if await session.scalar(sa.select(sa.exists().where(BATCH.district == DISTRICT))):
            return None
        books = open_books(session, runtime.cipher, runtime.blind_index)
        request = BatchRequest(DISTRICT, month, month, month, ("dibao",))
        batch = await service.open_batch(books, SCOPE, request, finance, pay_by_day=10, now=now)
        limit = MORE_THAN_THE_DEMO
        await service.compute(
            books, PaymentJobs(session), SCOPE, batch.id, finance, version=None, inline_limit=limit, in_background=False, now=now
        )
        await service.submit(books, SCOPE, batch.id, finance, version=None, now=now)
        await service.approve(books, SCOPE, batch.id, approver, version=None, now=now)
        await service.release(books, SCOPE, batch.id, approver, version=None, now=now)
        for act, actor in (("open", finance), ("submit", finance), ("approve", approver), ("release", approver)):
            await write_audit(session, [AuditEntry(f"payment_batch.{act}", "payment_batch", batch.id, DISTRICT)], actor)
        return batch.id


def _demo_actor(duty: Duty) -> Actor:
    account = next(account for account in ACCOUNTS if duty in account.duties)
    return Actor(account.id, account.username, account.level, account.area, account.area[:6], frozenset(account.duties))

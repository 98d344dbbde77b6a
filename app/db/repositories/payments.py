"""Payment batches: adding, reading under lock, saving, listing, and their lines. Beside it: payment_claims, payment_ledger."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.repositories.entitlements import within
from app.db.repositories.payment_claims import ClaimRepository
from app.db.repositories.payment_ledger import LedgerRepository
from app.db.tables.payments import PaymentBatch, PaymentItem
from app.domain.access import AreaScope, Signature
from app.domain.calendar import Month
from app.domain.errors import Conflict, NotFound
from app.domain.payments.model import Batch, BatchRequest, BatchState, Totals
from app.domain.payments.ports import Books
from app.ids import new_id
from app.security.fields import BlindIndex, FieldCipher

BATCH = columns(PaymentBatch)
ITEM = columns(PaymentItem)
NUMBER_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
OPEN_PARTITIONS = text("SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE to_regclass(name) IS NOT NULL")

register_constraint("ck_payment_batch_approved_by_another", "own_batch", "不能审批自己编制或提交的批次，请由其他审批人办理。")
register_constraint("ck_payment_batch_released_by_another", "own_batch", "不能发放自己编制或提交的批次，请由其他审批人办理。")
register_constraint("uq_payment_batch_district_number", "batch_number_taken", "批次号已被使用，请重新提交。")


def open_books(session: AsyncSession, cipher: FieldCipher, blind_index: BlindIndex) -> Books:
    """The storage of payments in one transaction."""
    return Books(BatchRepository(session), ClaimRepository(session, cipher, blind_index), LedgerRepository(session))


class BatchRepository:
    """The batches of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, scope: AreaScope, request: BatchRequest, prepared: Signature, pay_by_on: date | None) -> Batch:
        await self._require_open_months(request)
        number = await self._next_number(scope, request.pay_month)
        values = {
            "district": scope.district,
            "id": new_id(),
            "area_code": request.area_code,
            "number": number,
            "period_from": request.period_from.first_day,
            "period_to": request.period_to.first_day,
            "pay_month": request.pay_month.first_day,
            "programmes": list(request.programmes),
            "state": BatchState.DRAFT.value,
            "pay_by_on": pay_by_on,
            "programme_totals": {},
            **_signed("prepared", prepared),
        }
        stored = await self._session.execute(insert(PaymentBatch).values(values).returning(PaymentBatch))
        return batch_of(stored.scalar_one())

    async def _next_number(self, scope: AreaScope, pay_month: Month) -> str:
        """The next one of the district's month, without gaps as long as nobody rolls back."""
        prefix = f"{scope.district}-{pay_month.first_day:%Y%m}"
        await self._session.execute(NUMBER_LOCK, {"name": f"payment_batch:{prefix}"})
        last = select(func.count()).where(BATCH.district == scope.district, BATCH.pay_month == pay_month.first_day)
        return f"{prefix}-{(await self._session.execute(last)).scalar_one() + 1:03d}"

    async def get(self, scope: AreaScope, batch_id: UUID, *, lock: bool = False, share: bool = False) -> Batch:
        statement = select(PaymentBatch).where(
            BATCH.district == scope.district, BATCH.id == batch_id, within(BATCH.area_code, scope)
        )
        if lock or share:
            statement = statement.with_for_update(read=share)
        found = await self._session.execute(statement.execution_options(populate_existing=True))
        row = found.scalar_one_or_none()
        if row is None:
            raise NotFound("batch_not_found", "没有该发放批次，或不在您的辖区内，请核对批次编号。")
        return batch_of(row)

    async def save(self, scope: AreaScope, batch: Batch) -> Batch:
        statement = update(PaymentBatch).where(BATCH.district == scope.district, BATCH.id == batch.id)
        changed = statement.values(version=BATCH.version + 1, **_changing(batch)).returning(PaymentBatch)
        stored = await self._session.execute(changed, execution_options={"populate_existing": True})
        return batch_of(stored.scalar_one())

    async def _require_open_months(self, request: BatchRequest) -> None:
        needed = {f"benefit_claim_{month.first_day:%Y%m}": month for month in request.months}
        needed |= {
            f"{table}_{request.pay_month.first_day:%Y%m}": request.pay_month for table in ("payment_item", "ledger_transfer")
        }
        present = set((await self._session.execute(OPEN_PARTITIONS, {"names": sorted(needed)})).scalars())
        if missing := sorted({month for name, month in needed.items() if name not in present}):
            names = "、".join(map(str, missing))
            raise Conflict("month_not_open", f"{names} 的账期尚未开通，请管理员运行 minzheng db maintain，或改选月份。")

    async def list_batches(
        self,
        scope: AreaScope,
        *,
        state: BatchState | None,
        pay_month: Month | None,
        before: UUID | None,
        limit: int,
    ) -> list[Batch]:
        """Newest first."""
        statement = self._listed(select(PaymentBatch), scope, state, pay_month)
        if before is not None:
            statement = statement.where(BATCH.id < before)
        rows = await self._session.execute(statement.order_by(BATCH.id.desc()).limit(limit))
        return [batch_of(row) for row in rows.scalars()]

    async def count_batches(self, scope: AreaScope, *, state: BatchState | None, pay_month: Month | None) -> int:
        statement = self._listed(select(func.count()).select_from(PaymentBatch), scope, state, pay_month)
        return int((await self._session.execute(statement)).scalar_one())

    @staticmethod
    def _listed(statement: Select[Any], scope: AreaScope, state: BatchState | None, pay_month: Month | None) -> Select[Any]:
        statement = statement.where(BATCH.district == scope.district, within(BATCH.area_code, scope))
        if state is not None:
            statement = statement.where(BATCH.state == state.value)
        if pay_month is not None:
            statement = statement.where(BATCH.pay_month == pay_month.first_day)
        return statement

    async def list_items(
        self,
        scope: AreaScope,
        batch: Batch,
        *,
        held: bool | None,
        programme: str | None,
        after: UUID | None,
        limit: int,
    ) -> list[PaymentItem]:
        """Lines by id, accounts masked as stored."""
        statement = self._lines(select(PaymentItem), scope, batch, held, programme)
        if after is not None:
            statement = statement.where(ITEM.id > after)
        rows = await self._session.execute(statement.order_by(ITEM.id).limit(limit))
        return list(rows.scalars())

    async def count_items(self, scope: AreaScope, batch: Batch, *, held: bool | None, programme: str | None) -> int:
        statement = self._lines(select(func.count()).select_from(PaymentItem), scope, batch, held, programme)
        return int((await self._session.execute(statement)).scalar_one())

    @staticmethod
    def _lines(statement: Select[Any], scope: AreaScope, batch: Batch, held: bool | None, programme: str | None) -> Select[Any]:
        statement = statement.where(
            ITEM.district == scope.district,
            ITEM.pay_month == batch.request.pay_month.first_day,
            ITEM.batch_id == batch.id,
            within(ITEM.area_code, scope),
        )
        if held is not None:
            statement = statement.where(ITEM.held_reason.is_not(None) if held else ITEM.held_reason.is_(None))
        if programme is not None:
            statement = statement.where(ITEM.programme == programme)
        return statement


def _changing(batch: Batch) -> dict[str, Any]:
    """What acts write; the trigger checks that each writes its own columns only."""
    totals = batch.totals
    values: dict[str, Any] = {
        "state": batch.state.value,
        "reason": batch.reason,
        "job_id": batch.job_id,
        "file_sha256": batch.file_sha256,
        "households": totals.households,
        "items": totals.items,
        "accounts": totals.accounts,
        "total_fen": totals.total_fen,
        "held_households": totals.held_households,
        "held_fen": totals.held_fen,
        "already_claimed": totals.already_claimed,
        "programme_totals": dict(totals.by_programme),
    }
    for kind in ("submitted", "approved", "treasury", "released", "closed"):
        values |= _signed(kind, getattr(batch, kind))
    return values


def _signed(kind: str, signature: Signature | None) -> dict[str, Any]:
    return {
        f"{kind}_by": signature and signature.by,
        f"{kind}_by_name": signature and signature.name,
        f"{kind}_at": signature and signature.at,
    }


def _signature(row: PaymentBatch, kind: str) -> Signature | None:
    by = getattr(row, f"{kind}_by")
    return None if by is None else Signature(by, getattr(row, f"{kind}_by_name"), getattr(row, f"{kind}_at"))


def batch_of(row: PaymentBatch) -> Batch:
    """The stored row as the domain sees it."""
    return Batch(
        id=row.id,
        number=row.number,
        request=BatchRequest(
            row.area_code,
            Month.of(row.period_from),
            Month.of(row.period_to),
            Month.of(row.pay_month),
            tuple(row.programmes),
        ),
        state=BatchState(row.state),
        prepared=Signature(row.prepared_by, row.prepared_by_name, row.prepared_at),
        pay_by_on=row.pay_by_on,
        submitted=_signature(row, "submitted"),
        approved=_signature(row, "approved"),
        treasury=_signature(row, "treasury"),
        released=_signature(row, "released"),
        closed=_signature(row, "closed"),
        reason=row.reason,
        totals=_totals_of(row),
        job_id=row.job_id,
        file_sha256=row.file_sha256,
        version=row.version,
    )


def _totals_of(row: PaymentBatch) -> Totals:
    return Totals(
        households=row.households,
        items=row.items,
        accounts=row.accounts,
        total_fen=row.total_fen,
        held_households=row.held_households,
        held_fen=row.held_fen,
        already_claimed=row.already_claimed,
        by_programme=dict(row.programme_totals),
    )

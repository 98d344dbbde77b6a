"""The ledger: transfers of a release, balances. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.payments import LedgerAccount, LedgerTransfer, PaymentItem
from app.domain.access import AreaScope, Signature
from app.domain.payments.model import PAYABLE_PROGRAMMES, Batch
from app.ids import new_id

ACCOUNT = columns(LedgerAccount)
TRANSFER = columns(LedgerTransfer)
ITEM = columns(PaymentItem)
CLEARING = "clearing.bank"

POST = text(
    """
    INSERT INTO ledger_transfer (district, id, area_code, pay_month, kind, batch_id, item_id,
                                 debit_account_id, credit_account_id, amount_fen, posted_at, posted_by)
    SELECT i.district, made.id, i.area_code, i.pay_month, 'release', i.batch_id, i.id,
           appropriation.id, clearing.id, i.amount_fen, :now, :by
    FROM unnest(CAST(:ids AS uuid[]), CAST(:items AS uuid[])) AS made(id, item_id)
    JOIN payment_item i ON i.district = :district AND i.pay_month = :pay_month AND i.id = made.item_id
    JOIN ledger_account appropriation
      ON appropriation.district = i.district AND appropriation.code = 'appropriation.' || i.programme
    JOIN ledger_account clearing ON clearing.district = i.district AND clearing.code = :clearing
    """
)


class LedgerRepository:
    """The ledger of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def post_release(self, scope: AreaScope, batch: Batch, posted: Signature) -> int:
        await self._open_accounts(scope, batch, posted.at)
        paid = select(ITEM.id).where(
            ITEM.district == scope.district,
            ITEM.pay_month == batch.request.pay_month.first_day,
            ITEM.batch_id == batch.id,
            ITEM.held_reason.is_(None),
        )
        items = (await self._session.execute(paid.order_by(ITEM.id))).scalars().all()
        values = {
            "ids": [new_id() for _ in items],
            "items": items,
            "district": scope.district,
            "pay_month": batch.request.pay_month.first_day,
            "clearing": CLEARING,
            "now": posted.at,
            "by": posted.by,
        }
        await self._session.execute(POST, values)
        return await self.posted_fen(scope, batch)

    async def posted_fen(self, scope: AreaScope, batch: Batch) -> int:
        """What the ledger says this batch has paid."""
        statement = select(func.coalesce(func.sum(TRANSFER.amount_fen), 0)).where(
            TRANSFER.district == scope.district,
            TRANSFER.pay_month == batch.request.pay_month.first_day,
            TRANSFER.batch_id == batch.id,
        )
        return int((await self._session.execute(statement)).scalar_one())

    async def _open_accounts(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        """The district's accounts that this batch needs; two releases at once open them once."""
        wanted = [(CLEARING, "银行代发待清算", "clearing")]
        wanted += [
            (f"appropriation.{code}", f"{PAYABLE_PROGRAMMES[code]}资金", "appropriation") for code in batch.request.programmes
        ]
        rows = [
            {
                "district": scope.district,
                "id": new_id(),
                "area_code": scope.district,
                "code": c,
                "name": n,
                "kind": k,
                "opened_at": now,
            }
            for c, n, k in sorted(wanted)
        ]
        await self._session.execute(insert(LedgerAccount).on_conflict_do_nothing(index_elements=["district", "code"]), rows)

    async def balances(self, scope: AreaScope) -> dict[str, int]:
        """Account code → debits minus credits, in fen; they add up to zero."""
        debited = select(TRANSFER.debit_account_id.label("account"), TRANSFER.amount_fen.label("fen")).where(
            TRANSFER.district == scope.district
        )
        credited = select(TRANSFER.credit_account_id, -TRANSFER.amount_fen).where(TRANSFER.district == scope.district)
        moved = union_all(debited, credited).subquery()
        statement = (
            select(ACCOUNT.code, func.sum(moved.c.fen))
            .where(ACCOUNT.district == scope.district, ACCOUNT.id == moved.c.account)
            .group_by(ACCOUNT.code)
        )
        return {row[0]: int(row[1]) for row in await self._session.execute(statement)}

"""Claims and payment lines, set-wise: what is due, taking it, holding, voiding, totals."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Subquery, Uuid, and_, any_, case, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import due_components, holds_in, within
from app.db.tables.casework import Entitlement
from app.db.tables.payments import BenefitClaim, PaymentItem
from app.db.tables.registry import Household, Person
from app.domain.access import AreaScope
from app.domain.calendar import Month
from app.domain.identity import AccountKind
from app.domain.payments.bankfile import BankItem
from app.domain.payments.claims import memo_of
from app.domain.payments.model import Batch, BatchRequest, Cause, Claim, DueLine, HeldReason, Line, Payee, Totals
from app.ids import new_id
from app.security.fields import BlindIndex, Field, FieldCipher, SealBroken

log = logging.getLogger("minzheng.payments")

CLAIM = columns(BenefitClaim)
ITEM = columns(PaymentItem)
HOUSEHOLD = columns(Household)
PERSON = columns(Person)
ENTITLEMENT = columns(Entitlement)


class ClaimRepository:
    """The claims and lines of one transaction. Opens account numbers in memory only; what is stored stays sealed."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher, blind_index: BlindIndex) -> None:
        self._session = session
        self._cipher = cipher
        self._blind_index = blind_index

    async def count_due(self, scope: AreaScope, request: BatchRequest) -> dict[str, int]:
        last, first = request.period_to.first_day, request.period_from.first_day
        statement = (
            select(ENTITLEMENT.area_code, func.count())
            .where(
                ENTITLEMENT.district == scope.district,
                within(ENTITLEMENT.area_code, AreaScope(scope.district, request.area_code)),
                ENTITLEMENT.programme.in_(request.programmes),
                ENTITLEMENT.state == "active",
                or_(holds_in(ENTITLEMENT.since_month, ENTITLEMENT.until_month, last), ENTITLEMENT.until_month > first),
                ENTITLEMENT.since_month <= last,
            )
            .group_by(ENTITLEMENT.area_code)
        )
        return {row[0]: row[1] for row in await self._session.execute(statement)}

    async def list_due(self, scope: AreaScope, request: BatchRequest) -> list[DueLine]:
        found: list[DueLine] = []
        for month in request.months:
            due, subject = _due(scope, request, month)
            mine = and_(PERSON.district == scope.district, PERSON.id == due.c.person_id)
            statement = select(due, subject.label("subject_id")).outerjoin_from(due, Person, mine)
            statement = statement.where(~_taken(due, subject, month))
            found += [_due_line(row, month) for row in (await self._session.execute(statement)).mappings()]
        return found

    async def payees(self, scope: AreaScope, households: Sequence[UUID]) -> dict[UUID, Payee]:
        wanted = any_(literal(list(households), ARRAY(Uuid())))  # one parameter, however many
        statement = select(Household).where(HOUSEHOLD.district == scope.district, HOUSEHOLD.id == wanted)
        rows = (await self._session.execute(statement)).scalars()
        return {row.id: self._payee(row) for row in rows}

    def _payee(self, row: Household) -> Payee:
        if row.bank_account_sealed is None:
            return Payee(row.id, account_holder=row.account_holder, bank_name=row.bank_name)
        try:
            account = self._cipher.open(Field.BANK_ACCOUNT, row.id, row.bank_account_sealed)
        except SealBroken:
            log.exception("a household's account doesn't open; its payment is held", extra={"household": str(row.id)})
            return Payee(row.id, account_holder=row.account_holder, bank_name=row.bank_name, readable=False)
        return Payee(
            household_id=row.id,
            account=account,
            account_kind=AccountKind(row.account_kind) if row.account_kind else None,
            account_holder=(row.account_holder or "").strip(),
            bank_name=row.bank_name,
            account_masked=row.bank_account_masked,
            account_sealed=row.bank_account_sealed,
            account_digest=self._blind_index.current(Field.BANK_ACCOUNT, account)[1],
        )

    async def take(
        self, scope: AreaScope, batch: Batch, claims: Sequence[Claim], payees: dict[UUID, Payee], now: datetime
    ) -> int:
        if not claims:
            return 0
        by_id = {new_id(): claim for claim in claims}
        rows = [_claim_row(scope, batch, claim_id, claim, now) for claim_id, claim in by_id.items()]
        statement = insert_or_skip(BenefitClaim).on_conflict_do_nothing(
            index_elements=["benefit_month", "programme", "subject_id"], index_where=text("voided_at IS NULL")
        )
        taken = (await self._session.execute(statement.returning(CLAIM.id), rows)).scalars().all()
        items = [
            _item_row(scope, batch, claim_id, by_id[claim_id], line, payees)
            for claim_id in taken
            for line in by_id[claim_id].lines
        ]
        if items:
            await self._session.execute(insert(PaymentItem), items)
        return len(taken)

    async def hold_shared_accounts(self, scope: AreaScope, batch: Batch) -> None:
        """Found first, held by value: a new partition has no statistics yet, and the plan of a joined update would suffer."""
        payable = (*_of_batch(scope, batch), ITEM.held_reason.is_(None))
        holders = func.count(ITEM.account_holder.distinct())
        found = select(ITEM.account_digest).where(*payable).group_by(ITEM.account_digest).having(holders > 1)
        if shared := list((await self._session.execute(found)).scalars()):
            statement = update(PaymentItem).where(*payable, ITEM.account_digest.in_(shared))
            await self._session.execute(statement.values(held_reason=HeldReason.ACCOUNT_HOLDERS_DIFFER.value), **UNSYNCHRONISED)

    async def void_held(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        found = select(ITEM.claim_id).distinct().where(*_of_batch(scope, batch), ITEM.held_reason.is_not(None))
        if held := list((await self._session.execute(found)).scalars()):
            await self._end(scope, batch, voided_at=now, only=CLAIM.id == any_(literal(held, ARRAY(Uuid()))))

    async def void_all(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        await self._end(scope, batch, voided_at=now)

    async def mark_released(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        await self._end(scope, batch, released_at=now)

    async def _end(self, scope: AreaScope, batch: Batch, *, only: ColumnElement[bool] | None = None, **ended: datetime) -> None:
        first, last = batch.request.period_from.first_day, batch.request.period_to.first_day
        statement = update(BenefitClaim).where(
            CLAIM.district == scope.district,
            CLAIM.batch_id == batch.id,
            CLAIM.benefit_month.between(first, last),
            CLAIM.voided_at.is_(None),
            CLAIM.released_at.is_(None),
        )
        if only is not None:
            statement = statement.where(only)
        await self._session.execute(statement.values(**ended), **UNSYNCHRONISED)

    async def totals(self, scope: AreaScope, batch: Batch) -> Totals:
        paid, held = ITEM.held_reason.is_(None), ITEM.held_reason.is_not(None)
        statement = select(
            func.count(ITEM.household_id.distinct()).filter(paid).label("households"),
            func.count().filter(paid).label("items"),
            func.count(ITEM.account_digest.distinct()).filter(paid).label("accounts"),
            func.coalesce(func.sum(ITEM.amount_fen).filter(paid), 0).label("total_fen"),
            func.count(ITEM.household_id.distinct()).filter(held).label("held_households"),
            func.coalesce(func.sum(ITEM.amount_fen).filter(held), 0).label("held_fen"),
        ).where(*_of_batch(scope, batch))
        row = (await self._session.execute(statement)).one()
        by_programme = (
            select(ITEM.programme, func.sum(ITEM.amount_fen)).where(*_of_batch(scope, batch), paid).group_by(ITEM.programme)
        )
        return Totals(
            **{name: int(value) for name, value in row._mapping.items()},  # noqa: SLF001  (SQLAlchemy's public mapping)
            already_claimed=await self._already_claimed(scope, batch),
            by_programme={row[0]: int(row[1]) for row in await self._session.execute(by_programme)},
        )

    async def _already_claimed(self, scope: AreaScope, batch: Batch) -> int:
        """Benefits of the period that another batch holds."""
        request = batch.request
        statement = select(func.count()).where(
            CLAIM.district == scope.district,
            CLAIM.benefit_month.between(request.period_from.first_day, request.period_to.first_day),
            CLAIM.programme.in_(request.programmes),
            within(CLAIM.area_code, AreaScope(scope.district, request.area_code)),
            CLAIM.voided_at.is_(None),
            CLAIM.batch_id != batch.id,
        )
        return int((await self._session.execute(statement)).scalar_one())

    async def list_payable(self, scope: AreaScope, batch: Batch, programme: str | None = None) -> list[BankItem]:
        statement = select(
            ITEM.id, ITEM.household_id, ITEM.account_sealed, ITEM.account_holder, ITEM.amount_fen, ITEM.programme, ITEM.cause
        ).where(*_of_batch(scope, batch), ITEM.held_reason.is_(None))
        if programme is not None:
            statement = statement.where(ITEM.programme == programme)
        opened: dict[bytes, str] = {}
        return [self._bank_item(row, opened) for row in await self._session.execute(statement)]

    def _bank_item(self, row: Any, opened: dict[bytes, str]) -> BankItem:
        account = opened.get(row.account_sealed)
        if account is None:
            account = opened[row.account_sealed] = self._cipher.open(Field.BANK_ACCOUNT, row.household_id, row.account_sealed)
        return BankItem(str(row.id), account, row.account_holder, row.amount_fen, memo_of(row.programme, Cause(row.cause)))


UNSYNCHRONISED: Any = {"execution_options": {"synchronize_session": False}}


def _of_batch(scope: AreaScope, batch: Batch) -> tuple[ColumnElement[bool], ...]:
    return (
        ITEM.district == scope.district,
        ITEM.pay_month == batch.request.pay_month.first_day,
        ITEM.batch_id == batch.id,
    )


def _due(scope: AreaScope, request: BatchRequest, month: Month) -> tuple[Subquery, ColumnElement[UUID]]:
    """What is due, and whose it is: a person of a per-person programme is the same person in any household and district."""
    area = AreaScope(scope.district, request.area_code)
    due = due_components(area, month, request.programmes).order_by(None).subquery("due")
    person = func.coalesce(PERSON.person_uid, due.c.person_id)
    return due, case((due.c.person_id.is_(None), due.c.household_id), else_=person)


def _taken(due: Subquery, subject: ColumnElement[UUID], month: Month) -> ColumnElement[bool]:
    """Whether a live claim stands on it."""
    statement = select(CLAIM.id).where(
        CLAIM.benefit_month == month.first_day,
        CLAIM.programme == due.c.programme,
        CLAIM.subject_id == subject,
        CLAIM.voided_at.is_(None),
    )
    return statement.exists()


def _due_line(row: Any, month: Month) -> DueLine:
    return DueLine(
        entitlement_id=row["entitlement_id"],
        programme=row["programme"],
        area_code=row["area_code"],
        household_id=row["household_id"],
        subject_id=row["subject_id"],
        benefit_month=month,
        component=row["component"],
        person_id=row["component_person_id"],
        amount_fen=row["amount_fen"],
    )


def _claim_row(scope: AreaScope, batch: Batch, claim_id: UUID, claim: Claim, now: datetime) -> dict[str, Any]:
    return {
        "district": scope.district,
        "id": claim_id,
        "area_code": claim.area_code,
        "benefit_month": claim.benefit_month.first_day,
        "programme": claim.programme,
        "subject_id": claim.subject_id,
        "entitlement_id": claim.entitlement_id,
        "household_id": claim.household_id,
        "batch_id": batch.id,
        "claimed_at": now,
    }


def _item_row(
    scope: AreaScope, batch: Batch, claim_id: UUID, claim: Claim, line: Line, payees: dict[UUID, Payee]
) -> dict[str, Any]:
    payee = payees.get(claim.household_id) or Payee(claim.household_id)
    return {
        "district": scope.district,
        "id": new_id(),
        "area_code": claim.area_code,
        "pay_month": batch.request.pay_month.first_day,
        "batch_id": batch.id,
        "claim_id": claim_id,
        "benefit_month": claim.benefit_month.first_day,
        "programme": claim.programme,
        "component": line.component,
        "cause": line.cause.value,
        "entitlement_id": claim.entitlement_id,
        "household_id": claim.household_id,
        "person_id": line.person_id,
        "amount_fen": line.amount_fen,
        "bank_name": payee.bank_name,
        "account_holder": payee.account_holder,
        "account_masked": payee.account_masked,
        "account_sealed": payee.account_sealed,
        "account_digest": payee.account_digest,
        "held_reason": claim.held_reason,
    }

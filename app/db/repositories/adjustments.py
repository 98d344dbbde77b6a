"""提标 batches: what is known now, the record of what was proposed, and the new amounts of all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.repositories.entitlements import within
from app.db.tables.casework import Entitlement, EntitlementAmount
from app.db.tables.policy_runs import AdjustmentBatch as BatchTable
from app.db.tables.policy_runs import AdjustmentItem
from app.domain.access import AreaScope, Signature
from app.domain.calendar import Month
from app.domain.casework import GrantedComponent
from app.domain.errors import NotFound
from app.domain.policy.model import Adjustment, AdjustmentBatch, AdjustmentState, KnownAmount
from app.ids import new_id

BATCH, ITEM = columns(BatchTable), columns(AdjustmentItem)
ENTITLEMENT, AMOUNT = columns(Entitlement), columns(EntitlementAmount)

register_constraint("uq_adjustment_batch_one_open", "adjustment_batch_open", "该参数集已有提标批次；如需重新编制，请先作废。")
register_constraint("ck_adjustment_batch_approved_by_another", "own_adjustment_batch", "不能批准自己编制的提标批次。")


class AdjustmentRepository:
    """The batches of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def known_amounts(self, scope: AreaScope, area_code: str) -> dict[UUID, list[KnownAmount]]:
        """Of an area and everything below it, by entitlement."""
        statement = (
            sa.select(
                AMOUNT.entitlement_id,
                AMOUNT.component,
                AMOUNT.person_id,
                AMOUNT.from_month,
                AMOUNT.until_month,
                AMOUNT.amount_fen,
            )
            .where(
                AMOUNT.district == scope.district,
                within(AMOUNT.area_code, scope),
                within(AMOUNT.area_code, AreaScope(scope.district, area_code)),
                AMOUNT.superseded_at.is_(None),
            )
            .order_by(AMOUNT.entitlement_id, AMOUNT.id)
        )
        found: dict[UUID, list[KnownAmount]] = {}
        for row in await self._session.execute(statement):
            until = row.until_month and Month.of(row.until_month)
            known = KnownAmount(row.component, row.person_id, Month.of(row.from_month), until, row.amount_fen)
            found.setdefault(row.entitlement_id, []).append(known)
        return found

    async def add(self, scope: AreaScope, batch: AdjustmentBatch, items: Sequence[Adjustment]) -> AdjustmentBatch:
        values = _row(batch) | {"district": scope.district, "id": batch.id, "version": 1}
        await self._session.execute(sa.insert(BatchTable).values(**values))
        await self._session.execute(sa.insert(AdjustmentItem), [_item(scope, batch, item) for item in items])
        return await self.get(scope, batch.id)

    async def get(self, scope: AreaScope, batch_id: UUID, *, lock: bool = False) -> AdjustmentBatch:
        statement = sa.select(BatchTable).where(*_visible(scope), BATCH.id == batch_id)
        statement = statement.with_for_update() if lock else statement
        found = await self._session.execute(statement, execution_options={"populate_existing": True})
        row = found.scalar_one_or_none()
        if row is None:
            raise NotFound("adjustment_batch_not_found", "没有该提标批次，或不在您的辖区内，请核对编号。")
        return _batch_of(row)

    async def save(self, scope: AreaScope, batch: AdjustmentBatch) -> AdjustmentBatch:
        changed = sa.update(BatchTable).where(*_visible(scope), BATCH.id == batch.id)
        await self._session.execute(changed.values(version=BATCH.version + 1, **_row(batch)))
        return await self.get(scope, batch.id)

    async def list_page(self, scope: AreaScope, *, before: UUID | None, limit: int) -> list[AdjustmentBatch]:
        """Newest first."""
        statement = sa.select(BatchTable).where(*_visible(scope))
        if before is not None:
            statement = statement.where(BATCH.id < before)
        rows = (await self._session.execute(statement.order_by(BATCH.id.desc()).limit(limit))).scalars()
        return [_batch_of(row) for row in rows]

    async def count(self, scope: AreaScope) -> int:
        statement = sa.select(sa.func.count()).select_from(BatchTable).where(*_visible(scope))
        return int((await self._session.execute(statement)).scalar_one())

    async def list_items(self, scope: AreaScope, batch_id: UUID, *, after: UUID | None, limit: int | None) -> list[Adjustment]:
        """By id; ``limit`` None: all."""
        statement = sa.select(AdjustmentItem).where(*_of_batch(scope, batch_id))
        if after is not None:
            statement = statement.where(ITEM.id > after)
        rows = (await self._session.execute(statement.order_by(ITEM.id).limit(limit))).scalars()
        return [_adjustment_of(row) for row in rows]

    # --- approval ---------------------------------------------------------------------------------------------------

    async def count_changed(self, scope: AreaScope, batch: AdjustmentBatch) -> int:
        """Locks the entitlements in one order, then compares each with what the batch found."""
        hers = sa.select(ITEM.entitlement_id).where(*_of_batch(scope, batch.id))
        chosen = sa.select(ENTITLEMENT.id).where(ENTITLEMENT.district == scope.district, ENTITLEMENT.id.in_(hers))
        await self._session.execute(chosen.order_by(ENTITLEMENT.id).with_for_update())
        total = sa.func.coalesce(sa.func.sum(AMOUNT.amount_fen).filter(_due_in(ITEM.from_month)), 0)
        later = sa.func.count().filter(AMOUNT.from_month > ITEM.from_month)
        same = (
            sa.select(ITEM.id)
            .join_from(AdjustmentItem, Entitlement, _at(ENTITLEMENT.id, ENTITLEMENT.district))
            .outerjoin(EntitlementAmount, _at(AMOUNT.entitlement_id, AMOUNT.district) & AMOUNT.superseded_at.is_(None))
            .where(*_of_batch(scope, batch.id), ENTITLEMENT.state != "ended")
            .group_by(ITEM.id, ITEM.old_fen)
            .having(total == ITEM.old_fen, later == 0)
        )
        unchanged = sa.select(sa.func.count()).select_from(same.subquery())
        return batch.items - int((await self._session.execute(unchanged)).scalar_one())

    async def write_amounts(self, scope: AreaScope, batch: AdjustmentBatch, now: datetime) -> None:
        """What held from the first month on is superseded; what held before it stays known as it was."""
        ending = await self._superseded(scope, batch, now)
        items = await self.list_items(scope, batch.id, after=None, limit=None)
        until = dict(ending["until"])
        rows = [*ending["kept"], *(row for item in items for row in _new_rows(scope, item, until.get(item.entitlement_id), now))]
        await self._session.execute(sa.insert(EntitlementAmount), rows)
        hers = sa.select(ITEM.entitlement_id).where(*_of_batch(scope, batch.id))
        touched = sa.update(Entitlement).where(ENTITLEMENT.district == scope.district, ENTITLEMENT.id.in_(hers))
        await self._session.execute(touched.values(version=ENTITLEMENT.version + 1, updated_at=now))

    async def _superseded(self, scope: AreaScope, batch: AdjustmentBatch, now: datetime) -> dict[str, list[Any]]:
        """Supersedes the amounts due from each item's first month on; their parts before it, and when each entitlement ends."""
        changed = (
            sa.update(EntitlementAmount)
            .where(
                AMOUNT.district == ITEM.district,
                AMOUNT.entitlement_id == ITEM.entitlement_id,
                AMOUNT.superseded_at.is_(None),
                _due_in(ITEM.from_month),
                *_of_batch(scope, batch.id),
            )
            .values(superseded_at=now)
            .returning(*AMOUNT, ITEM.from_month.label("first"))
        )
        rows = [dict(row) for row in (await self._session.execute(changed)).mappings()]
        kept = [_before(row, now) for row in rows if row["from_month"] < row["first"]]
        ends = sa.select(ENTITLEMENT.id, ENTITLEMENT.until_month).join_from(
            AdjustmentItem, Entitlement, _at(ENTITLEMENT.id, ENTITLEMENT.district)
        )
        until = [tuple(row) for row in await self._session.execute(ends.where(*_of_batch(scope, batch.id)))]
        return {"kept": kept, "until": until}


def _visible(scope: AreaScope) -> list[sa.ColumnElement[bool]]:
    return [BATCH.district == scope.district, within(BATCH.area_code, scope)]


def _of_batch(scope: AreaScope, batch_id: UUID) -> list[sa.ColumnElement[bool]]:
    return [ITEM.district == scope.district, ITEM.batch_id == batch_id, within(ITEM.area_code, scope)]


def _at(entitlement_id: sa.Column[Any], district: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(district == ITEM.district, entitlement_id == ITEM.entitlement_id)


def _due_in(month: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(AMOUNT.from_month <= month, sa.or_(AMOUNT.until_month.is_(None), AMOUNT.until_month > month))


def _before(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    first = row.pop("first")
    return row | {"id": new_id(), "until_month": first, "recorded_at": now, "superseded_at": None}


def _new_rows(scope: AreaScope, item: Adjustment, until_month: Any, now: datetime) -> Iterator[dict[str, Any]]:
    for component in item.components:
        yield {
            "district": scope.district,
            "id": new_id(),
            "area_code": item.area_code,
            "entitlement_id": item.entitlement_id,
            "component": component.component,
            "person_id": component.person_id,
            "from_month": item.from_month.first_day,
            "until_month": until_month,
            "amount_fen": component.amount_fen,
            "decision_id": None,
            "recorded_at": now,
            "superseded_at": None,
        }


def _item(scope: AreaScope, batch: AdjustmentBatch, item: Adjustment) -> dict[str, Any]:
    components = [
        {"component": one.component, "person_id": one.person_id and str(one.person_id), "amount_fen": one.amount_fen}
        for one in item.components
    ]
    return {
        "district": scope.district,
        "id": item.id,
        "area_code": item.area_code,
        "batch_id": batch.id,
        "entitlement_id": item.entitlement_id,
        "household_id": item.household_id,
        "programme": item.programme,
        "from_month": item.from_month.first_day,
        "old_fen": item.old_fen,
        "new_fen": item.new_fen,
        "arrears_fen": item.arrears_fen,
        "components": components,
        "arrears": [{"month": str(month), "amount_fen": fen} for month, fen in item.arrears],
    }


def _adjustment_of(row: AdjustmentItem) -> Adjustment:
    return Adjustment(
        id=row.id,
        area_code=row.area_code,
        entitlement_id=row.entitlement_id,
        household_id=row.household_id,
        programme=row.programme,
        from_month=Month.of(row.from_month),
        old_fen=row.old_fen,
        new_fen=row.new_fen,
        components=tuple(
            GrantedComponent(one["component"], one["person_id"] and UUID(one["person_id"]), one["amount_fen"])
            for one in row.components
        ),
        arrears=tuple((Month.parse(one["month"]), one["amount_fen"]) for one in row.arrears),
    )


def _row(batch: AdjustmentBatch) -> dict[str, Any]:
    approved = batch.approved
    return {
        "area_code": batch.area_code,
        "set_id": batch.set_id,
        "effective_month": batch.effective_month.first_day,
        "state": batch.state.value,
        "business_date": batch.business_date,
        "items": batch.items,
        "excluded": batch.excluded,
        "monthly_change_fen": batch.monthly_change_fen,
        "arrears_fen": batch.arrears_fen,
        "made_by": batch.made.by,
        "made_by_name": batch.made.name,
        "made_at": batch.made.at,
        "approved_by": approved and approved.by,
        "approved_by_name": approved and approved.name,
        "approved_at": approved and approved.at,
    }


def _batch_of(row: BatchTable) -> AdjustmentBatch:
    signed = row.approved_by is not None and row.approved_at is not None
    return AdjustmentBatch(
        id=row.id,
        area_code=row.area_code,
        set_id=row.set_id,
        effective_month=Month.of(row.effective_month),
        state=AdjustmentState(row.state),
        business_date=row.business_date,
        items=row.items,
        excluded=row.excluded,
        monthly_change_fen=row.monthly_change_fen,
        arrears_fen=row.arrears_fen,
        made=Signature(row.made_by, row.made_by_name, row.made_at),
        approved=Signature(row.approved_by, row.approved_by_name or "", row.approved_at) if signed else None,  # type: ignore[arg-type]
        version=row.version,
    )

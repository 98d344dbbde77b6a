"""Entitlements: what a household is entitled to by month, for payments and for those who look it up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.casework import Entitlement, EntitlementAmount
from app.domain.access import AreaScope
from app.domain.calendar import Month
from app.domain.casework.model import DueComponent

ENTITLEMENT = columns(Entitlement)
AMOUNT = columns(EntitlementAmount)


def due_components(scope: AreaScope, month: Month, programmes: Sequence[str]) -> sa.Select[Any]:
    """What is due in a benefit month, one row per component (fields of ``DueComponent``), by entitlement and component.

    Active entitlements whose months include it, with the amounts in force in it and not superseded; zero amounts are left out.
    For ``INSERT … SELECT`` as well as for reading.
    """
    first_day = month.first_day
    return (
        sa.select(
            ENTITLEMENT.id.label("entitlement_id"),
            ENTITLEMENT.number,
            ENTITLEMENT.programme,
            ENTITLEMENT.category,
            ENTITLEMENT.area_code,
            ENTITLEMENT.household_id,
            ENTITLEMENT.person_id,
            AMOUNT.component,
            AMOUNT.person_id.label("component_person_id"),
            AMOUNT.amount_fen,
        )
        .join_from(
            Entitlement,
            EntitlementAmount,
            sa.and_(AMOUNT.district == ENTITLEMENT.district, AMOUNT.entitlement_id == ENTITLEMENT.id),
        )
        .where(
            ENTITLEMENT.district == scope.district,
            within(ENTITLEMENT.area_code, scope),
            ENTITLEMENT.programme.in_(list(programmes)),
            ENTITLEMENT.state == "active",
            holds_in(ENTITLEMENT.since_month, ENTITLEMENT.until_month, first_day),
            holds_in(AMOUNT.from_month, AMOUNT.until_month, first_day),
            AMOUNT.superseded_at.is_(None),
            AMOUNT.amount_fen > 0,
        )
        .order_by(ENTITLEMENT.id, AMOUNT.component, AMOUNT.id)
    )


def within(area_code: sa.ColumnElement[str], scope: AreaScope) -> sa.ColumnElement[bool]:
    """The scope's area and everything below it, as a range that an index serves ("~" sorts behind every digit)."""
    return sa.and_(area_code >= scope.prefix, area_code < scope.prefix + "~")


def holds_in(since: sa.ColumnElement[date], until: sa.ColumnElement[date], month: date) -> sa.ColumnElement[bool]:
    """Whether the half-open months ``[since, until)`` include ``month``; an empty end is open."""
    return sa.and_(since <= month, sa.or_(until.is_(None), until > month))


async def list_due_components(
    session: AsyncSession, scope: AreaScope, month: Month, programmes: Sequence[str]
) -> list[DueComponent]:
    """``due_components`` as values."""
    rows = await session.execute(due_components(scope, month, programmes))
    return [DueComponent(**row) for row in rows.mappings()]

"""Clocks of requests that ran into a year whose calendar wasn't loaded: computed anew when it is, each change on record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.service_items import ITEM
from app.db.repositories.service_requests import REQUEST, clock_of, clock_values
from app.db.scoping import within
from app.db.tables.service_items import ServiceItem, ServiceRequest
from app.domain.access import AreaScope
from app.domain.calendar import Calendar
from app.domain.service_items import DayUnit
from app.domain.service_items.clocks import recomputed


async def recompute_provisional_requests(scope: AreaScope, session: AsyncSession, calendar: Calendar) -> Sequence[ServiceRequest]:
    """The open requests with a provisional day, computed anew; those that changed. It never reopens anything."""
    uncertain = sa.or_(REQUEST.legal_provisional, REQUEST.promised_provisional)
    statement = (
        sa.select(ServiceRequest, ITEM.day_unit)
        .join(ServiceItem, sa.and_(ITEM.district == REQUEST.district, ITEM.id == REQUEST.item_id))
        .where(within(scope, REQUEST), REQUEST.closed_on.is_(None), uncertain)
        .order_by(REQUEST.id)
        .with_for_update(of=ServiceRequest)
    )
    rows = (await session.execute(statement)).all()
    changed = [row for row, unit in rows if _recompute(row, DayUnit(unit), calendar)]
    await session.flush()
    await write_audit(session, [_entry(row) for row in changed], None, district=scope.district)
    return changed


def _recompute(row: ServiceRequest, unit: DayUnit, calendar: Calendar) -> bool:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name in ("legal", "promised"):
        clock = clock_of(unit, row, name)
        before |= clock_values(name, clock)
        after |= clock_values(name, clock and recomputed(clock, calendar))
    for column, value in after.items():
        setattr(row, column, value)
    return before != after


def _entry(row: ServiceRequest) -> AuditEntry:
    return AuditEntry(
        action="service_request.recompute",
        subject_kind="service_request",
        subject_id=row.id,
        area_code=row.area_code,
        fields=["due_on", "provisional"],
        reason="calendar_loaded",
    )

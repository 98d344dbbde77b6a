"""Time limits that ran into a year whose calendar wasn't loaded: computed anew when it is, each change on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.applications import DEADLINE
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.entitlements import within
from app.db.tables.casework import ApplicationDeadline
from app.domain.access import AreaScope
from app.domain.calendar import Calendar, Deadline
from app.domain.casework.clocks import recomputed


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A time limit that the calendar moved, or made certain."""

    application_id: UUID
    area_code: str
    kind: str
    before: Deadline
    after: Deadline


async def recompute_provisional_deadlines(
    scope: AreaScope, session: AsyncSession, calendar: Calendar, now: datetime
) -> Sequence[Recomputed]:
    """Computes the provisional, still running time limits of a scope anew; returns and audits those that changed.

    Call it after a calendar year is loaded, in a transaction whose walls stand at ``scope``. Those whose year is still missing
    stay provisional. It never blocks and never reopens anything.
    """
    statement = (
        sa.select(ApplicationDeadline)
        .where(
            DEADLINE.district == scope.district,
            within(DEADLINE.area_code, scope),
            DEADLINE.provisional,
            DEADLINE.met_on.is_(None),
        )
        .order_by(DEADLINE.id)
        .with_for_update()
    )
    rows = (await session.execute(statement)).scalars().all()
    changes = [change for row in rows if (change := _recompute(row, calendar, now)) is not None]
    await session.flush()
    await write_audit(session, [_entry(change) for change in changes], None, district=scope.district)
    return changes


def _recompute(row: ApplicationDeadline, calendar: Calendar, now: datetime) -> Recomputed | None:
    before, after = Deadline(row.due_on, row.provisional), recomputed(row.starts_on, row.days, calendar)
    if before == after:
        return None
    row.due_on, row.provisional, row.computed_at = after.date, after.provisional, now
    return Recomputed(row.application_id, row.area_code, row.kind, before, after)


def _entry(change: Recomputed) -> AuditEntry:
    return AuditEntry(
        action="deadline.recompute",
        subject_kind="application",
        subject_id=change.application_id,
        area_code=change.area_code,
        fields=["due_on", "provisional"],
        reason="calendar_loaded",
        details={"kind": change.kind, "before": _described(change.before), "after": _described(change.after)},
    )


def _described(deadline: Deadline) -> dict[str, object]:
    return {"due_on": deadline.date.isoformat(), "provisional": deadline.provisional}

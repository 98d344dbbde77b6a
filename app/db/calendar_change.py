"""What follows the load of a calendar year: every district's provisional time limits, district by district."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.deadlines import Recomputed, recompute_provisional_deadlines
from app.db.repositories.reference import list_districts
from app.db.repositories.service_clocks import recompute_provisional_requests
from app.db.session import enter_scope
from app.domain.calendar import Calendar


async def recompute_provisional_everywhere(session: AsyncSession, calendar: Calendar, now: datetime) -> list[Recomputed]:
    """The same for every district in turn, after a calendar year was loaded; the walls stand at the last one afterwards."""
    changes: list[Recomputed] = []
    for scope in await list_districts(session):
        await enter_scope(session, scope)
        changes += await recompute_provisional_deadlines(scope, session, calendar, now)
        await recompute_provisional_requests(scope, session, calendar)
    return changes

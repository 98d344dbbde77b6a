"""Who may do what with station files, and what their routes share."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.station_standards import StandardDraftRepository
from app.db.repositories.stations import Position
from app.db.station_desk import StationDesk, open_station_desk
from app.dependencies import ClockDep, CurrentActor, PageRequest, RuntimeDep, SessionDep, allow, bad_cursor, cursor_id
from app.domain.access import Actor, AreaScope, Duty
from app.domain.stations.local_standards import with_local
from app.domain.stations.model import Standards
from app.station_standards import standards

Keeper = Annotated[Actor, allow(Duty.STATION_CLERK, Duty.STATION_HEAD)]
Reader = Annotated[
    Actor,
    allow(Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.INSPECTOR, Duty.POLICY_OFFICER, Duty.AUDITOR),
]
InformantReader = Annotated[
    Actor,
    allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.INSPECTOR, Duty.AUDITOR),
]
AsOf = Annotated[date | None, Query(description="只看该日有效的；不填则全部列出，含已终止的")]

DATED_KEYS = 2


async def get_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep, runtime: RuntimeDep) -> StationDesk:
    return open_station_desk(session, runtime.cipher, actor, today=clock.today, now=clock.now)


DeskDep = Annotated[StationDesk, Depends(get_desk)]


async def known_standards(scope: AreaScope, session: AsyncSession) -> Standards:
    """The standards of the application with those that the district has laid down itself."""
    return with_local(standards(), await StandardDraftRepository(session).list_signed(scope))


async def get_standards(session: SessionDep, actor: CurrentActor) -> Standards:
    return await known_standards(actor.scope, session)


StandardsDep = Annotated[Standards, Depends(get_standards)]


def position_of(page: PageRequest) -> Position | None:
    """Where a list by day and id goes on."""
    last: UUID | None = cursor_id(page.after)
    if page.after is None or last is None:
        return None
    if len(page.after) != DATED_KEYS:
        raise bad_cursor()
    return Position(_day(page.after[0]), last)


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise bad_cursor() from error

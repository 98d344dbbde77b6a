"""Who may do what with service items, and what the routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.db.service_desk import ServiceDesk, open_service_desk
from app.dependencies import ClockDep, CurrentActor, RuntimeDep, SessionDep, allow
from app.domain.access import Actor, Duty

Publisher = Annotated[Actor, allow(Duty.POLICY_OFFICER)]
Handler = Annotated[Actor, allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD)]
Reader = Annotated[
    Actor,
    allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.INSPECTOR, Duty.AUDITOR),
]


async def get_service_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep, runtime: RuntimeDep) -> ServiceDesk:
    return open_service_desk(session, runtime.cipher, actor, today=clock.today, now=clock.now)


ServiceDeskDep = Annotated[ServiceDesk, Depends(get_service_desk)]

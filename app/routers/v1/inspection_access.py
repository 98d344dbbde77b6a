"""Who may do what in the acceptance of stations, and what its routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.acceptance_points import consequence_on
from app.db.acceptance_desk import AcceptanceDesk, open_acceptance_desk
from app.dependencies import ClockDep, CurrentActor, SessionDep, allow
from app.domain.access import Actor, Duty
from app.ids import new_id
from app.routers.v1.station_access import StandardsDep

Inspector = Annotated[Actor, allow(Duty.INSPECTOR)]
StationStaff = Annotated[Actor, allow(Duty.STATION_CLERK, Duty.STATION_HEAD)]
StationHead = Annotated[Actor, allow(Duty.STATION_HEAD)]
EvidenceSender = Annotated[Actor, allow(Duty.INSPECTOR, Duty.STATION_CLERK, Duty.STATION_HEAD)]
EvidenceReader = Annotated[
    Actor,
    allow(Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER, Duty.AUDITOR, Duty.STATION_CLERK, Duty.STATION_HEAD),
]
InspectionReader = Annotated[Actor, allow(Duty.INSPECTOR, Duty.REVIEWER, Duty.AUDITOR, Duty.STATION_CLERK, Duty.STATION_HEAD)]


async def get_acceptance(session: SessionDep, actor: CurrentActor, clock: ClockDep, known: StandardsDep) -> AcceptanceDesk:
    return open_acceptance_desk(session, actor, known, consequence_on, new_id, today=clock.today, now=clock.now)


AcceptanceDep = Annotated[AcceptanceDesk, Depends(get_acceptance)]

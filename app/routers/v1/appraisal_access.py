"""Who may do what in the year-end assessment, and what its routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.appraisal_schemes import shipped_schemes
from app.db.appraisal_desk import OpenDesk, open_appraisal_desk
from app.dependencies import ClockDep, CurrentActor, SessionDep, allow
from app.domain.access import Actor, Duty
from app.ids import new_id

DISTRICT = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER, Duty.POLICY_OFFICER, Duty.AUDITOR)
STATION = (Duty.STATION_CLERK, Duty.STATION_HEAD)

#: The bureau's desk for the assessment: opens and leads the year, sets targets, enters surveys, bonuses and deductions.
Assessor = Annotated[Actor, allow(Duty.INSPECTOR)]
#: 单位主要负责人 (S003 L277).
Leader = Annotated[Actor, allow(Duty.APPROVER)]
Publisher = Annotated[Actor, allow(Duty.REVIEWER)]
SchemeKeeper = Annotated[Actor, allow(Duty.POLICY_OFFICER)]
StationStaff = Annotated[Actor, allow(*STATION)]
#: 区民政局定期联合街办考评 (S001 L65).
Recorder = Annotated[Actor, allow(Duty.INSPECTOR, *STATION)]
YearReader = Annotated[Actor, allow(*DISTRICT)]
StationYearReader = Annotated[Actor, allow(*DISTRICT, *STATION)]


async def get_appraisal_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep) -> OpenDesk:
    return open_appraisal_desk(session, actor, shipped_schemes(), new_id, today=clock.today, now=clock.now)


DeskDep = Annotated[OpenDesk, Depends(get_appraisal_desk)]

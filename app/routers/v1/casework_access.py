"""Who may read casework, and the desk that its routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.codes import publish
from app.db.repositories.casework_desk import open_casework_desk
from app.dependencies import ClockDep, CurrentActor, RuntimeDep, SessionDep, allow
from app.domain.access import Actor, Duty
from app.domain.casework import codes
from app.domain.casework.desk import Desk

publish("error", codes.ERRORS)
publish("field_error", codes.FIELD_ERRORS)
publish("application_state", codes.STATES)
publish("application_act", codes.ACTS)
publish("deadline", codes.CLOCKS)
publish("decision", codes.DECISIONS)
publish("entitlement_state", codes.ENTITLEMENT_STATES)

_CASEWORKERS = (Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER)

ApplicantsSide = Annotated[Actor, allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK)]
StationClerk = Annotated[Actor, allow(Duty.STATION_CLERK)]
StationHead = Annotated[Actor, allow(Duty.STATION_HEAD)]
#: The head of a station only where confirmation is delegated; the workflow tells.
Decider = Annotated[Actor, allow(Duty.REVIEWER, Duty.STATION_HEAD)]
CaseReader = Annotated[Actor, allow(*_CASEWORKERS, Duty.AUDITOR)]
EntitlementReader = Annotated[Actor, allow(*_CASEWORKERS, Duty.AUDITOR, Duty.FINANCE, Duty.APPROVER)]


def get_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep, runtime: RuntimeDep) -> Desk:
    return open_casework_desk(session, runtime.parameter_books, runtime.cipher, actor, now=clock.now, today=clock.today)


CaseDeskDep = Annotated[Desk, Depends(get_desk)]

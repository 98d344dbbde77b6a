"""Casework's files in memory: the use cases run on them as on the database, and leave rows to be written set-wise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from app.db.repositories.case_rows import (
    CoveredPerson,
    Granting,
    Row,
    Stamp,
    application_number,
    application_row,
    assessment_row,
    clock_row,
    decision_row,
    entitlement_number,
    event_row,
    notice_row,
)
from app.db.tables import casework as tables
from app.domain.access import AreaScope
from app.domain.casework.clocks import Clock, ClockKind
from app.domain.casework.model import (
    Application,
    Decision,
    FrozenAssessment,
    Grant,
    Happening,
    Holding,
    PublicNotice,
    RunningClock,
)
from app.domain.casework.workflow import State
from app.ids import new_id

#: In the order in which their rows refer to each other.
TABLES: tuple[type[Any], ...] = (
    tables.Application,
    tables.ApplicationEvent,
    tables.ApplicationDeadline,
    tables.Assessment,
    tables.Decision,
    tables.PublicNotice,
    tables.Entitlement,
    tables.EntitlementAmount,
    tables.EntitlementMember,
    tables.Enrolment,
)


@dataclass
class Files:
    """All that a load has made so far. ``numbers`` are running numbers reserved for it."""

    scope: AreaScope
    numbers: Iterator[int]
    people: dict[UUID, CoveredPerson]
    applications: dict[UUID, Application] = field(default_factory=dict)
    clocks: dict[UUID, dict[str, Row]] = field(default_factory=dict)
    assessments: dict[UUID, FrozenAssessment] = field(default_factory=dict)
    notices: dict[UUID, tuple[PublicNotice, Stamp]] = field(default_factory=dict)
    written: dict[type[Any], list[Row]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def rows(self) -> dict[type[Any], list[Row]]:
        """Everything as rows, by table."""
        current: dict[type[Any], list[Row]] = {
            tables.Application: [application_row(self.scope, one, synthetic=True) for one in self.applications.values()],
            tables.ApplicationDeadline: [row for clocks in self.clocks.values() for row in clocks.values()],
            tables.PublicNotice: [notice_row(self.scope, stamp, notice) for notice, stamp in self.notices.values()],
        }
        return {table: current.get(table, []) + self.written[table] for table in TABLES}


@dataclass(frozen=True)
class StampedFiles:
    """The files in the hands of one officer on one day: casework's ports ``Applications`` and ``Entitlements``."""

    files: Files
    stamp: Stamp

    # --- applications ---------------------------------------------------------------------------------------------------

    async def add(self, scope: AreaScope, application: Application) -> Application:
        numbered = replace(application, number=application_number(self.stamp.today, next(self.files.numbers)))
        self._keep(scope, numbered, None, Happening("create"))
        return numbered

    async def get_locked(self, _scope: AreaScope, application_id: UUID) -> Application:
        return self.files.applications[application_id]

    async def save(self, scope: AreaScope, application: Application, came_from: State, happening: Happening) -> Application:
        saved = replace(application, version=application.version + 1)
        self._keep(scope, saved, came_from, happening)
        return saved

    def _keep(self, scope: AreaScope, application: Application, came_from: State | None, happening: Happening) -> None:
        self.files.applications[application.id] = application
        event = event_row(scope, self.stamp, application, came_from, happening)
        self.files.written[tables.ApplicationEvent].append(event)

    async def start_clocks(self, scope: AreaScope, application: Application, clocks: Iterable[Clock]) -> None:
        running = self.files.clocks.setdefault(application.id, {})
        for clock in clocks:
            running[clock.kind.value] = clock_row(scope, application, clock, self.stamp.now)

    async def stop_clocks(self, _scope: AreaScope, application: Application, kinds: Iterable[ClockKind], on: date) -> None:
        running = self.files.clocks.get(application.id, {})
        for kind in kinds:
            row = running.get(kind.value)
            if row is not None and row["met_on"] is None:
                row["met_on"] = on

    async def list_clocks(self, _scope: AreaScope, _application_id: UUID) -> Sequence[RunningClock]:
        return ()  # only shown to callers, of whom there are none

    async def add_decision(
        self, scope: AreaScope, application: Application, assessment: FrozenAssessment, decision: Decision
    ) -> None:
        self.files.assessments[decision.id] = assessment
        self.files.written[tables.Assessment].append(assessment_row(scope, application, assessment, decision))
        self.files.written[tables.Decision].append(decision_row(scope, application, decision))

    async def get_assessment_of(self, _scope: AreaScope, decision_id: UUID) -> FrozenAssessment:
        return self.files.assessments[decision_id]

    async def open_notice(self, _scope: AreaScope, notice: PublicNotice) -> None:
        self.files.notices[notice.application_id] = (notice, self.stamp)

    async def find_notice(self, _scope: AreaScope, application_id: UUID) -> PublicNotice | None:
        found = self.files.notices.get(application_id)
        return found[0] if found else None

    async def close_notice(self, _scope: AreaScope, notice: PublicNotice, on: date) -> None:
        _, opened = self.files.notices[notice.application_id]
        self.files.notices[notice.application_id] = (replace(notice, closed_on=on), opened)

    # --- entitlements ---------------------------------------------------------------------------------------------------

    async def in_force(self, _scope: AreaScope, _household_id: UUID, _programme: str) -> bool:
        return False  # each household of the demo applies once; the database would refuse a second entitlement

    async def list_holdings(self, _scope: AreaScope, _person_ids: Iterable[UUID], _household_id: UUID) -> Sequence[Holding]:
        return ()

    async def grant(self, scope: AreaScope, application: Application, grant: Grant) -> UUID:
        number = entitlement_number(self.stamp.today, next(self.files.numbers))
        granting = Granting(scope, application, grant, new_id(), number)
        people = [self.files.people[person_id] for person_id in grant.covered]
        written = self.files.written
        written[tables.Entitlement].append(granting.entitlement_row(self.stamp, synthetic=True))
        written[tables.EntitlementAmount] += granting.amount_rows(self.stamp.now)
        written[tables.EntitlementMember] += granting.member_rows(people)
        written[tables.Enrolment] += granting.enrolment_rows(people)
        return granting.id

"""Writing the demo's applications and entitlements: every act through the use cases themselves, with real assessments.

The use cases run over files in memory; what they leave is then written set-wise, in seconds, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.repositories import reference
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.case_rows import (
    CoveredPerson,
    Granting,
    Stamp,
    application_row,
    assessment_row,
    clock_row,
    decision_row,
    event_row,
    notice_row,
)
from app.db.session import transaction
from app.db.tables import casework as tables
from app.db.tables.reference import Area
from app.db.tables.registry import Household, HouseholdMember, Person
from app.demo.accounts import NAMESPACE
from app.demo.model import DemoApplication, DemoPopulation, DemoState
from app.domain.access import Actor, AreaScope, Duty, Level
from app.domain.calendar import SHANGHAI, Calendar
from app.domain.casework import service
from app.domain.casework.clocks import Clock, ClockKind
from app.domain.casework.desk import Desk, Standing
from app.domain.casework.frozen import value_of
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
from app.domain.eligibility import Household as HouseholdFacts
from app.domain.eligibility import ParameterBook
from app.domain.registry import HouseholdSnapshot, MemberSnapshot
from app.ids import new_id
from app.runtime import Runtime

APPLICATION = columns(tables.Application)
HOUSEHOLD, MEMBER, PERSON, AREA = columns(Household), columns(HouseholdMember), columns(Person), columns(Area)

#: In the order in which they refer to each other.
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
OFFICE_OPENS = time(9, 0, tzinfo=SHANGHAI)


async def load_applications(runtime: Runtime, population: DemoPopulation) -> int:
    """Takes the population's applications to their states, in one transaction; how many, 0 when the district has them already.

    The population must be registered (``load_population``). Only calls on the demo district make sense: its clerks are named after it.
    """
    scope = AreaScope(population.district, population.district)
    async with transaction(runtime.engine, scope) as session:
        await lock_subjects(session, [b"demo applications " + scope.district.encode()])
        if await _is_loaded(session, scope):
            return 0
        files = Files(scope, Numbers(await _first_number(session, 2 * len(population.applications))))
        office = await _open_office(session, runtime, scope, files, population)
        for planned in sorted(population.applications, key=lambda one: (one.drafted_on, one.household.number)):
            await office.process(planned)
        await _write(session, files)
        counts = {"applications": len(files.applications), "entitlements": len(files.rows[tables.Entitlement])}
        entry = AuditEntry("demo.load_applications", "district", scope.district, scope.district, details=counts)
        await write_audit(session, [entry], None, actor_name="demo", district=scope.district)
    return len(files.applications)


async def _is_loaded(session: AsyncSession, scope: AreaScope) -> bool:
    statement = sa.select(sa.exists().where(APPLICATION.district == scope.district, APPLICATION.synthetic))
    return bool((await session.execute(statement)).scalar_one())


async def _first_number(session: AsyncSession, count: int) -> int:
    """The first of ``count`` running numbers reserved for this load."""
    statement = sa.text("SELECT min(nextval('casework_number')) FROM generate_series(1, :count)")
    return int((await session.execute(statement, {"count": max(1, count)})).scalar_one())


async def _write(session: AsyncSession, files: Files) -> None:
    files.settle()
    for table in TABLES:
        if rows := files.rows[table]:
            await session.execute(sa.insert(table), rows)


# --- the office: who does what on which day -------------------------------------------------------------------------------


async def _open_office(
    session: AsyncSession, runtime: Runtime, scope: AreaScope, files: Files, population: DemoPopulation
) -> Office:
    numbers = [planned.household.number for planned in population.applications]
    rules = LoadedRules(
        await runtime.parameter_books.current(session), await reference.get_calendar(session), await _area_names(session, scope)
    )
    return Office(scope, files, Registered(await _snapshots(session, scope, numbers)), rules)


@dataclass(frozen=True)
class LoadedRules:
    """The reference data, read once."""

    parameter_book: ParameterBook
    days: Calendar
    names: dict[str, str]

    async def book(self) -> ParameterBook:
        return self.parameter_book

    async def calendar(self) -> Calendar:
        return self.days

    async def area_name(self, area_code: str) -> str:
        return self.names[area_code]


@dataclass(frozen=True)
class Registered:
    """The applying households, read once; they have been registered long before they apply."""

    by_number: dict[str, HouseholdSnapshot]

    def __post_init__(self) -> None:
        by_id = {snapshot.household_id: snapshot for snapshot in self.by_number.values()}
        object.__setattr__(self, "by_id", by_id)

    by_id: dict[UUID, HouseholdSnapshot] = field(init=False)

    async def snapshot(self, _scope: AreaScope, household_id: UUID, _on: date) -> HouseholdSnapshot:
        return self.by_id[household_id]


Act = Callable[[Desk, UUID], Any]


@dataclass(frozen=True)
class Office:
    """Community, station and district of the demo, at work on one application after the other."""

    scope: AreaScope
    files: Files
    registered: Registered
    rules: LoadedRules

    async def process(self, planned: DemoApplication) -> None:
        """Every act that leads to the planned state, each on its day by its officer."""
        snapshot = self.registered.by_number[planned.household.number]
        facts = value_of(HouseholdFacts, _with_person_ids(planned, snapshot))
        draft = service.Draft(snapshot.household_id, "dibao", facts=facts)
        standing = await service.create(self._desk(planned, Duty.COMMUNITY_WORKER, planned.drafted_on), draft)
        application_id = standing.application.id
        for duty, day, act in self._acts(planned, facts):
            await act(self._desk(planned, duty, day), application_id)

    def _acts(self, planned: DemoApplication, facts: HouseholdFacts) -> Iterator[tuple[Duty, date, Act]]:
        """The way to the planned state; a day that isn't planned ends it."""
        missing = planned.missing_items
        steps: list[tuple[Duty, date | None, Act]] = [
            (Duty.COMMUNITY_WORKER, planned.submitted_on, lambda desk, id_: service.submit(desk, id_, None, None)),
            (
                Duty.STATION_CLERK,
                planned.returned_on,
                lambda desk, id_: service.return_for_supplement(desk, id_, None, missing, None),
            ),
            (Duty.STATION_CLERK, planned.accepted_on, lambda desk, id_: service.accept(desk, id_, None, None)),
            (Duty.STATION_CLERK, self._surveyed_on(planned), lambda desk, id_: service.put_facts(desk, id_, None, facts)),
            (Duty.STATION_HEAD, planned.opinion_on, lambda desk, id_: service.give_opinion(desk, id_, None, None)),
            (Duty.COMMUNITY_WORKER, planned.posted_on, lambda desk, id_: service.open_notice(desk, id_, None, None)),
            (Duty.COMMUNITY_WORKER, planned.notice_closed_on, lambda desk, id_: service.close_notice(desk, id_, None, None)),
            (Duty.REVIEWER, planned.decided_on, _decide(planned)),
        ]
        return ((duty, day, act) for duty, day, act in steps if day is not None)

    def _surveyed_on(self, planned: DemoApplication) -> date | None:
        """The survey brings the facts within its three days; of those just accepted, half are still waiting for it."""
        if planned.accepted_on is None or (planned.opinion_on is None and int(planned.household.number[-1]) % 2):
            return None
        if planned.opinion_on is None:
            return planned.accepted_on
        return min(planned.opinion_on, self.rules.days.add_working_days(planned.accepted_on, 2).date)

    def _desk(self, planned: DemoApplication, duty: Duty, day: date) -> Desk:
        actor = _officer(duty, planned.household.area_code)
        now = datetime.combine(day, OFFICE_OPENS) + timedelta(minutes=5 * self.files.events_of(planned.household.number))
        files = replace_stamp(self.files, Stamp(actor, now, day))
        return Desk(actor, now, day, files, files, self.registered, self.rules, new_id)


def _decide(planned: DemoApplication) -> Act:
    if planned.state is DemoState.CONFIRMED:
        return lambda desk, id_: service.confirm(desk, id_, None, None)
    return lambda desk, id_: service.refuse(desk, id_, None, None)

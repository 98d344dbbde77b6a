"""Taking the demo's applications to their states: every act through the use cases themselves, with real assessments.

The use cases run on files in memory (``casework_files``); what they leave is written set-wise, in seconds, once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import DistrictTable, columns
from app.db.locks import lock_subjects
from app.db.repositories import reference
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.case_rows import CoveredPerson, Stamp
from app.db.session import transaction
from app.db.tables.casework import Application, Entitlement
from app.db.tables.reference import Area
from app.db.tables.registry import Household, HouseholdMember, Person
from app.demo.accounts import demo_id
from app.demo.casework_files import TABLES, Files, StampedFiles
from app.demo.model import DemoApplication, DemoPopulation, DemoState
from app.domain.access import Actor, AreaScope, Duty, Level
from app.domain.calendar import SHANGHAI, Calendar
from app.domain.casework import service
from app.domain.casework.desk import Desk, Standing
from app.domain.casework.frozen import value_of
from app.domain.eligibility import Household as HouseholdFacts
from app.domain.eligibility import ParameterBook
from app.domain.registry import HouseholdSnapshot, MemberSnapshot
from app.ids import new_id
from app.runtime import Runtime

APPLICATION, AREA = columns(Application), columns(Area)
HOUSEHOLD, MEMBER, PERSON = columns(Household), columns(HouseholdMember), columns(Person)

Table = TypeVar("Table", bound=DistrictTable)

OFFICE_OPENS = time(9, 0, tzinfo=SHANGHAI)
STEP = timedelta(minutes=10)


async def load_applications(runtime: Runtime, population: DemoPopulation) -> int:
    """How many applications it made, in one transaction; 0 when the district has them already.

    The population must be registered before (``load_population``).
    """
    scope = AreaScope(population.district, population.district)
    async with transaction(runtime.engine, scope) as session:
        await lock_subjects(session, [b"demo applications " + scope.district.encode()])
        if not population.applications or await _is_loaded(session, scope):
            return 0
        office = await _open_office(session, runtime, scope, population)
        for planned in sorted(population.applications, key=lambda one: (one.drafted_on, one.household.number)):
            await office.process(planned)
        rows = office.files.rows()
        for table in (table for table in TABLES if rows[table]):
            await session.execute(sa.insert(table), rows[table])
        counts = {"applications": len(rows[Application]), "entitlements": len(rows[Entitlement])}
        entry = AuditEntry("demo.load_applications", "district", scope.district, scope.district, details=counts)
        await write_audit(session, [entry], None, actor_name="demo", district=scope.district)
    return counts["applications"]


async def _is_loaded(session: AsyncSession, scope: AreaScope) -> bool:
    statement = sa.select(sa.exists().where(APPLICATION.district == scope.district, APPLICATION.synthetic))
    return bool((await session.execute(statement)).scalar_one())


async def _open_office(session: AsyncSession, runtime: Runtime, scope: AreaScope, population: DemoPopulation) -> Office:
    registered = await _registered(session, scope, [planned.household.number for planned in population.applications])
    people = {
        member.person_id: CoveredPerson(member.person_id, member.person_uid, member.name_key)
        for household in registered.by_number.values()
        for member in household.members
    }
    numbers = await _running_numbers(session, 2 * len(population.applications))
    rules = LoadedRules(
        await runtime.parameter_books.current(session), await reference.get_calendar(session), await _area_names(session, scope)
    )
    return Office(Files(scope, numbers, people), registered, rules)


async def _running_numbers(session: AsyncSession, count: int) -> Iterator[int]:
    statement = sa.text("SELECT nextval('casework_number') FROM generate_series(1, :count)")
    return iter((await session.execute(statement, {"count": count})).scalars().all())


async def _area_names(session: AsyncSession, scope: AreaScope) -> dict[str, str]:
    statement = sa.select(AREA.code, AREA.name).where(AREA.district == scope.district).order_by(AREA.valid_from)
    rows = (await session.execute(statement)).all()
    return {row.code: row.name for row in rows}


async def _registered(session: AsyncSession, scope: AreaScope, numbers: list[str]) -> Registered:
    """Table by table: a population loaded a moment ago has no statistics yet, and a join of the three is planned badly."""
    households = await _rows_of(session, scope, Household, HOUSEHOLD.household_no, numbers)
    memberships = await _rows_of(session, scope, HouseholdMember, MEMBER.household_id, [one.id for one in households])
    people = await _rows_of(session, scope, Person, PERSON.id, [one.person_id for one in memberships])
    by_id = {person.id: person for person in people}
    members: dict[UUID, list[MemberSnapshot]] = {}
    for one in sorted(memberships, key=lambda one: (one.relation != "head", one.id)):
        members.setdefault(one.household_id, []).append(_member(one, by_id[one.person_id]))
    snapshots = {household.household_no: _snapshot(household, members[household.id]) for household in households}
    return Registered(snapshots, {snapshot.household_id: snapshot for snapshot in snapshots.values()})


async def _rows_of(
    session: AsyncSession, scope: AreaScope, table: type[Table], key: sa.Column[Any], wanted: list[Any]
) -> list[Table]:
    listed = sa.cast(wanted, postgresql.ARRAY(key.type))
    statement = sa.select(table).where(columns(table).district == scope.district, key == sa.func.any(listed))
    return list((await session.execute(statement)).scalars())


def _snapshot(household: Household, members: list[MemberSnapshot]) -> HouseholdSnapshot:
    return HouseholdSnapshot(
        household_id=household.id,
        household_no=household.household_no,
        area_code=household.area_code,
        residence=cast("Any", household.residence),
        version=household.version,
        on=household.created_at.date(),
        members=tuple(members),
        payee=None,
    )


def _member(membership: HouseholdMember, person: Person) -> MemberSnapshot:
    return MemberSnapshot(
        person_id=person.id,
        person_uid=person.person_uid,
        name=person.name,
        name_key=person.name_key,
        relation=cast("Any", membership.relation),
        birth_date=person.birth_date,
        gender=cast("Any", person.gender),
        residence=cast("Any", person.residence),
        id_number_masked=person.id_number_masked,
        disability=None,
        employment=None,
        study=None,
        serious_illness=False,
    )


# --- the office: who does what on which day -------------------------------------------------------------------------------


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
    """The applying households, read once; they were registered long before they apply."""

    by_number: dict[str, HouseholdSnapshot]
    by_id: dict[UUID, HouseholdSnapshot]

    async def snapshot(self, _scope: AreaScope, household_id: UUID, _on: date) -> HouseholdSnapshot:
        return self.by_id[household_id]


Act = Callable[[Desk, UUID], Awaitable[Standing]]
Step = tuple[Duty, date | None, Act]


@dataclass(frozen=True)
class Office:
    """Community, station and district of the demo, at work on one application after the other."""

    files: Files
    registered: Registered
    rules: LoadedRules

    async def process(self, planned: DemoApplication) -> None:
        """Every act that leads to the planned state, each on its day by its officer."""
        snapshot = self.registered.by_number[planned.household.number]
        facts = value_of(HouseholdFacts, _facts(planned, snapshot))
        draft = service.Draft(snapshot.household_id, "dibao", facts=facts)
        standing = await service.create(self._desk(planned, Duty.COMMUNITY_WORKER, planned.drafted_on, 0), draft)
        for place, (duty, day, act) in enumerate(self._steps(planned, facts), start=1):
            if day is not None:
                await act(self._desk(planned, duty, day, place), standing.application.id)

    def _steps(self, planned: DemoApplication, facts: HouseholdFacts) -> tuple[Step, ...]:
        """The whole way; what has no day wasn't done."""
        missing = planned.missing_items
        decide = service.confirm if planned.state is DemoState.CONFIRMED else service.refuse
        return (
            (Duty.COMMUNITY_WORKER, planned.submitted_on, lambda desk, it: service.submit(desk, it, None, None)),
            (
                Duty.STATION_CLERK,
                planned.returned_on,
                lambda desk, it: service.return_for_supplement(desk, it, None, missing, None),
            ),
            (Duty.STATION_CLERK, planned.accepted_on, lambda desk, it: service.accept(desk, it, None, None)),
            (Duty.STATION_CLERK, self._surveyed_on(planned), lambda desk, it: service.put_facts(desk, it, None, facts)),
            (Duty.STATION_HEAD, planned.opinion_on, lambda desk, it: service.give_opinion(desk, it, None, None)),
            (Duty.COMMUNITY_WORKER, planned.posted_on, lambda desk, it: service.open_notice(desk, it, None, None)),
            (Duty.COMMUNITY_WORKER, planned.notice_closed_on, lambda desk, it: service.close_notice(desk, it, None, None)),
            (Duty.REVIEWER, planned.decided_on, lambda desk, it: decide(desk, it, None, None)),
        )

    def _surveyed_on(self, planned: DemoApplication) -> date | None:
        """The survey brings the facts in its three days; of those accepted lately, half still wait for it."""
        if planned.accepted_on is None:
            return None
        if planned.opinion_on is None:
            return planned.accepted_on if int(planned.household.number[-1]) % 2 else None
        return min(planned.opinion_on, self.rules.days.add_working_days(planned.accepted_on, 2).date)

    def _desk(self, planned: DemoApplication, duty: Duty, day: date, place: int) -> Desk:
        actor = officer(duty, planned.household.area_code)
        now = datetime.combine(day, OFFICE_OPENS) + place * STEP
        files = StampedFiles(self.files, Stamp(actor, now, day))
        return Desk(actor, now, day, files, files, self.registered, self.rules, new_id)


def officer(duty: Duty, area_code: str) -> Actor:
    """Whoever holds the duty for a community, named as the published demo accounts are; most of them have no account."""
    district, station, community = area_code[:6], area_code[:9], area_code
    name, level, area = {
        Duty.COMMUNITY_WORKER: (f"c{community[6:]}.worker", Level.COMMUNITY, community),
        Duty.STATION_CLERK: (f"s{station[6:]}.clerk", Level.SUBDISTRICT, station),
        Duty.STATION_HEAD: (f"s{station[6:]}.head", Level.SUBDISTRICT, station),
        Duty.REVIEWER: ("district.reviewer", Level.DISTRICT, district),
    }[duty]
    return Actor(demo_id(name), name, level, area, district, frozenset({duty}))


def _facts(planned: DemoApplication, snapshot: HouseholdSnapshot) -> dict[str, Any]:
    """The planned facts with the registry's ids in the place of m1, m2, …"""
    ids = {(str(member.relation), member.name, member.birth_date): str(member.person_id) for member in snapshot.members}
    facts: dict[str, Any] = dict(planned.facts)
    members = zip(planned.household.members, facts["members"], strict=True)
    named = [fact | {"ref": ids[(one.relation, one.person.name, one.person.birth_date)]} for one, fact in members]
    return facts | {"members": named}

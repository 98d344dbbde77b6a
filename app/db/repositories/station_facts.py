"""What is on file about stations on a day, as an assessment takes it: one query for each kind of fact, however many stations.

Nothing of a kind ever put on file is unknown (None), and not a zero: a measure then says that it has no data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.reference import in_force as area_in_force
from app.db.repositories.station_sheets import SheetRepository
from app.db.repositories.stations import STAFF, held
from app.db.scoping import within
from app.db.tables.reference import Area, ResidentCount
from app.db.tables.station_files import StationMeeting, StationTraining
from app.db.tables.stations import Informant
from app.domain.access import AreaScope
from app.domain.areas import AreaLevel
from app.domain.stations.facts import (
    ArchivesFact,
    BudgetFact,
    CommunityFact,
    CommunityKind,
    CommunityOfficeFact,
    EquipmentFact,
    Facts,
    MeetingsFact,
    PremisesFact,
    StaffFact,
    TrainingsFact,
)
from app.domain.stations.records import (
    MONTHS,
    Archives,
    Budget,
    CommunityOffice,
    Equipment,
    Premises,
    Rules,
    StationRecord,
    Volunteers,
    holds,
)

AREA = columns(Area)
COUNT = columns(ResidentCount)
INFORMANT = columns(Informant)
TRAINING = columns(StationTraining)
MEETING = columns(StationMeeting)

QUARTERS = 4
SUBDISTRICT_DIGITS = 9
VILLAGE = "村委会"


async def facts_of(
    scope: AreaScope, session: AsyncSession, station: StationRecord, on: date, community: str | None = None
) -> Facts:
    """The facts of one station. ``community``: whose office is asked about, where a standard asks about one."""
    facts = (await list_facts(scope, session, [station], on))[station.id]
    if community is None:
        return facts
    offices = await SheetRepository(session).list_in_force(scope, [community], CommunityOffice, on)
    office = offices.get(community)
    return facts if office is None else replace(facts, community_office=_office(office))


async def list_facts(scope: AreaScope, session: AsyncSession, stations: Sequence[StationRecord], on: date) -> dict[UUID, Facts]:
    """Station → its facts on the day, for all of them at once."""
    ids = [station.id for station in stations]
    staff = await _staff(scope, session, ids, on)
    trainings, meetings = await _trainings(scope, session, ids, on), await _meetings(scope, session, ids, on)
    communities = await _communities(scope, session, [station.area_code for station in stations], on)
    sheets = {kind: await SheetRepository(session).list_in_force(scope, ids, kind, on) for kind in SHEETS}
    budgets = await _budgets(scope, session, stations, on)
    found = {}
    for station in stations:
        own: dict[type, Any] = {kind: contents[station.id] for kind, contents in sheets.items() if station.id in contents}
        around = communities.get(station.area_code)
        facts = Facts(
            staff=staff.get(station.id),
            budget=budgets.get(station.id, BudgetFact()),
            communities=around,
            population=_population(around),
            trainings=trainings.get(station.id, TrainingsFact()),
            meetings=meetings.get(station.id, MeetingsFact()),
        )
        found[station.id] = _with_sheets(facts, own)
    return found


SHEETS: tuple[type[Any], ...] = (Premises, Equipment, Rules, Archives, Volunteers)


def _with_sheets(facts: Facts, own: dict[type, Any]) -> Facts:
    values: dict[str, Any] = {}
    if premises := own.get(Premises):
        values["premises"] = PremisesFact(
            premises.area_m2, premises.independent, premises.accessible, premises.service_window, premises.archive_room
        )
    if pieces := own.get(Equipment):
        values["equipment"] = EquipmentFact(
            pieces.computer, pieces.telephone, pieces.fax, pieces.printer, pieces.camera, pieces.vehicle
        )
    if rules := own.get(Rules):
        values |= {"rules": frozenset(rules.rules), "signage": frozenset(rules.signage)}
    if archives := own.get(Archives):
        values["archives"] = ArchivesFact(archives.total, archives.bound, archives.digitised, archives.confidential)
    if volunteers := own.get(Volunteers):
        values |= {"volunteers": volunteers.volunteers, "emergency_plan": volunteers.emergency_plan}
    return replace(facts, **values)


def _office(office: CommunityOffice) -> CommunityOfficeFact:
    return CommunityOfficeFact(office.area_m2, office.kind, frozenset(office.rooms))


async def _staff(scope: AreaScope, session: AsyncSession, ids: Sequence[UUID], on: date) -> dict[UUID, tuple[StaffFact, ...]]:
    """Station → who held a post on the day; left out where nobody ever did."""
    statement = select(*STAFF).where(within(scope, STAFF), STAFF.station_id.in_(ids), STAFF.valid_from <= on, held(STAFF))
    found: dict[UUID, list[StaffFact]] = {}
    for row in await session.execute(statement.order_by(STAFF.id)):
        present = found.setdefault(row.station_id, [])
        if not holds(on, row.valid_from, row.valid_until):
            continue
        present.append(
            StaffFact(
                establishment=row.establishment,
                name=row.name,
                full_time=row.full_time,
                position=row.position,
                since=row.valid_from,
                education=row.education,
                leader=row.leads_as is not None,
                filed=row.exam_passed and row.filed_on is not None and row.filed_on <= on,
                consulted=None if row.consulted_on is None else row.consulted_on <= row.valid_from,
            )
        )
    return {station_id: tuple(present) for station_id, present in found.items()}


async def _budgets(
    scope: AreaScope, session: AsyncSession, stations: Sequence[StationRecord], on: date
) -> dict[UUID, BudgetFact]:
    """The year's budget; in January last year's disbursements say whether money comes every month."""
    sheets, ids = SheetRepository(session), [station.id for station in stations]
    current = await sheets.list_in_force(scope, ids, Budget, on)
    before = await sheets.list_in_force(scope, ids, Budget, date(on.year - 1, 12, 31))
    judged = current if on.month > 1 else before
    found = {}
    for station in stations:
        budget, paid, last = current.get(station.id), judged.get(station.id), before.get(station.id)
        if budget is not None:
            monthly = None if paid is None else _every_month(paid, station.details.opened_on, on)
            former = None if last is None else last.amount_fen
            found[station.id] = BudgetFact(budget.in_fiscal_budget, monthly, budget.amount_fen, former)
    return found


def _every_month(budget: Budget, opened_on: date, on: date) -> bool | None:
    """Whether something was paid out in each month that has passed (经费按月拨付); None when none has."""
    first = opened_on.month - 1 if opened_on.year == budget.year else 0
    passed = on.month - 1 if on.year == budget.year else MONTHS
    months = budget.disbursed_fen[first:passed]
    return all(months) if months else None


async def _trainings(scope: AreaScope, session: AsyncSession, ids: Sequence[UUID], on: date) -> dict[UUID, TrainingsFact]:
    """Held this year by the day; left out where none ever was."""
    this_year = TRAINING.held_on >= date(on.year, 1, 1)
    counts = [func.count().filter(this_year, TRAINING.audience == audience) for audience in ("assistants", "coordinators")]
    statement = (
        select(TRAINING.station_id, *counts)
        .where(within(scope, TRAINING), TRAINING.station_id.in_(ids), TRAINING.held_on <= on)
        .group_by(TRAINING.station_id)
    )
    rows = await session.execute(statement)
    return {station_id: TrainingsFact(assistants, coordinators) for station_id, assistants, coordinators in rows}


async def _meetings(scope: AreaScope, session: AsyncSession, ids: Sequence[UUID], on: date) -> dict[UUID, MeetingsFact]:
    """Of the twelve months up to the day: months with a meeting, quarters with a check. Two in a month are one month's."""
    recent = MEETING.held_on > _year_before(on)

    def periods(unit: str, kind: str) -> Any:
        distinct = func.count(func.distinct(func.date_trunc(unit, MEETING.held_on)))
        return distinct.filter(recent, MEETING.kind == kind)

    statement = (
        select(MEETING.station_id, periods("month", "monthly_meeting"), periods("quarter", "quarterly_check"))
        .where(within(scope, MEETING), MEETING.station_id.in_(ids), MEETING.held_on <= on)
        .group_by(MEETING.station_id)
    )
    rows = await session.execute(statement)
    return {station_id: MeetingsFact(min(months, MONTHS), min(quarters, QUARTERS)) for station_id, months, quarters in rows}


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


async def _communities(
    scope: AreaScope, session: AsyncSession, area_codes: Sequence[str], on: date
) -> dict[str, tuple[CommunityFact, ...]]:
    """Sub-district → its communities of the day, with their people as last counted and their informants."""
    parts = select(AREA.code, AREA.parent_code, AREA.kind).where(
        AREA.parent_code.in_(area_codes), AREA.level == AreaLevel.COMMUNITY.value, area_in_force(on)
    )
    people, informants = await _people(scope, session, area_codes, on), await _informants(scope, session, area_codes, on)
    found: dict[str, list[CommunityFact]] = {}
    for code, parent, kind in await session.execute(parts.order_by(AREA.code)):
        known = informants.get(parent)
        what: CommunityKind = "village" if kind == VILLAGE else "community"
        fact = CommunityFact(people.get(code), None if known is None else known.get(code, 0), code, what)
        found.setdefault(parent, []).append(fact)
    return {parent: tuple(facts) for parent, facts in found.items()}


async def _people(scope: AreaScope, session: AsyncSession, area_codes: Sequence[str], on: date) -> dict[str, int]:
    """Community → its people, as counted last by the day."""
    statement = (
        select(COUNT.area_code, COUNT.population)
        .ext(distinct_on(COUNT.area_code))
        .where(within(scope, COUNT), _in_one_of(COUNT.area_code, area_codes), COUNT.as_of <= on)
        .order_by(COUNT.area_code, COUNT.as_of.desc())
    )
    return {row.area_code: row.population for row in await session.execute(statement)}


async def _informants(scope: AreaScope, session: AsyncSession, area_codes: Sequence[str], on: date) -> dict[str, dict[str, int]]:
    """Sub-district → community → informants of the day; a sub-district that never had any is left out."""
    active = case((or_(INFORMANT.valid_until.is_(None), INFORMANT.valid_until > on), 1))
    statement = (
        select(INFORMANT.area_code, func.count(active))
        .where(within(scope, INFORMANT), _in_one_of(INFORMANT.area_code, area_codes), INFORMANT.valid_from <= on, held(INFORMANT))
        .group_by(INFORMANT.area_code)
    )
    found: dict[str, dict[str, int]] = {}
    for code, count in await session.execute(statement):
        found.setdefault(code[:SUBDISTRICT_DIGITS], {})[code] = count
    return found


def _in_one_of(column: Any, area_codes: Iterable[str]) -> Any:
    return func.left(column, SUBDISTRICT_DIGITS).in_(list(area_codes))


def _population(communities: Sequence[CommunityFact] | None) -> int | None:
    """The sum of the communities, unless one of them was never counted."""
    counts = [fact.population for fact in communities or ()]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None

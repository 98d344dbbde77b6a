"""What is on record of the households of an area on a day: the registry, the latest application's facts, what they draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.tables.casework import Application, Entitlement, EntitlementMember
from app.db.tables.registry import Household, HouseholdMember, Person, PersonFact
from app.domain.access import AreaScope
from app.domain.calendar import Month
from app.domain.casework.frozen import value_of
from app.domain.eligibility import AssessmentQuestion
from app.domain.policy.discovery import PERSON_PROGRAMMES, KnownHousehold, KnownMember

HOUSEHOLD, MEMBER, PERSON, FACT = columns(Household), columns(HouseholdMember), columns(Person), columns(PersonFact)
APPLICATION, ENTITLEMENT, COVERED = columns(Application), columns(Entitlement), columns(EntitlementMember)
Row = sa.RowMapping
Facts = dict[str, tuple[date, Any]]
SEVERE_GRADE = 2
STATION_DIGITS = 9


@dataclass(slots=True)
class Records:
    """The rows of one area by household and by person."""

    members: dict[UUID, list[Row]] = field(default_factory=dict)
    facts: dict[UUID, Facts] = field(default_factory=dict)
    declared: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    pending: dict[UUID, set[str]] = field(default_factory=dict)
    drawn: dict[UUID, dict[str, date]] = field(default_factory=dict)
    draws: dict[UUID, list[str]] = field(default_factory=dict)


async def list_households(scope: AreaScope, session: AsyncSession, area_code: str, on: date) -> list[KnownHousehold]:
    """Of an area and everything below it, by id; those without a head are left out."""
    area = AreaScope(scope.district, area_code)
    records = await _records(scope, session, area, on)
    statement = sa.select(HOUSEHOLD.id, HOUSEHOLD.area_code, HOUSEHOLD.residence).where(*_in(HOUSEHOLD, scope, area))
    rows = (await session.execute(statement.order_by(HOUSEHOLD.id))).mappings().all()
    return [known for row in rows if (known := _known(row, records, on)) is not None]


async def list_stations(scope: AreaScope, session: AsyncSession, area_code: str) -> list[str]:
    """The sub-districts with households, cut to the area itself where it is smaller than one."""
    area = AreaScope(scope.district, area_code)
    statement = sa.select(HOUSEHOLD.area_code).where(*_in(HOUSEHOLD, scope, area)).distinct().order_by(HOUSEHOLD.area_code)
    digits = max(STATION_DIGITS, len(area_code))
    return sorted({code[:digits] for code in (await session.execute(statement)).scalars()})


def _in(table: Any, scope: AreaScope, area: AreaScope) -> list[sa.ColumnElement[bool]]:
    return [table.district == scope.district, within(table.area_code, scope), within(table.area_code, area)]


async def _records(scope: AreaScope, session: AsyncSession, area: AreaScope, on: date) -> Records:
    records = Records()
    for row in (await session.execute(_memberships(scope, area, on))).mappings():
        records.members.setdefault(row["household_id"], []).append(row)
    people = [row["id"] for rows in records.members.values() for row in rows]
    for person_id, kind, since, value in await session.execute(_facts(scope, people, on)):
        records.facts.setdefault(person_id, {})[kind] = (since, value)
    for household_id, programme, facts, closed_at in await session.execute(_applications(scope, area)):
        if facts is not None:
            records.declared[household_id] = facts
        if closed_at is None:
            records.pending.setdefault(household_id, set()).add(programme)
    for household_id, programme, since in await session.execute(_entitlements(scope, area, on)):
        records.drawn.setdefault(household_id, {})[programme] = since
    for person_id, programme in await session.execute(_drawing(scope, people, on)):
        records.draws.setdefault(person_id, []).append(programme)
    return records


def _memberships(scope: AreaScope, area: AreaScope, on: date) -> sa.Select[Any]:
    """The head first."""
    return (
        sa.select(
            MEMBER.household_id,
            MEMBER.relation,
            PERSON.id,
            PERSON.birth_date,
            PERSON.gender,
            PERSON.died_on,
            PERSON.hukou_area_code,
        )
        .join_from(
            HouseholdMember, Household, sa.and_(HOUSEHOLD.district == MEMBER.district, HOUSEHOLD.id == MEMBER.household_id)
        )
        .join(Person, sa.and_(PERSON.district == MEMBER.district, PERSON.id == MEMBER.person_id))
        .where(*_in(HOUSEHOLD, scope, area), MEMBER.valid_from <= on, _open(MEMBER.valid_until, on))
        .order_by(MEMBER.household_id, MEMBER.relation != "head", PERSON.id)
    )


def _open(until: sa.Column[Any], on: date) -> sa.ColumnElement[bool]:
    return sa.or_(until.is_(None), until > on)


def _facts(scope: AreaScope, people: Iterable[UUID], on: date) -> sa.Select[Any]:
    """The latest of each kind comes last."""
    return (
        sa.select(FACT.person_id, FACT.kind, FACT.valid_from, FACT.value)
        .where(
            FACT.district == scope.district, FACT.person_id.in_(list(people)), FACT.superseded_at.is_(None), FACT.valid_from <= on
        )
        .order_by(FACT.person_id, FACT.kind, FACT.valid_from)
    )


def _applications(scope: AreaScope, area: AreaScope) -> sa.Select[Any]:
    """The latest comes last."""
    statement = sa.select(APPLICATION.household_id, APPLICATION.programme, APPLICATION.facts, APPLICATION.closed_at)
    return statement.where(*_in(APPLICATION, scope, area)).order_by(APPLICATION.id)


def _entitlements(scope: AreaScope, area: AreaScope, on: date) -> sa.Select[Any]:
    statement = sa.select(ENTITLEMENT.household_id, ENTITLEMENT.programme, ENTITLEMENT.since_month)
    running = (ENTITLEMENT.state != "ended", _open(ENTITLEMENT.until_month, on), ENTITLEMENT.person_id.is_(None))
    return statement.where(*_in(ENTITLEMENT, scope, area), *running).order_by(ENTITLEMENT.id)


def _drawing(scope: AreaScope, people: list[UUID], on: date) -> sa.Select[Any]:
    """One row per entitlement that covers a person, in whichever household of the scope."""
    return (
        sa.select(COVERED.person_id, ENTITLEMENT.programme)
        .join_from(
            EntitlementMember,
            Entitlement,
            sa.and_(ENTITLEMENT.district == COVERED.district, ENTITLEMENT.id == COVERED.entitlement_id),
        )
        .where(
            COVERED.district == scope.district,
            COVERED.person_id.in_(people),
            _open(COVERED.until_month, on),
            ENTITLEMENT.state != "ended",
            _open(ENTITLEMENT.until_month, on),
        )
        .order_by(COVERED.person_id, ENTITLEMENT.programme)
    )


# --- one household --------------------------------------------------------------------------------------------------------


def _known(household: Row, records: Records, on: date) -> KnownHousehold | None:
    rows = records.members.get(household["id"], [])
    living = [row for row in rows if row["died_on"] is None or row["died_on"] > on]
    if not rows or rows[0]["relation"] != "head" or not living:
        return None
    return KnownHousehold(
        household_id=household["id"],
        area_code=household["area_code"],
        head=rows[0]["id"],
        members=tuple(_member(row, records, on) for row in rows),
        question=value_of(AssessmentQuestion, _question(household, living, records, on)),
        declared=_stated(records, household["id"], living) is not None,
        pending=frozenset(records.pending.get(household["id"], ())),
        drawn_since=records.drawn.get(household["id"], {}),
    )


def _member(row: Row, records: Records, on: date) -> KnownMember:
    since, disability = records.facts.get(row["id"], {}).get("disability", (on, {}))
    return KnownMember(
        person_id=row["id"],
        birth_date=row["birth_date"],
        died_on=row["died_on"] if row["died_on"] is not None and row["died_on"] <= on else None,
        draws=tuple(records.draws.get(row["id"], ())),
        disabled_since=since if disability else None,
        severely_disabled=bool(disability) and disability["grade"] <= SEVERE_GRADE,
    )


def _stated(records: Records, household_id: UUID, living: list[Row]) -> dict[str, Any] | None:
    """The declared facts, as long as they speak of the people who live there now."""
    facts = records.declared.get(household_id)
    if facts is None or {one["ref"] for one in facts["members"]} != {str(row["id"]) for row in living}:
        return None
    return facts


def _question(household: Row, living: list[Row], records: Records, on: date) -> dict[str, Any]:
    facts = _stated(records, household["id"], living)
    stated = {one["ref"]: one for one in facts["members"]} if facts else {}
    members = [_fact_sheet(row, stated.get(str(row["id"]), {}), records, household["area_code"]) for row in living]
    drawn = records.drawn.get(household["id"], {})
    holds = [
        {"member": str(row["id"]), "programme": programme}
        for row in living
        for programme in records.draws.get(row["id"], ())
        if programme not in drawn
    ]
    context: dict[str, Any] = {"holds": holds}
    if drawn:
        programme = "dibao" if "dibao" in drawn else min(drawn)
        context["current_entitlement"] = {"programme": programme, "since": str(Month.of(drawn[programme]))}
    return {
        "business_date": on.isoformat(),
        "area_code": household["area_code"],
        "residence": household["residence"],
        "programmes": [*PERSON_PROGRAMMES, *(["dibao"] if facts else [])],
        "household": (facts or {}) | {"members": members},
        "context": context,
    }


def _fact_sheet(row: Row, stated: dict[str, Any], records: Records, area_code: str) -> dict[str, Any]:
    """What was declared, with what the registry knows in its place."""
    known = {kind: value for kind, (_, value) in records.facts.get(row["id"], {}).items()}
    sheet = stated | {
        "ref": str(row["id"]),
        "relation": row["relation"],
        "birth_date": row["birth_date"].isoformat(),
        "gender": row["gender"],
    }
    if row["hukou_area_code"] is not None:
        sheet["hukou_local"] = row["hukou_area_code"][:6] == area_code[:6]
    sheet |= {kind: (known[kind] or {}).get("value") for kind in ("employment", "study") if kind in known}
    if "serious_illness" in known:
        sheet["serious_illness"] = bool((known["serious_illness"] or {}).get("value"))
    if "disability" in known:
        found = known["disability"] or None
        sheet["disability"] = found and {name: found[name] for name in ("category", "grade", "needs_care")}
    return sheet

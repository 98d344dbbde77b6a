"""What is on record of the households of an area on a day: the registry, the latest application's facts, what they draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.tables.casework import Application, Entitlement, EntitlementMember
from app.db.tables.registry import Household, HouseholdMember, Person, PersonFact
from app.domain.access import AreaScope
from app.domain.calendar import Month
from app.domain.casework.frozen import value_of
from app.domain.eligibility import AssessmentQuestion
from app.domain.eligibility.interplay import PRECEDENCE
from app.domain.policy.discovery import CHILD_PROGRAMMES, LIVELIHOOD, PERSON_PROGRAMMES, KnownHousehold, KnownMember

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


async def list_households(
    scope: AreaScope, session: AsyncSession, area_code: str, on: date, *, only: Iterable[UUID] | None = None
) -> list[KnownHousehold]:
    """Of an area and everything below it (or ``only`` some of them), by id; those without a head are left out."""
    statement = sa.select(HOUSEHOLD.id, HOUSEHOLD.area_code, HOUSEHOLD.residence).where(*_in(HOUSEHOLD, scope, area_code))
    if only is not None:
        statement = statement.where(_among(HOUSEHOLD.id, only))
    rows = (await session.execute(statement.order_by(HOUSEHOLD.id))).mappings().all()
    records = await _records(scope, session, [row["id"] for row in rows], on)
    return [known for row in rows if (known := _known(row, records, on)) is not None]


async def count_by_station(scope: AreaScope, session: AsyncSession, area_code: str) -> dict[str, int]:
    """The households of each sub-district that has any; cut to the area itself where it is smaller than one."""
    counted = sa.select(HOUSEHOLD.area_code, sa.func.count()).where(*_in(HOUSEHOLD, scope, area_code))
    digits = max(STATION_DIGITS, len(area_code))
    stations: dict[str, int] = {}
    for code, count in await session.execute(counted.group_by(HOUSEHOLD.area_code)):
        stations[code[:digits]] = stations.get(code[:digits], 0) + count
    return stations


async def list_noticed(scope: AreaScope, session: AsyncSession, area_code: str, on: date) -> list[UUID]:
    """Households of which the record alone may have something to say, whatever the rules say.

    Somebody who died draws, or draws a child's allowance, or twice; or the household is on the edge of 低保.
    """
    living_there = (
        sa.select(MEMBER.household_id)
        .join_from(HouseholdMember, Household, _same(HOUSEHOLD.id, MEMBER.household_id, HOUSEHOLD.district, MEMBER.district))
        .where(*_in(HOUSEHOLD, scope, area_code), MEMBER.valid_from <= on, _open(MEMBER.valid_until, on))
    )
    drawn = _drawn(scope, on).subquery()
    drawing = (
        living_there.join(Person, _same(PERSON.id, MEMBER.person_id, PERSON.district, MEMBER.district))
        .join(drawn, drawn.c.person_id == MEMBER.person_id)
        .group_by(MEMBER.household_id, MEMBER.person_id, PERSON.died_on)
        .having(
            sa.or_(
                PERSON.died_on <= on,
                sa.func.bool_or(drawn.c.programme.in_(CHILD_PROGRAMMES)),
                sa.func.count().filter(drawn.c.programme.in_(LIVELIHOOD)) > 1,
            )
        )
    )
    edge = (
        sa.select(ENTITLEMENT.household_id)
        .join_from(
            Entitlement, Household, _same(HOUSEHOLD.id, ENTITLEMENT.household_id, HOUSEHOLD.district, ENTITLEMENT.district)
        )
        .where(*_in(HOUSEHOLD, scope, area_code), ENTITLEMENT.programme == "dibao_edge", *_running(on))
    )
    return list((await session.execute(sa.union(drawing, edge))).scalars())


def _in(table: Any, scope: AreaScope, area_code: str) -> list[sa.ColumnElement[bool]]:
    area = AreaScope(scope.district, area_code)
    return [table.district == scope.district, within(table.area_code, scope), within(table.area_code, area)]


def _among(column: sa.ColumnElement[Any], ids: Iterable[UUID]) -> sa.ColumnElement[bool]:
    """One parameter, however many there are."""
    return column == sa.any_(sa.literal(list(ids), ARRAY(sa.Uuid())))


def _same(left: sa.Column[Any], right: sa.Column[Any], district: sa.Column[Any], other: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(district == other, left == right)


async def _records(scope: AreaScope, session: AsyncSession, households: list[UUID], on: date) -> Records:
    records = Records()
    for row in (await session.execute(_memberships(scope, households, on))).mappings():
        records.members.setdefault(row["household_id"], []).append(row)
    people = [row["id"] for rows in records.members.values() for row in rows]
    for person_id, kind, since, value in await session.execute(_facts(scope, people, on)):
        records.facts.setdefault(person_id, {})[kind] = (since, value)
    for household_id, programme, facts, closed_at in await session.execute(_applications(scope, households)):
        if facts is not None:
            records.declared[household_id] = facts
        if closed_at is None:
            records.pending.setdefault(household_id, set()).add(programme)
    for household_id, programme, since in await session.execute(_entitlements(scope, households, on)):
        records.drawn.setdefault(household_id, {})[programme] = since
    drawn = _drawn(scope, on).subquery()
    for person_id, programme in await session.execute(
        sa.select(drawn.c.person_id, drawn.c.programme)
        .where(_among(drawn.c.person_id, people))
        .order_by(drawn.c.person_id, drawn.c.programme)
    ):
        records.draws.setdefault(person_id, []).append(programme)
    return records


def _memberships(scope: AreaScope, households: list[UUID], on: date) -> sa.Select[Any]:
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
        .join_from(HouseholdMember, Person, _same(PERSON.id, MEMBER.person_id, PERSON.district, MEMBER.district))
        .where(
            MEMBER.district == scope.district,
            _among(MEMBER.household_id, households),
            MEMBER.valid_from <= on,
            _open(MEMBER.valid_until, on),
        )
        .order_by(MEMBER.household_id, MEMBER.relation != "head", PERSON.id)
    )


def _open(until: sa.Column[Any], on: date) -> sa.ColumnElement[bool]:
    return sa.or_(until.is_(None), until > on)


def _facts(scope: AreaScope, people: list[UUID], on: date) -> sa.Select[Any]:
    """The latest of each kind comes last."""
    return (
        sa.select(FACT.person_id, FACT.kind, FACT.valid_from, FACT.value)
        .where(
            FACT.district == scope.district, _among(FACT.person_id, people), FACT.superseded_at.is_(None), FACT.valid_from <= on
        )
        .order_by(FACT.person_id, FACT.kind, FACT.valid_from)
    )


def _applications(scope: AreaScope, households: list[UUID]) -> sa.Select[Any]:
    """The latest comes last."""
    statement = sa.select(APPLICATION.household_id, APPLICATION.programme, APPLICATION.facts, APPLICATION.closed_at)
    chosen = (APPLICATION.district == scope.district, _among(APPLICATION.household_id, households))
    return statement.where(*chosen).order_by(APPLICATION.id)


def _entitlements(scope: AreaScope, households: list[UUID], on: date) -> sa.Select[Any]:
    """Those of the whole household."""
    statement = sa.select(ENTITLEMENT.household_id, ENTITLEMENT.programme, ENTITLEMENT.since_month)
    chosen = (ENTITLEMENT.district == scope.district, _among(ENTITLEMENT.household_id, households))
    return statement.where(*chosen, ENTITLEMENT.person_id.is_(None), *_running(on)).order_by(ENTITLEMENT.id)


def _running(on: date) -> tuple[sa.ColumnElement[bool], ...]:
    return ENTITLEMENT.state != "ended", _open(ENTITLEMENT.until_month, on)


def _drawn(scope: AreaScope, on: date) -> sa.CompoundSelect[Any]:
    """One row for each entitlement that covers a person, or is his own, in whichever household of the scope."""
    chosen = (COVERED.person_id, ENTITLEMENT.programme, ENTITLEMENT.id)
    covered = (
        sa.select(*chosen)
        .join_from(
            EntitlementMember, Entitlement, _same(ENTITLEMENT.id, COVERED.entitlement_id, ENTITLEMENT.district, COVERED.district)
        )
        .where(COVERED.district == scope.district, _open(COVERED.until_month, on), *_running(on))
    )
    own = sa.select(ENTITLEMENT.person_id, ENTITLEMENT.programme, ENTITLEMENT.id).where(
        ENTITLEMENT.district == scope.district, ENTITLEMENT.person_id.is_not(None), *_running(on)
    )
    return sa.union(covered, own)


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
        programme = min(drawn, key=PRECEDENCE.index)
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
    if "survival_confirmed_on" in known:
        sheet["survival_confirmed_on"] = (known["survival_confirmed_on"] or {}).get("value")
    if "disability" in known:
        found = known["disability"] or None
        sheet["disability"] = found and {name: found[name] for name in ("category", "grade", "needs_care")}
    return sheet

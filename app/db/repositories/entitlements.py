"""Entitlements: what a household is entitled to by month, for payments and for those who look it up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.repositories.applications import selected
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.case_rows import NEXT_NUMBER, CoveredPerson, Granting, Stamp, entitlement_number
from app.db.tables.casework import Enrolment, EntitlementAmount, EntitlementMember
from app.db.tables.casework import Entitlement as EntitlementTable
from app.db.tables.registry import Person
from app.domain.access import Actor, AreaScope
from app.domain.calendar import Month
from app.domain.casework.model import AmountPeriod, Application, CoveredMember, DueComponent, Entitlement, Grant, Holding
from app.domain.errors import NotFound
from app.ids import new_id

ENTITLEMENT = columns(EntitlementTable)
AMOUNT = columns(EntitlementAmount)
MEMBER = columns(EntitlementMember)
PERSON = columns(Person)

register_constraint("uq_entitlement_one_in_force", "already_entitled", "该家庭已在保，不能重复确认；请核对后退回或不予确认。")
register_constraint(
    "ex_enrolment_once_per_programme",
    "member_already_enrolled",
    "家庭成员中有人已在另一家庭享受同一项目，不能重复保障（民发〔2022〕83号 三(一)），请先核实并办理其中一处的变更或终止。",
)


def due_components(scope: AreaScope, month: Month, programmes: Sequence[str]) -> sa.Select[Any]:
    """What is due in a benefit month, one row per component (fields of ``DueComponent``), by entitlement and component.

    Active entitlements whose months include it, with the amounts in force in it and not superseded; zero amounts are left out.
    For ``INSERT … SELECT`` as well as for reading.
    """
    first_day = month.first_day
    return (
        sa.select(
            ENTITLEMENT.id.label("entitlement_id"),
            ENTITLEMENT.number,
            ENTITLEMENT.programme,
            ENTITLEMENT.category,
            ENTITLEMENT.area_code,
            ENTITLEMENT.household_id,
            ENTITLEMENT.person_id,
            AMOUNT.component,
            AMOUNT.person_id.label("component_person_id"),
            AMOUNT.amount_fen,
        )
        .join_from(EntitlementTable, EntitlementAmount, _of_entitlement(AMOUNT))
        .where(
            ENTITLEMENT.district == scope.district,
            within(ENTITLEMENT.area_code, scope),
            ENTITLEMENT.programme.in_(list(programmes)),
            ENTITLEMENT.state == "active",
            holds_in(ENTITLEMENT.since_month, ENTITLEMENT.until_month, first_day),
            holds_in(AMOUNT.from_month, AMOUNT.until_month, first_day),
            AMOUNT.superseded_at.is_(None),
            AMOUNT.amount_fen > 0,
        )
        .order_by(ENTITLEMENT.id, AMOUNT.component, AMOUNT.id)
    )


def _of_entitlement(part: Any) -> sa.ColumnElement[bool]:
    return sa.and_(part.district == ENTITLEMENT.district, part.entitlement_id == ENTITLEMENT.id)


def within(area_code: sa.ColumnElement[str], scope: AreaScope) -> sa.ColumnElement[bool]:
    """The scope's area and everything below it, as a range that an index serves ("~" sorts behind every digit)."""
    return sa.and_(area_code >= scope.prefix, area_code < scope.prefix + "~")


def holds_in(since: sa.ColumnElement[date], until: sa.ColumnElement[date], month: date) -> sa.ColumnElement[bool]:
    """Whether the half-open months ``[since, until)`` include ``month``; an empty end is open."""
    return sa.and_(since <= month, sa.or_(until.is_(None), until > month))


async def list_due_components(
    scope: AreaScope, session: AsyncSession, month: Month, programmes: Sequence[str]
) -> list[DueComponent]:
    """``due_components`` as values."""
    rows = await session.execute(due_components(scope, month, programmes))
    return [DueComponent(**row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class EntitlementFilter:
    """What a list is narrowed to; ``area_code`` includes everything below it."""

    state: str | None = None
    programme: str | None = None
    area_code: str | None = None
    household_id: UUID | None = None


class EntitlementRepository:
    """The entitlements of one transaction, granted in the name of one actor at one moment."""

    def __init__(self, session: AsyncSession, actor: Actor, now: datetime, today: date) -> None:
        self._session = session
        self._stamp = Stamp(actor, now, today)
        self._audit = AuditTrail(session, actor)

    # --- for casework -------------------------------------------------------------------------------------------------

    async def in_force(self, scope: AreaScope, household_id: UUID, programme: str) -> bool:
        statement = sa.select(ENTITLEMENT.id).where(
            ENTITLEMENT.district == scope.district,
            ENTITLEMENT.household_id == household_id,
            ENTITLEMENT.programme == programme,
            ENTITLEMENT.state != "ended",
        )
        return (await self._session.execute(statement.limit(1))).first() is not None

    async def list_holdings(self, scope: AreaScope, person_ids: Iterable[UUID], household_id: UUID) -> Sequence[Holding]:
        statement = (
            sa.select(MEMBER.person_id, ENTITLEMENT.programme)
            .join_from(EntitlementMember, EntitlementTable, _of_entitlement(MEMBER))
            .where(
                MEMBER.district == scope.district,
                MEMBER.person_id.in_(list(person_ids)),
                MEMBER.until_month.is_(None),
                ENTITLEMENT.state != "ended",
                ENTITLEMENT.household_id != household_id,
            )
            .order_by(MEMBER.person_id, ENTITLEMENT.programme)
        )
        return [Holding(person_id, programme) for person_id, programme in await self._session.execute(statement)]

    async def grant(self, scope: AreaScope, application: Application, grant: Grant) -> UUID:
        """Conflict already_entitled, member_already_enrolled."""
        running = (await self._session.execute(NEXT_NUMBER)).scalar_one()
        granting = Granting(scope, application, grant, new_id(), entitlement_number(self._stamp.today, running))
        people = await self._people(scope, grant)
        await self._session.execute(sa.insert(EntitlementTable), [granting.entitlement_row(self._stamp)])
        await self._session.execute(sa.insert(EntitlementAmount), granting.amount_rows(self._stamp.now))
        await self._session.execute(sa.insert(EntitlementMember), granting.member_rows(people))
        await self._session.execute(sa.insert(Enrolment), granting.enrolment_rows(people))
        entry = AuditEntry(
            action="entitlement.grant",
            subject_kind="entitlement",
            subject_id=granting.id,
            area_code=application.area_code,
            fields=["since_month", "amounts", "members"],
            details={"application_id": str(application.id), "decision_id": str(application.decision_id)},
        )
        await self._audit.record(entry)
        return granting.id

    async def _people(self, scope: AreaScope, grant: Grant) -> list[CoveredPerson]:
        statement = sa.select(PERSON.id, PERSON.person_uid, PERSON.name_key).where(
            PERSON.district == scope.district, PERSON.id.in_(grant.covered)
        )
        return [CoveredPerson(*row) for row in await self._session.execute(statement.order_by(PERSON.id))]

    # --- for those who look it up ---------------------------------------------------------------------------------------

    async def list_page(
        self, scope: AreaScope, chosen: EntitlementFilter, *, after: UUID | None, limit: int
    ) -> Sequence[tuple[Entitlement, int]]:
        """Entitlements by id, each with what it is worth in the month of today (or its first, when that is later)."""
        statement = sa.select(*selected(Entitlement, ENTITLEMENT), self._monthly_fen().label("monthly_fen")).where(
            *self._chosen(scope, chosen)
        )
        if after is not None:
            statement = statement.where(ENTITLEMENT.id > after)
        rows = (await self._session.execute(statement.order_by(ENTITLEMENT.id).limit(limit))).mappings()
        return [_with_amount(row) for row in rows]

    async def count(self, scope: AreaScope, chosen: EntitlementFilter) -> int:
        statement = sa.select(sa.func.count()).select_from(EntitlementTable).where(*self._chosen(scope, chosen))
        return int((await self._session.execute(statement)).scalar_one())

    def _chosen(self, scope: AreaScope, chosen: EntitlementFilter) -> list[sa.ColumnElement[bool]]:
        conditions = [ENTITLEMENT.district == scope.district, within(ENTITLEMENT.area_code, scope)]
        if chosen.area_code is not None:
            conditions.append(within(ENTITLEMENT.area_code, AreaScope(scope.district, chosen.area_code)))
        exact = {"state": chosen.state, "programme": chosen.programme, "household_id": chosen.household_id}
        return conditions + [ENTITLEMENT[name] == wanted for name, wanted in exact.items() if wanted is not None]

    def _monthly_fen(self) -> sa.ScalarSelect[int]:
        month = sa.func.greatest(ENTITLEMENT.since_month, Month.of(self._stamp.today).first_day)
        total = sa.func.coalesce(sa.func.sum(AMOUNT.amount_fen), 0)
        current = (AMOUNT.superseded_at.is_(None), AMOUNT.from_month <= month)
        still = sa.or_(AMOUNT.until_month.is_(None), AMOUNT.until_month > month)
        summed = sa.select(sa.cast(total, sa.BigInteger)).where(_of_entitlement(AMOUNT), *current, still)
        return summed.correlate(EntitlementTable).scalar_subquery()

    async def get(self, scope: AreaScope, entitlement_id: UUID) -> tuple[Entitlement, int]:
        """NotFound entitlement_not_found."""
        statement = sa.select(*selected(Entitlement, ENTITLEMENT), self._monthly_fen().label("monthly_fen"))
        statement = statement.where(ENTITLEMENT.district == scope.district, ENTITLEMENT.id == entitlement_id)
        row = (await self._session.execute(statement)).mappings().one_or_none()
        if row is None:
            raise NotFound("entitlement_not_found", "没有找到该保障记录，请核对编号；不在本辖区的请由其所在辖区办理。")
        return _with_amount(row)

    async def find_of_application(self, scope: AreaScope, application_id: UUID) -> UUID | None:
        statement = sa.select(ENTITLEMENT.id).where(
            ENTITLEMENT.district == scope.district, ENTITLEMENT.application_id == application_id
        )
        return (await self._session.execute(statement)).scalars().one_or_none()

    async def list_amounts(self, scope: AreaScope, entitlement_id: UUID) -> Sequence[AmountPeriod]:
        """The amounts as known now; superseded ones are left out."""
        statement = (
            sa.select(*selected(AmountPeriod, AMOUNT))
            .where(AMOUNT.district == scope.district, AMOUNT.entitlement_id == entitlement_id, AMOUNT.superseded_at.is_(None))
            .order_by(AMOUNT.from_month, AMOUNT.id)
        )
        return [AmountPeriod(**row) for row in (await self._session.execute(statement)).mappings()]

    async def list_members(self, scope: AreaScope, entitlement_id: UUID) -> Sequence[CoveredMember]:
        """Who is covered; the name is None when the person has since left the caller's area."""
        same_person = sa.and_(PERSON.district == MEMBER.district, PERSON.id == MEMBER.person_id)
        statement = (
            sa.select(MEMBER.person_id, PERSON.name, MEMBER.from_month, MEMBER.until_month)
            .join_from(EntitlementMember, Person, same_person, isouter=True)
            .where(MEMBER.district == scope.district, MEMBER.entitlement_id == entitlement_id)
            .order_by(MEMBER.from_month, MEMBER.id)
        )
        return [CoveredMember(**row) for row in (await self._session.execute(statement)).mappings()]


def _with_amount(row: sa.RowMapping) -> tuple[Entitlement, int]:
    values = dict(row)
    monthly_fen: int = values.pop("monthly_fen")
    return Entitlement(**values), monthly_fen

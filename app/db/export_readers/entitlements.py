"""Rolls as they stand in a month: what is in force or suspended, with the amounts and the people of that month."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.export_readers import CHUNK_ROWS, Fields, Reading, register_reader
from app.db.export_readers.people import HOUSEHOLD, PERSON, account_of
from app.db.repositories.entitlements import holds_in
from app.db.scoping import at_or_below, within
from app.db.tables.casework import Entitlement, EntitlementAmount, EntitlementMember
from app.db.tables.registry import Household
from app.domain.access import AreaScope
from app.domain.imports.kinds.entitlements import ENTITLEMENTS, PER_PERSON, PROGRAMMES
from app.security.fields import Field, FieldCipher

ENTITLEMENT = columns(Entitlement)
AMOUNT = columns(EntitlementAmount)
MEMBER = columns(EntitlementMember)
OF_HOUSEHOLD = sa.and_(HOUSEHOLD.district == ENTITLEMENT.district, HOUSEHOLD.id == ENTITLEMENT.household_id)
AS_ON_ROLL = ("programme", "since_month", "roll_class", "certificate_no", "document_no", "next_review_on")
RESIDENCES = ("urban", "rural")


class EntitlementsReader:
    """Area by area."""

    async def read(self, scope: AreaScope, session: AsyncSession, reading: Reading) -> AsyncIterator[list[Fields]]:
        """See ``Reader``."""
        after: tuple[str, UUID] | None = None
        while True:
            rows = await _in_force(scope, session, reading, after)
            ids = [row.id for row in rows]
            amounts = await _amounts(scope, session, ids, reading.as_of)
            covered = await _covered(scope, session, ids, reading)
            households = await _households(scope, session, {row.household_id for row in rows})
            if rows:
                yield [
                    _fields(
                        row, households[row.household_id], amounts.get(row.id, (0, 0)), covered.get(row.id, []), reading.cipher
                    )
                    for row in rows
                ]
            if len(rows) < CHUNK_ROWS:
                return
            after = (rows[-1].area_code, rows[-1].id)


async def _in_force(scope: AreaScope, session: AsyncSession, reading: Reading, after: tuple[str, UUID] | None) -> Sequence[Any]:
    """Only where the household is in the scope too: a roll names it by its number."""
    statement = sa.select(*ENTITLEMENT).join_from(Entitlement, Household, OF_HOUSEHOLD)
    statement = statement.where(
        within(scope, ENTITLEMENT),
        within(scope, HOUSEHOLD),
        at_or_below(ENTITLEMENT.area_code, reading.area_code),
        ENTITLEMENT.programme.in_(list(PROGRAMMES)),
        ENTITLEMENT.state.in_(["active", "suspended"]),
        holds_in(ENTITLEMENT.since_month, ENTITLEMENT.until_month, reading.as_of.replace(day=1)),
    )
    if after is not None:
        statement = statement.where(sa.tuple_(ENTITLEMENT.area_code, ENTITLEMENT.id) > after)
    return (await session.execute(statement.order_by(ENTITLEMENT.area_code, ENTITLEMENT.id).limit(CHUNK_ROWS))).all()


def _among(ids: Sequence[UUID]) -> sa.Select[Any]:
    return sa.select(sa.func.unnest(sa.cast(list(ids), ARRAY(sa.Uuid))))


async def _amounts(scope: AreaScope, session: AsyncSession, ids: Sequence[UUID], as_of: date) -> dict[UUID, tuple[int, int]]:
    """Entitlement → what is due in the month, and how much of it is uplift."""
    uplift = sa.func.sum(AMOUNT.amount_fen).filter(AMOUNT.component == "uplift")
    statement = (
        sa.select(AMOUNT.entitlement_id, sa.func.sum(AMOUNT.amount_fen), sa.func.coalesce(uplift, 0))
        .where(
            within(scope, AMOUNT),
            AMOUNT.entitlement_id.in_(_among(ids)),
            AMOUNT.superseded_at.is_(None),
            holds_in(AMOUNT.from_month, AMOUNT.until_month, as_of.replace(day=1)),
        )
        .group_by(AMOUNT.entitlement_id)
    )
    return {one: (int(total), int(part)) for one, total, part in await session.execute(statement)}


async def _covered(scope: AreaScope, session: AsyncSession, ids: Sequence[UUID], reading: Reading) -> dict[UUID, list[str]]:
    """Entitlement → the ID numbers of those it covers in the month; key by key, as people are read with their households."""
    wanted = sa.func.unnest(sa.cast(list(ids), ARRAY(sa.Uuid))).table_valued("id").render_derived("wanted")
    holding = holds_in(MEMBER.from_month, MEMBER.until_month, reading.as_of.replace(day=1))
    members = sa.select(MEMBER.entitlement_id, MEMBER.person_id)
    member = members.where(within(scope, MEMBER), MEMBER.entitlement_id == wanted.c.id, holding).offset(0).lateral("covered")
    people = sa.select(PERSON.id, PERSON.birth_date, PERSON.person_uid, PERSON.id_number_sealed)
    person = people.where(within(scope, PERSON), PERSON.id == member.c.person_id).offset(0).lateral("member")
    statement = (
        sa.select(member.c.entitlement_id, person.c.person_uid, person.c.id_number_sealed)
        .select_from(wanted.join(member, sa.true()).join(person, sa.true()))
        .order_by(person.c.birth_date, person.c.id)
    )
    found: dict[UUID, list[str]] = {}
    for row in await session.execute(statement):
        number = reading.cipher.open(Field.ID_NUMBER, row.person_uid, row.id_number_sealed)
        found.setdefault(row.entitlement_id, []).append(number)
    return found


async def _households(scope: AreaScope, session: AsyncSession, ids: set[UUID]) -> dict[UUID, Any]:
    statement = sa.select(*HOUSEHOLD).where(within(scope, HOUSEHOLD), HOUSEHOLD.id.in_(_among(list(ids))))
    return {row.id: row for row in await session.execute(statement)}


def _fields(row: Any, household: Any, amounts: tuple[int, int], covered: Sequence[str], cipher: FieldCipher) -> Fields:
    alone = row.programme in PER_PERSON
    account: Mapping[str, Any] = account_of(household, cipher)
    return {
        "household_no": household.household_no,
        "id_number": covered[0] if alone and covered else None,
        **{name: getattr(row, name) for name in AS_ON_ROLL},
        "residence": row.category if row.category in RESIDENCES else None,
        "monthly_fen": amounts[0],
        "uplift_fen": amounts[1] or None,
        "covered_count": len(covered),
        "covered_numbers": None if alone else tuple(covered),
        "account_holder": account.get("account_holder"),
        "account_number": account.get("account_number"),
    }


register_reader(ENTITLEMENTS.code, EntitlementsReader())

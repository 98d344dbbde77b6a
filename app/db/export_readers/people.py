"""People by household as they live together on a day, the head first; whoever belongs to no household is left out."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.export_readers import Fields, Reading, register_reader
from app.db.repositories.people import facts_on
from app.db.scoping import at_or_below, within
from app.db.tables.registry import Household, HouseholdMember, Person
from app.domain.access import AreaScope
from app.domain.imports.kinds.people import PEOPLE
from app.security.fields import Field, FieldCipher

HOUSEHOLD = columns(Household)
MEMBER = columns(HouseholdMember)
PERSON = columns(Person)
HOUSEHOLDS_AT_ONCE = 400
PLAIN = ("name", "residence", "area_code", "hukou_area_code", "ethnicity", "marital_status")
ACCOUNT = ("bank_name", "account_holder", "account_kind")


class PeopleReader:
    """Households area by area."""

    async def read(self, scope: AreaScope, session: AsyncSession, reading: Reading) -> AsyncIterator[list[Fields]]:
        """See ``Reader``."""
        after: tuple[str, UUID] | None = None
        while True:
            households = await _households(scope, session, reading.area_code, after)
            people = await _members(scope, session, [household.id for household in households], reading)
            facts = await facts_on(scope, session, [person.id for person in people], reading.as_of)
            by_id = {household.id: household for household in households}
            if people:
                yield await asyncio.to_thread(_rows, people, by_id, facts, reading.cipher)
            if len(households) < HOUSEHOLDS_AT_ONCE:
                return
            after = (households[-1].area_code, households[-1].id)


async def _households(scope: AreaScope, session: AsyncSession, area_code: str, after: tuple[str, UUID] | None) -> Sequence[Any]:
    statement = sa.select(*HOUSEHOLD).where(within(scope, HOUSEHOLD), at_or_below(HOUSEHOLD.area_code, area_code))
    if after is not None:
        statement = statement.where(sa.tuple_(HOUSEHOLD.area_code, HOUSEHOLD.id) > after)
    return (await session.execute(statement.order_by(HOUSEHOLD.area_code, HOUSEHOLD.id).limit(HOUSEHOLDS_AT_ONCE))).all()


async def _members(scope: AreaScope, session: AsyncSession, household_ids: Sequence[UUID], reading: Reading) -> Sequence[Any]:
    """Key by key (``offset 0`` keeps the look-ups apart): as one join, everybody of the district was read for every chunk."""
    wanted = sa.func.unnest(sa.cast(list(household_ids), ARRAY(sa.Uuid))).table_valued("id").render_derived("wanted")
    lived_in = sa.and_(
        MEMBER.household_id == wanted.c.id,
        MEMBER.valid_from <= reading.as_of,
        sa.or_(MEMBER.valid_until.is_(None), MEMBER.valid_until > reading.as_of),
    )
    stays = sa.select(MEMBER.household_id, MEMBER.person_id, MEMBER.relation).where(within(scope, MEMBER), lived_in)
    stay = stays.offset(0).lateral("stay")
    person = sa.select(*PERSON).where(within(scope, PERSON), PERSON.id == stay.c.person_id).offset(0).lateral("member")
    found = wanted.join(stay, sa.true()).join(person, sa.true())
    rows = (await session.execute(sa.select(stay.c.household_id, stay.c.relation, *person.c).select_from(found))).all()
    places = {household_id: place for place, household_id in enumerate(household_ids)}
    return sorted(rows, key=lambda row: (places[row.household_id], row.relation != "head", row.birth_date, row.id))


def _rows(people: Sequence[Any], households: Mapping[UUID, Any], facts: Mapping[UUID, Any], cipher: FieldCipher) -> list[Fields]:
    """In a thread: opening four values a person is work."""
    return [_row(person, households[person.household_id], facts.get(person.id, {}), cipher) for person in people]


def _row(person: Any, household: Any, facts: Mapping[str, Mapping[str, Any]], cipher: FieldCipher) -> Fields:
    number = cipher.open(Field.ID_NUMBER, person.person_uid, person.id_number_sealed)
    return {
        "household_no": household.household_no,
        "id_number": number,
        "id_kind": id_kind_of(number),
        "relation": person.relation,
        **{name: getattr(person, name) for name in PLAIN},
        "address": _opened(cipher, Field.ADDRESS, person.person_uid, person.address_sealed),
        "phone": _opened(cipher, Field.PHONE, person.person_uid, person.phone_sealed),
        **_disability(facts.get("disability") or {}, person.person_uid, cipher),
        "serious_illness": True if (facts.get("serious_illness") or {}).get("value") else None,
        "employment": (facts.get("employment") or {}).get("value"),
        "study": (facts.get("study") or {}).get("value"),
        "monthly_income_fen": (facts.get("reported_income") or {}).get("value"),
        **account_of(household, cipher),
    }


def id_kind_of(number: str) -> str:
    """What document a number comes from: its first digits say it."""
    if number.startswith("9"):
        return "foreign_permanent_residence"
    return "hmt_residence_permit" if number.startswith(("81", "82", "83")) else "resident_id"


def _disability(value: Mapping[str, Any], person_uid: UUID, cipher: FieldCipher) -> dict[str, Any]:
    sealed = value.get("certificate_no_sealed")
    return {
        "disability_category": value.get("category"),
        "disability_grade": value.get("grade"),
        "disability_certificate": None
        if sealed is None
        else cipher.open(Field.DISABILITY_CERTIFICATE, person_uid, base64.b64decode(sealed)),
    }


def account_of(household: Any, cipher: FieldCipher) -> dict[str, Any]:
    """The fields of a household's account; none where it has none."""
    if household.bank_account_sealed is None:
        return {}
    number = cipher.open(Field.BANK_ACCOUNT, household.id, household.bank_account_sealed)
    return {"account_number": number} | {name: getattr(household, name) for name in ACCOUNT}


def _opened(cipher: FieldCipher, field: Field, owner: UUID, sealed: bytes | None) -> str | None:
    return None if sealed is None else cipher.open(field, owner, sealed)


register_reader(PEOPLE.code, PeopleReader())

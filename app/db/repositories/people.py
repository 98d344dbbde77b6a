"""People and the facts about them over time. ID numbers, phones, addresses and certificates are sealed under ``person_uid``."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.scoping import at_or_below, within
from app.db.tables.registry import Person, PersonFact
from app.domain.access import AreaScope
from app.domain.identity import normalise_name, normalise_phone
from app.domain.registry.entry import FACT_KINDS, DisabilityEntry, PersonChange, PersonDetails, Registration
from app.domain.registry.model import Attributes, Disability, PersonRecord
from app.domain.registry.refusals import person_not_found
from app.ids import new_id
from app.security.fields import Field, FieldCipher
from app.security.masking import mask

PERSON = columns(Person)
FACT = columns(PersonFact)
SEALED = {"id_number": Field.ID_NUMBER, "phone": Field.PHONE, "address": Field.ADDRESS}

Sort = Literal["id", "birth_date"]


@dataclass(frozen=True, slots=True)
class PersonFilter:
    """Which people; None asks for no condition. ``area_code`` takes in everything below it."""

    area_code: str | None = None
    name: str | None = None
    name_begins: str | None = None
    person_uid: UUID | None = None


class PeopleRepository:
    """The people of one transaction."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher) -> None:
        self._session = session
        self._cipher = cipher

    # reading

    async def get(self, scope: AreaScope, person_id: UUID, on: date) -> PersonRecord:
        """The person with the facts in force on the day. ``NotFound`` person_not_found."""
        person = await self._row(scope, person_id)
        facts = await attributes_on(scope, self._session, [person_id], on)
        return self._record(person, facts.get(person_id, Attributes()))

    async def get_locked(self, scope: AreaScope, person_id: UUID, on: date) -> PersonRecord:
        """Like ``get``, after taking the person for this transaction."""
        await self._hold(scope, [person_id])
        return await self.get(scope, person_id, on)

    async def list_locked(self, scope: AreaScope, person_ids: Iterable[UUID]) -> Sequence[PersonRecord]:
        """Those who are there, without their facts, after taking all of them for this transaction."""
        wanted = list(person_ids)
        await self._hold(scope, wanted)
        statement = select(Person).where(within(scope, PERSON), PERSON.id.in_(wanted))
        return [self._record(row, Attributes()) for row in (await self._session.execute(statement)).scalars()]

    async def _hold(self, scope: AreaScope, person_ids: Sequence[UUID]) -> None:
        """Against others at the desk by their numbers, and by their rows against imports, which hold no number of each and take
        the rows in this order too.
        """
        await lock_subjects(self._session, [person_id.bytes for person_id in person_ids])
        rows = select(PERSON.id).where(within(scope, PERSON), PERSON.id.in_(person_ids)).order_by(PERSON.person_uid)
        await self._session.execute(rows.with_for_update(key_share=True))

    async def birth_dates(self, scope: AreaScope, person_ids: Iterable[UUID]) -> Mapping[UUID, date]:
        """Of those within the scope, without taking them for this transaction."""
        statement = select(PERSON.id, PERSON.birth_date).where(within(scope, PERSON), PERSON.id.in_(list(person_ids)))
        return {row.id: row.birth_date for row in await self._session.execute(statement)}

    async def find_id(self, scope: AreaScope, person_uid: UUID) -> UUID | None:
        statement = select(PERSON.id).where(within(scope, PERSON), PERSON.person_uid == person_uid)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def list_people(
        self, scope: AreaScope, wanted: PersonFilter, *, on: date, sort: Sort, after: tuple[Any, ...] | None, limit: int
    ) -> Sequence[PersonRecord]:
        """A page in the order of ``sort``; ``after`` holds the sort keys of the last one seen."""
        keys = [PERSON.id] if sort == "id" else [PERSON.birth_date, PERSON.id]
        statement = select(Person).where(*_conditions(scope, wanted))
        if after is not None:
            statement = statement.where(tuple_(*keys) > tuple_(*after))
        rows = (await self._session.execute(statement.order_by(*keys).limit(limit))).scalars().all()
        facts = await attributes_on(scope, self._session, [row.id for row in rows], on)
        return [self._record(row, facts.get(row.id, Attributes())) for row in rows]

    async def count_people(self, scope: AreaScope, wanted: PersonFilter) -> int:
        statement: Select[int] = select(func.count()).select_from(Person).where(*_conditions(scope, wanted))
        return (await self._session.execute(statement)).scalar_one()

    async def id_number(self, scope: AreaScope, person_id: UUID) -> str:
        return (await self.reveal(scope, person_id, ("id_number",)))["id_number"] or ""

    async def reveal(self, scope: AreaScope, person_id: UUID, names: Iterable[str]) -> dict[str, str | None]:
        """Plain values of id_number, phone or address; the caller puts the reading on record."""
        person = await self._row(scope, person_id)
        return {name: self._open(SEALED[name], person, getattr(person, f"{name}_sealed")) for name in names}

    # writing

    async def add(self, scope: AreaScope, person_uid: UUID, registration: Registration, *, by: UUID, now: datetime) -> UUID:
        person_id, number = new_id(), registration.id_number
        values = {
            "district": scope.district,
            "id": person_id,
            "area_code": registration.area_code,
            "person_uid": person_uid,
            "birth_date": number.birth_date,
            "gender": number.gender,
            "id_number_sealed": self._cipher.seal(Field.ID_NUMBER, person_uid, number.value),
            "id_number_masked": mask(Field.ID_NUMBER, number.value),
            "created_at": now,
            "created_by": by,
            "updated_at": now,
            **self._columns_of(person_uid, registration.details, set(DETAIL_COLUMNS)),
        }
        await self._session.execute(insert(Person).values(**values))
        facts = {kind: value for kind in FACT_KINDS if (value := self._fact(person_uid, registration.details, kind))}
        await self._add_facts(scope, values, facts, registration.valid_from, by, now)
        return person_id

    async def change(self, scope: AreaScope, person_id: UUID, change: PersonChange, *, by: UUID, now: datetime) -> None:
        """Writes the given details and one version more; a fact that is as it was writes nothing."""
        person = await self._row(scope, person_id)
        values = self._columns_of(person.person_uid, change.details, change.given)
        await self._session.execute(
            update(Person)
            .where(within(scope, PERSON), PERSON.id == person_id)
            .values(**values, version=PERSON.version + 1, updated_at=now)
        )
        before = (await facts_on(scope, self._session, [person_id], change.valid_from)).get(person_id, {})
        facts = {}
        for kind in change.given.intersection(FACT_KINDS):
            fact = self._fact(person.person_uid, change.details, kind, before.get(kind) or {})
            if self._comparable(person.person_uid, fact) != self._comparable(person.person_uid, before.get(kind) or {}):
                facts[kind] = fact
        await self._supersede(scope, person_id, facts, change.valid_from, now)
        row = {"area_code": person.area_code, "id": person_id}
        await self._add_facts(scope, row, facts, change.valid_from, by, now)

    async def relocate(self, scope: AreaScope, person_ids: Iterable[UUID], area_code: str, now: datetime) -> None:
        """The people now live in another community: their rows and the facts about them go with them."""
        moved = list(person_ids)
        if not moved:
            return
        values = {"area_code": area_code, "version": PERSON.version + 1, "updated_at": now}
        people = update(Person).where(within(scope, PERSON), PERSON.id.in_(moved)).values(values)
        facts = update(PersonFact).where(within(scope, FACT), FACT.person_id.in_(moved))
        await self._session.execute(people.execution_options(synchronize_session=False))
        await self._session.execute(facts.values(area_code=area_code).execution_options(synchronize_session=False))

    # rows and values

    async def _row(self, scope: AreaScope, person_id: UUID) -> Person:
        statement = select(Person).where(within(scope, PERSON), PERSON.id == person_id)
        statement = statement.execution_options(populate_existing=True)
        person = (await self._session.execute(statement)).scalar_one_or_none()
        if person is None:
            raise person_not_found()
        return person

    def _record(self, person: Person, attributes: Attributes) -> PersonRecord:
        phone = self._open(Field.PHONE, person, person.phone_sealed)
        address = self._open(Field.ADDRESS, person, person.address_sealed)
        shared: dict[str, Any] = {name: getattr(person, name) for name in SHARED_COLUMNS}
        return PersonRecord(
            **shared,
            phone_masked=mask(Field.PHONE, phone) if phone else None,
            address_masked=mask(Field.ADDRESS, address) if address else None,
            attributes=attributes,
        )

    def _open(self, field: Field, person: Person, sealed: bytes | None) -> str | None:
        return None if sealed is None else self._cipher.open(field, person.person_uid, sealed)

    def _columns_of(self, person_uid: UUID, details: PersonDetails, given: Iterable[str]) -> dict[str, Any]:
        """Column values of the given details; what must not be readable is sealed."""
        values: dict[str, Any] = {}
        for name in DETAIL_COLUMNS.intersection(given):
            value = getattr(details, name)
            if name == "name":
                values |= {"name": value, "name_key": normalise_name(value)}
            elif name in SEALED:
                plain = normalise_phone(value) if name == "phone" and value else value
                values[f"{name}_sealed"] = self._cipher.seal(SEALED[name], person_uid, plain) if plain else None
            else:
                values[name] = value
        return values

    # facts

    def _fact(
        self, person_uid: UUID, details: PersonDetails, kind: str, before: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The stored form of a fact; empty where there is nothing to state, which ends what was stated before."""
        value = getattr(details, kind)
        if not value:
            return {}
        if kind == "disability":
            return self._disability_fact(person_uid, value, before or {})
        return {"value": value.isoformat() if isinstance(value, date) else value}

    def _disability_fact(self, person_uid: UUID, entry: DisabilityEntry, before: Mapping[str, Any]) -> dict[str, Any]:
        fact: dict[str, Any] = {"category": entry.category, "grade": entry.grade, "needs_care": entry.needs_care}
        if entry.certificate_no is not None:
            number = entry.certificate_no
            sealed = self._cipher.seal(Field.DISABILITY_CERTIFICATE, person_uid, number)
            fact["certificate_no_masked"] = mask(Field.DISABILITY_CERTIFICATE, number)
            fact["certificate_no_sealed"] = base64.b64encode(sealed).decode()
        elif all(before.get(name) == fact[name] for name in ("category", "grade")):
            fact |= {name: before[name] for name in ("certificate_no_masked", "certificate_no_sealed") if name in before}
        return fact

    def _comparable(self, person_uid: UUID, fact: Mapping[str, Any]) -> dict[str, Any]:
        """Two seals of one number differ, so compare what is inside."""
        plain = dict(fact)
        if sealed := plain.pop("certificate_no_sealed", None):
            plain["certificate_no"] = self._cipher.open(Field.DISABILITY_CERTIFICATE, person_uid, base64.b64decode(sealed))
        return plain

    async def _supersede(self, scope: AreaScope, person_id: UUID, kinds: Iterable[str], valid_from: date, now: datetime) -> None:
        statement = update(PersonFact).where(
            within(scope, FACT),
            FACT.person_id == person_id,
            FACT.kind.in_(list(kinds)),
            FACT.valid_from == valid_from,
            FACT.superseded_at.is_(None),
        )
        await self._session.execute(statement.values(superseded_at=now).execution_options(synchronize_session=False))

    async def _add_facts(
        self,
        scope: AreaScope,
        person: Mapping[str, Any],
        facts: Mapping[str, dict[str, Any]],
        valid_from: date,
        by: UUID,
        now: datetime,
    ) -> None:
        rows = [
            {
                "district": scope.district,
                "id": new_id(),
                "area_code": person["area_code"],
                "person_id": person["id"],
                "kind": kind,
                "valid_from": valid_from,
                "value": value,
                "recorded_at": now,
                "recorded_by": by,
            }
            for kind, value in facts.items()
        ]
        if rows:
            await self._session.execute(insert(PersonFact), rows)


DETAIL_COLUMNS = frozenset({"name", "residence", "hukou_area_code", "phone", "address", "ethnicity", "marital_status"})
SHARED_COLUMNS = (
    "id",
    "person_uid",
    "area_code",
    "name",
    "birth_date",
    "gender",
    "residence",
    "id_number_masked",
    "hukou_area_code",
    "ethnicity",
    "marital_status",
    "synthetic",
    "version",
)


def _conditions(scope: AreaScope, wanted: PersonFilter) -> list[ColumnElement[bool]]:
    conditions = [within(scope, PERSON)]
    if wanted.area_code is not None:
        conditions.append(at_or_below(PERSON.area_code, wanted.area_code))
    if wanted.name is not None:
        conditions.append(PERSON.name_key == normalise_name(wanted.name))
    if wanted.name_begins is not None:
        conditions.append(PERSON.name_key.startswith(normalise_name(wanted.name_begins), autoescape=True))
    if wanted.person_uid is not None:
        conditions.append(PERSON.person_uid == wanted.person_uid)
    return conditions


async def facts_on(
    scope: AreaScope, session: AsyncSession, person_ids: Iterable[UUID], on: date
) -> dict[UUID, dict[str, dict[str, Any]]]:
    """Person → kind → stored value in force on a day; a fact ends with the next row of its kind, maybe an empty one."""
    wanted = list(person_ids)
    if not wanted:
        return {}
    statement = (
        select(FACT.person_id, FACT.kind, FACT.value)
        .ext(distinct_on(FACT.person_id, FACT.kind))
        .where(
            within(scope, FACT),
            FACT.person_id.in_(wanted),
            FACT.valid_from <= on,
            FACT.superseded_at.is_(None),
        )
        .order_by(FACT.person_id, FACT.kind, FACT.valid_from.desc())
    )
    found: dict[UUID, dict[str, dict[str, Any]]] = {}
    for person_id, kind, value in await session.execute(statement):
        found.setdefault(person_id, {})[kind] = value
    return found


async def attributes_on(scope: AreaScope, session: AsyncSession, person_ids: Iterable[UUID], on: date) -> dict[UUID, Attributes]:
    """The attributes of each person in force on a day."""
    found = await facts_on(scope, session, person_ids, on)
    return {person_id: _attributes(facts) for person_id, facts in found.items()}


def _attributes(facts: Mapping[str, dict[str, Any]]) -> Attributes:
    disability, confirmed = facts.get("disability"), facts.get("survival_confirmed_on", {}).get("value")
    return Attributes(
        disability=_disability(disability) if disability else None,
        employment=facts.get("employment", {}).get("value"),
        study=facts.get("study", {}).get("value"),
        serious_illness=bool(facts.get("serious_illness", {}).get("value", False)),
        survival_confirmed_on=date.fromisoformat(confirmed) if confirmed else None,
    )


def _disability(value: Mapping[str, Any]) -> Disability:
    return Disability(value["category"], value["grade"], value["needs_care"], value.get("certificate_no_masked"))

"""残疾人证 as on record on a day; people whose record names no certificate are left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from itertools import takewhile
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.export_readers import CHUNK_ROWS, Fields, Reading, register_reader
from app.db.import_writers.disability_certificates import FACT, KIND, Fact, facts_of
from app.db.scoping import at_or_below, within
from app.db.tables.registry import Person
from app.domain.access import AreaScope
from app.domain.imports.kinds.disability_certificates import DISABILITY_CERTIFICATES
from app.security.fields import Field

PERSON = columns(Person)
NUMBERED = FACT.value["certificate_no_sealed"].astext.is_not(None)


class CertificateReader:
    """The people who have one, area by area."""

    async def read(self, scope: AreaScope, session: AsyncSession, reading: Reading) -> AsyncIterator[list[Fields]]:
        """See ``Reader``."""
        after: tuple[str, UUID] | None = None
        while True:
            people = await _people(scope, session, reading.area_code, after)
            facts = await facts_of(scope, session, {person.id: person.person_uid for person in people}, reading.cipher)
            rows = [_row(person, _in_force(facts.get(person.id, ()), reading.as_of), reading) for person in people]
            if found := [row for row in rows if row is not None]:
                yield found
            if len(people) < CHUNK_ROWS:
                return
            after = (people[-1].area_code, people[-1].id)


async def _people(scope: AreaScope, session: AsyncSession, area_code: str, after: tuple[str, UUID] | None) -> Sequence[Any]:
    certified = sa.exists().where(
        within(scope, FACT), FACT.person_id == PERSON.id, FACT.kind == KIND, FACT.superseded_at.is_(None), NUMBERED
    )
    names = (PERSON.id, PERSON.area_code, PERSON.person_uid, PERSON.name, PERSON.id_number_sealed)
    statement = sa.select(*names).where(within(scope, PERSON), at_or_below(PERSON.area_code, area_code), certified)
    if after is not None:
        statement = statement.where(sa.tuple_(PERSON.area_code, PERSON.id) > after)
    return (await session.execute(statement.order_by(PERSON.area_code, PERSON.id).limit(CHUNK_ROWS))).all()


def _in_force(facts: Sequence[Fact], on: date) -> list[Fact]:
    """What has been stated of one certificate up to the day, the earliest first; nothing when none stands."""
    known = [fact for fact in facts if fact.valid_from <= on]
    number = known[-1].certificate if known else None
    return list(takewhile(lambda fact: number and fact.certificate == number, reversed(known)))[::-1]


def _row(person: Any, stated: Sequence[Fact], reading: Reading) -> Fields | None:
    if not stated:
        return None
    plain = stated[-1].stated
    return {
        "name": person.name,
        "id_number": reading.cipher.open(Field.ID_NUMBER, person.person_uid, person.id_number_sealed),
        "certificate_no": plain["certificate_no"],
        "category": plain["category"],
        "grade": str(plain["grade"]),
        "needs_care": plain["needs_care"],
        "issued_on": stated[0].valid_from,
    }


__all__ = ["CertificateReader"]
register_reader(DISABILITY_CERTIFICATES.code, CertificateReader())

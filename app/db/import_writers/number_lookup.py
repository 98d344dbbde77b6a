"""Who of the caller's area an ID number is registered for, by blind index, a block of numbers at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.keyed import each_key, found_by
from app.db.scoping import within
from app.db.tables.identity import IdentityKey
from app.db.tables.registry import Person
from app.domain.access import AreaScope
from app.security.fields import BlindIndex, Field

PERSON = columns(Person)
FIELDS = ("id", "person_uid", "area_code", "name", "name_key", "version")


def digests_of(blind_index: BlindIndex, numbers: Iterable[str]) -> dict[tuple[int, bytes], str]:
    """(index version, digest) → number, for every live version."""
    return {
        (version, digest): number
        for number in set(numbers)
        for version, digest in blind_index.digest(Field.ID_NUMBER, number).items()
    }


def each_digest(digests: Iterable[tuple[int, bytes]]) -> sa.TableValuedAlias:
    """These as a table ``wanted`` with ``index_version`` and ``bidx``."""
    pairs = list(digests)
    versions, numbers = [version for version, _ in pairs], [digest for _, digest in pairs]
    return each_key({"index_version": (sa.Integer, versions), "bidx": (sa.LargeBinary, numbers)})


async def find_people(
    scope: AreaScope, session: AsyncSession, blind_index: BlindIndex, numbers: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Number → id, person_uid, area_code, name, name_key, version of the person registered in the scope; others are left out."""
    digests = digests_of(blind_index, numbers)
    wanted = each_digest(digests)
    key = found_by(IdentityKey, {"index_version": wanted.c.index_version, "bidx": wanted.c.bidx})
    person = found_by(Person, {"person_uid": key.c.person_uid}, within(scope, PERSON))
    there = sa.join(wanted, key, sa.true()).join(person, sa.true())
    statement = sa.select(wanted.c.index_version, wanted.c.bidx, *(person.c[name] for name in FIELDS)).select_from(there)
    rows = (await session.execute(statement)).mappings()
    return {digests[row["index_version"], bytes(row["bidx"])]: {name: row[name] for name in FIELDS} for row in rows}


__all__ = ["digests_of", "each_digest", "find_people"]

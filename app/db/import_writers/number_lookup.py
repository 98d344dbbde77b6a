"""Who of the caller's area an ID number is registered for, by blind index, a block of numbers at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.scoping import within
from app.db.tables.identity import IdentityKey
from app.db.tables.registry import Person
from app.domain.access import AreaScope
from app.security.fields import BlindIndex, Field

KEY = columns(IdentityKey)
PERSON = columns(Person)
FIELDS = ("id", "person_uid", "area_code", "name_key", "version")


def digests_of(blind_index: BlindIndex, numbers: Iterable[str]) -> dict[tuple[int, bytes], str]:
    """(index version, digest) → number, for every live version."""
    return {
        (version, digest): number
        for number in set(numbers)
        for version, digest in blind_index.digest(Field.ID_NUMBER, number).items()
    }


def indexed(digests: Iterable[tuple[int, bytes]], version: Any, digest: Any) -> sa.ColumnElement[bool]:
    """Rows of a table of digests that are among these; both columns as arrays, so that thousands are one statement."""
    pairs = list(digests)
    wanted = (
        sa.func.unnest(
            sa.cast([one for one, _ in pairs], ARRAY(sa.Integer)), sa.cast([two for _, two in pairs], ARRAY(sa.LargeBinary))
        )
        .table_valued("version", "digest")
        .render_derived()
    )
    return sa.tuple_(version, digest).in_(sa.select(wanted.c.version, wanted.c.digest))


async def find_people(
    scope: AreaScope, session: AsyncSession, blind_index: BlindIndex, numbers: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Number → id, person_uid, area_code, name_key, version of the person registered in the scope; others are left out."""
    digests = digests_of(blind_index, numbers)
    statement = (
        sa.select(KEY.index_version, KEY.bidx, *(PERSON[name] for name in FIELDS))
        .join_from(IdentityKey, Person, PERSON.person_uid == KEY.person_uid)
        .where(within(scope, PERSON), indexed(digests, KEY.index_version, KEY.bidx))
    )
    rows = (await session.execute(statement)).mappings()
    return {digests[row["index_version"], bytes(row["bidx"])]: {name: row[name] for name in FIELDS} for row in rows}


__all__ = ["digests_of", "find_people", "indexed"]

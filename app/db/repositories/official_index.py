"""The blind index of officials and their relatives by key version: counting it, and bringing it to the current version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.locks import lock_subjects
from app.db.tables.stations import OfficialNumber
from app.domain.access import AreaScope
from app.ids import new_id
from app.security.fields import BlindIndex, Field, FieldCipher

# Every number on file: an official's own, and those of the relatives he has declared.
NUMBERS = """
    SELECT id, area_code, id_number_sealed, id AS official_id, CAST(NULL AS uuid) AS relative_id FROM official
     WHERE district = :district AND area_code >= :area AND area_code < :area || '~'
    UNION ALL
    SELECT id, area_code, id_number_sealed, official_id, id FROM official_relative
     WHERE district = :district AND area_code >= :area AND area_code < :area || '~'
"""
UNINDEXED = f"""
    FROM ({NUMBERS}) p WHERE NOT EXISTS
     (SELECT FROM official_number k WHERE k.district = :district AND k.official_id = p.official_id
         AND k.relative_id IS NOT DISTINCT FROM p.relative_id AND k.index_version = :version)
"""


async def count_unindexed_officials(scope: AreaScope, session: AsyncSession, version: int) -> int:
    """Officials and relatives whom only an older version finds."""
    values = {"district": scope.district, "area": scope.prefix, "version": version}
    return int((await session.execute(text(f"SELECT count(*) {UNINDEXED}"), values)).scalar_one())


async def index_officials(
    scope: AreaScope, session: AsyncSession, cipher: FieldCipher, blind_index: BlindIndex, *, after: UUID, limit: int
) -> tuple[int, UUID | None]:
    """The next ones by id whom the current index key doesn't find yet; how many, and the last id (None: the pass is over).

    Takes the lock of each number, and looks again behind it: somebody may have written the row meanwhile.
    """
    values: dict[str, Any] = {"district": scope.district, "area": scope.prefix, "version": blind_index.versions[0]}
    statement = text(f"SELECT p.* {UNINDEXED} AND p.id > :after ORDER BY p.id LIMIT :limit")
    rows = (await session.execute(statement, values | {"after": after, "limit": limit})).all()
    digests = {row.id: _digest(cipher, blind_index, row) for row in rows}
    await lock_subjects(session, digests.values())
    left = set((await session.execute(statement, values | {"after": after, "limit": limit})).scalars())
    entries = [
        {
            "district": scope.district,
            "id": new_id(),
            "area_code": row.area_code,
            "official_id": row.official_id,
            "relative_id": row.relative_id,
            "index_version": values["version"],
            "bidx": digests[row.id],
        }
        for row in rows
        if row.id in left
    ]
    if entries:
        await session.execute(insert(OfficialNumber), entries)
    return len(rows), rows[-1].id if rows else None


def _digest(cipher: FieldCipher, blind_index: BlindIndex, row: Any) -> bytes:
    number = cipher.open(Field.ID_NUMBER, row.id, row.id_number_sealed)
    return blind_index.current(Field.ID_NUMBER, number)[1]

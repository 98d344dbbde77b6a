"""What belongs to no area, by key version: stored answers, and the blind index that finds people across districts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.accounts import StoredAnswer
from app.security.fields import Field, FieldCipher

ANSWERS = "stored_answer.body"
ANSWER_VERSION = "get_byte(body, 0) * 256 + get_byte(body, 1)"


async def count_answers(session: AsyncSession) -> Counter[int]:
    """Key version → stored answers; they belong to callers, not to areas."""
    return await _counted(session, f"SELECT {ANSWER_VERSION}, count(*) FROM stored_answer GROUP BY 1")


async def count_index(session: AsyncSession) -> Counter[int]:
    """Index key version → rows."""
    return await _counted(session, "SELECT index_version, count(*) FROM identity_key GROUP BY 1")


async def _counted(session: AsyncSession, statement: str) -> Counter[int]:
    return Counter({int(version): int(count) for version, count in await session.execute(text(statement))})


async def count_unindexed(session: AsyncSession, version: int) -> int:
    """Identities that only an older version finds."""
    statement = (
        "SELECT count(DISTINCT person_uid) FROM identity_key k WHERE NOT EXISTS"
        " (SELECT FROM identity_key n WHERE n.person_uid = k.person_uid AND n.index_version = :version)"
    )
    return int((await session.execute(text(statement), {"version": version})).scalar_one())


async def reseal_answers(session: AsyncSession, cipher: FieldCipher, *, current: int, limit: int) -> int:
    """Stored answers: the application may add and clear them, not change them, so each is put back under the new key."""
    statement = text(
        f"SELECT * FROM stored_answer WHERE {ANSWER_VERSION} <> :current ORDER BY caller, route, key_digest LIMIT :limit"
    )
    rows = (await session.execute(statement, {"current": current, "limit": limit})).mappings().all()
    for row in rows:
        await _put_back(session, cipher, row)
    return len(rows)


async def _put_back(session: AsyncSession, cipher: FieldCipher, row: Any) -> None:
    names = ("caller", "route", "key_digest", "body")
    where = " AND ".join(f"{name} = :{name}" for name in names)
    gone = await session.execute(
        text(f"DELETE FROM stored_answer WHERE {where} RETURNING 1"), {name: row[name] for name in names}
    )
    if gone.first() is not None:
        fresh = cipher.seal_bytes(
            Field.STORED_ANSWER, row["caller"], cipher.open_bytes(Field.STORED_ANSWER, row["caller"], row["body"])
        )
        await session.execute(insert(StoredAnswer).values({**row, "body": fresh}))

"""Marks: what an import wrote last about each subject, and what stood there before.

Shared by all writers. A subject is named by the keyed digest of its natural key (``subject_key``); its ``fingerprint`` is a keyed
digest of the row as normalised. Everything here is set-wise and keyed by ``run.kind.code`` unless told otherwise:

- ``subject_key(run, *key)``, ``fingerprint(run, values)``: 16 bytes each;
- ``find_marks(scope, session, kind, keys)`` → subject key → ``Mark``;
- ``put_marks(scope, session, kind, marks)``: inserts or moves them;
- ``keep_before(scope, session, run, befores)``: sealed before-images, each with the mark that stood before;
- ``later_imports(scope, session, import_id)``: how many subjects of an import a later one has written again;
- ``marks_of``, ``befores_of``: what an import left; ``take_back``: puts the former marks back and forgets the import's;
- ``forget_befores``: those of imports that ended long ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.import_writers import RunContext
from app.db.import_writers.row_digests import DIGEST_BYTES
from app.db.keyed import rows_by
from app.db.scoping import within
from app.db.tables.imports import ImportBefore, ImportMark, ImportRun
from app.domain.access import AreaScope
from app.ids import new_id
from app.security.fields import Field

MARK = columns(ImportMark)
BEFORE = columns(ImportBefore)
MOVED = ("area_code", "subject_id", "fingerprint", "import_id", "created", "said")


@dataclass(frozen=True, slots=True)
class Mark:
    """What an import wrote last about a subject. ``created``: the import made it. ``said``: digest of the fields that its row
    gave, where ``fingerprint`` is of more than these.
    """

    subject_key: bytes
    subject_id: UUID
    area_code: str
    fingerprint: bytes
    import_id: UUID
    created: bool
    said: bytes | None = None

    def packed(self) -> dict[str, Any]:
        """For keeping beside a before-image."""
        return {
            "subject_id": str(self.subject_id),
            "area_code": self.area_code,
            "fingerprint": self.fingerprint.hex(),
            "import_id": str(self.import_id),
            "created": self.created,
            "said": None if self.said is None else self.said.hex(),
        }

    @classmethod
    def unpacked(cls, subject_key: bytes, stored: Mapping[str, Any]) -> Mark:
        return cls(
            subject_key,
            UUID(stored["subject_id"]),
            stored["area_code"],
            bytes.fromhex(stored["fingerprint"]),
            UUID(stored["import_id"]),
            stored["created"],
            None if stored.get("said") is None else bytes.fromhex(stored["said"]),
        )


@dataclass(frozen=True, slots=True)
class Before:
    """A subject as it stood; ``image`` is whatever its writer needs for putting it back (sealed at rest)."""

    subject_key: bytes
    subject_id: UUID
    area_code: str
    image: Any
    mark: Mark | None


def subject_key(run: RunContext, *key: object) -> bytes:
    """The keyed digest of a natural key."""
    return run.keys.fingerprint("import_subject", orjson.dumps([run.kind.code, *map(_plain, key)]))[:DIGEST_BYTES]


def fingerprint(run: RunContext, values: Mapping[str, object]) -> bytes:
    """The keyed digest of a normalised row; the order of its values doesn't matter."""
    message = orjson.dumps({name: _plain(value) for name, value in values.items()}, option=orjson.OPT_SORT_KEYS)
    return run.keys.fingerprint("import_row", message)[:DIGEST_BYTES]


def _plain(value: object) -> object:
    if isinstance(value, tuple | list | frozenset | set):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | bool | type(None)) else value.hex() if isinstance(value, bytes) else str(value)


async def find_marks(scope: AreaScope, session: AsyncSession, kind: str, keys: Iterable[bytes]) -> dict[bytes, Mark]:
    """The marks of these subjects that are in the scope."""
    there, found = rows_by(ImportMark, {"subject_key": list(keys)}, within(scope, MARK), MARK.kind == kind)
    statement = select(found.c.subject_key, *(found.c[name] for name in _FIELDS)).select_from(there)
    return {row.subject_key: Mark(*row) for row in await session.execute(statement)}


async def _marks(session: AsyncSession, statement: Any) -> list[Mark]:
    rows = (await session.execute(statement.with_only_columns(MARK.subject_key, *(MARK[name] for name in _FIELDS)))).all()
    return [Mark(*row) for row in rows]


_FIELDS = ("subject_id", "area_code", "fingerprint", "import_id", "created", "said")


async def put_marks(scope: AreaScope, session: AsyncSession, kind: str, marks: Sequence[Mark]) -> None:
    """Inserts the marks, or moves those that are there."""
    if not marks:
        return
    statement = upsert(ImportMark)
    statement = statement.on_conflict_do_update(
        index_elements=["district", "kind", "subject_key"], set_={name: statement.excluded[name] for name in MOVED}
    )
    rows = [{"district": scope.district, "kind": kind, "subject_key": mark.subject_key} | _moved(mark) for mark in marks]
    await session.execute(statement, rows)


def _moved(mark: Mark) -> dict[str, Any]:
    return {name: getattr(mark, name) for name in MOVED}


async def keep_before(scope: AreaScope, session: AsyncSession, run: RunContext, befores: Sequence[Before]) -> None:
    """Keeps the subjects as they stood, sealed under the id of their row."""
    rows = []
    for before in befores:
        before_id = new_id()
        rows.append(
            {
                "district": scope.district,
                "id": before_id,
                "area_code": before.area_code,
                "import_id": run.import_id,
                "kind": run.kind.code,
                "subject_key": before.subject_key,
                "subject_id": before.subject_id,
                "before_sealed": run.cipher.seal_bytes(Field.JOB_PAYLOAD, before_id, orjson.dumps(before.image)),
                "mark_before": None if before.mark is None else before.mark.packed(),
            }
        )
    if rows:
        await session.execute(insert(ImportBefore), rows)


async def later_imports(scope: AreaScope, session: AsyncSession, import_id: UUID) -> int:
    """How many subjects that this import wrote have been written by a later one since."""
    written = BEFORE.mark_before["import_id"].astext == str(import_id)
    statement = select(func.count(BEFORE.subject_id.distinct())).where(within(scope, BEFORE), written)
    return (await session.execute(statement)).scalar_one()


async def marks_of(scope: AreaScope, session: AsyncSession, import_id: UUID) -> list[Mark]:
    """The subjects whose last writer is this import."""
    return await _marks(session, select(ImportMark).where(within(scope, MARK), MARK.import_id == import_id))


async def befores_of(scope: AreaScope, session: AsyncSession, run: RunContext, import_id: UUID) -> list[Before]:
    """What the import changed of its own kind, as it stood before, in the order in which it was kept."""
    own = (BEFORE.import_id == import_id, BEFORE.kind == run.kind.code)
    statement = select(ImportBefore).where(within(scope, BEFORE), *own).order_by(BEFORE.id)
    rows = (await session.execute(statement)).scalars().all()
    return [
        Before(
            row.subject_key,
            row.subject_id,
            row.area_code,
            orjson.loads(run.cipher.open_bytes(Field.JOB_PAYLOAD, row.id, row.before_sealed)),
            None if row.mark_before is None else Mark.unpacked(row.subject_key, row.mark_before),
        )
        for row in rows
    ]


async def forget_befores(scope: AreaScope, session: AsyncSession, *, ended_before: datetime, limit: int) -> int:
    """Of imports that ended before the moment and aren't being undone; how many, at most ``limit``."""
    run = columns(ImportRun)
    old = (run.district == scope.district, run.finished_at < ended_before, run.phase == "finished")
    same = and_(BEFORE.district == run.district, BEFORE.import_id == run.id)
    some = select(BEFORE.id).join_from(ImportRun, ImportBefore, same).where(*old).limit(limit)
    gone = await session.execute(delete(ImportBefore).where(within(scope, BEFORE), BEFORE.id.in_(some)).returning(BEFORE.id))
    return len(gone.all())


async def take_back(scope: AreaScope, session: AsyncSession, kind: str, import_id: UUID, befores: Sequence[Before]) -> None:
    """The marks as they were before the import; its before-images are used up."""
    await session.execute(delete(ImportMark).where(within(scope, MARK), MARK.import_id == import_id))
    await put_marks(scope, session, kind, [before.mark for before in befores if before.mark is not None])
    await session.execute(delete(ImportBefore).where(within(scope, BEFORE), BEFORE.import_id == import_id))


__all__ = [
    "Before",
    "Mark",
    "befores_of",
    "find_marks",
    "fingerprint",
    "keep_before",
    "later_imports",
    "marks_of",
    "put_marks",
    "subject_key",
    "take_back",
]

"""The parts of an import: rows on their way as sent, and those rejected with their faults. Both sealed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.tables.imports import ImportPart
from app.domain.access import AreaScope
from app.domain.imports.model import Cell, RowFault, Verdicts
from app.domain.imports.reading import RawRow
from app.security.fields import Field, FieldCipher

PART = columns(ImportPart)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row as sent that isn't imported, with everything that is wrong with it."""

    number: int
    cells: Sequence[Cell]
    faults: Sequence[RowFault]


@dataclass(frozen=True, slots=True)
class StagedPart:
    """Some thousand rows. ``rows_sealed`` is None once the import has ended; ``digests`` (`RowDigests.pack`) for kinds whose rows
    are known by them.
    """

    number: int
    first_row: int
    rows: int
    rejected: int
    rows_sealed: bytes | None
    rejected_sealed: bytes | None
    done: bool = False
    digests: bytes | None = None


class PartSeals:
    """Seals rows for their place: the import and the part's number."""

    def __init__(self, cipher: FieldCipher, import_id: UUID) -> None:
        self._cipher = cipher
        self._import_id = import_id

    def seal_rows(self, number: int, rows: Sequence[RawRow]) -> bytes:
        return self._seal(Field.JOB_PAYLOAD, number, rows)

    def open_rows(self, part: StagedPart) -> list[RawRow]:
        """The rows as sent, in the order of the file; none when they have been dropped. Dates and decimals come back as text."""
        if part.rows_sealed is None:
            return []
        rows: list[RawRow] = self._open(Field.JOB_PAYLOAD, part.number, part.rows_sealed)
        return rows

    def seal_rejected(self, number: int, rejected: Sequence[RejectedRow]) -> bytes | None:
        if not rejected:
            return None
        rows = [
            {"row": one.number, "cells": one.cells, "faults": [[fault.column, fault.code, fault.message] for fault in one.faults]}
            for one in rejected
        ]
        return self._seal(Field.REJECTED_ROW, number, rows)

    def open_rejected(self, part: StagedPart) -> list[RejectedRow]:
        """By row number."""
        if part.rejected_sealed is None:
            return []
        rows = self._open(Field.REJECTED_ROW, part.number, part.rejected_sealed)
        return [RejectedRow(one["row"], one["cells"], [RowFault(*fault) for fault in one["faults"]]) for one in rows]

    def _seal(self, field: Field, number: int, content: Any) -> bytes:
        packed = zlib.compress(orjson.dumps(content, default=str), level=1)
        return self._cipher.seal_bytes(field, self._import_id, packed, part=number)

    def _open(self, field: Field, number: int, sealed: bytes) -> Any:
        return orjson.loads(zlib.decompress(self._cipher.open_bytes(field, self._import_id, sealed, part=number)))


def rejections(rows: Sequence[RawRow], verdicts: Verdicts, already: Sequence[RejectedRow] = ()) -> list[RejectedRow]:
    """The rejected rows of a part by number: those known already, with what has been found since."""
    faults: dict[int, list[RowFault]] = {one.number: list(one.faults) for one in already}
    cells = {one.number: one.cells for one in already}
    for number, row in rows:
        if number in verdicts:
            faults.setdefault(number, []).extend(verdicts[number])
            cells[number] = row
    return [RejectedRow(number, cells[number], faults[number]) for number in sorted(faults)]


class ImportPartRepository:
    """The parts of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, scope: AreaScope, import_id: UUID, part: StagedPart) -> None:
        values = {
            "district": scope.district,
            "import_id": import_id,
            "number": part.number,
            "area_code": scope.prefix,
            "first_row": part.first_row,
            "rows": part.rows,
            "rows_sealed": part.rows_sealed,
            "digests": part.digests,
            "rejected": part.rejected,
            "rejected_sealed": part.rejected_sealed,
        }
        await self._session.execute(sa.insert(ImportPart).values(**values))

    async def get(self, scope: AreaScope, import_id: UUID, number: int) -> StagedPart:
        """Raises NoResultFound: parts are named by jobs, never by callers."""
        chosen = (PART.number, PART.first_row, PART.rows, PART.rejected, PART.rows_sealed, PART.rejected_sealed, PART.digests)
        statement = sa.select(*chosen, PART.done).where(*_of(scope, import_id), PART.number == number)
        return StagedPart(**(await self._session.execute(statement)).mappings().one())

    async def set(self, scope: AreaScope, import_id: UUID, number: int, **values: Any) -> None:
        changed = sa.update(ImportPart).where(*_of(scope, import_id), PART.number == number)
        await self._session.execute(changed.values(**values))

    async def list_first_rows(self, scope: AreaScope, import_id: UUID) -> Sequence[tuple[int, int]]:
        """Number and first row of every part, in order."""
        statement = sa.select(PART.number, PART.first_row).where(*_of(scope, import_id)).order_by(PART.number)
        return [(row.number, row.first_row) for row in await self._session.execute(statement)]

    async def list_to_apply(self, scope: AreaScope, import_id: UUID) -> Sequence[int]:
        """Numbers of the parts that have rows left."""
        statement = sa.select(PART.number).where(*_of(scope, import_id), PART.rows > PART.rejected, PART.done.is_(False))
        return (await self._session.execute(statement.order_by(PART.number))).scalars().all()

    async def list_with_rejected(self, scope: AreaScope, import_id: UUID, *, from_number: int = 0) -> Sequence[int]:
        """Numbers of the parts whose rejected rows are still kept."""
        kept = (PART.rejected_sealed.is_not(None), PART.number >= from_number)
        statement = sa.select(PART.number).where(*_of(scope, import_id), *kept)
        return (await self._session.execute(statement.order_by(PART.number))).scalars().all()

    async def find_digests(self, scope: AreaScope, import_id: UUID, number: int) -> bytes | None:
        """Those of one part, as long as they are kept."""
        statement = sa.select(PART.digests).where(*_of(scope, import_id), PART.number == number)
        found: bytes | None = (await self._session.execute(statement)).scalar_one()
        return found

    async def add_unchanged(self, scope: AreaScope, former_id: UUID, import_id: UUID) -> None:
        """The parts of another import, none of whose rows says anything new."""
        copied = (PART.district, PART.number, PART.area_code, PART.first_row, PART.rows, PART.digests)
        unchanged = {"import_id": sa.literal(import_id), "unchanged": PART.rows, "done": sa.true()}
        zero = dict.fromkeys(("rejected", "created", "updated"), sa.literal(0))
        names = [column.key for column in copied]
        source = sa.select(*copied, *unchanged.values(), *zero.values()).where(*_of(scope, former_id))
        await self._session.execute(sa.insert(ImportPart).from_select([*names, *unchanged, *zero], source))

    async def drop_contents(self, scope: AreaScope, import_id: UUID) -> None:
        """Forgets the rejected rows, how many there were stays, and the digests of the others."""
        changed = sa.update(ImportPart).where(*_of(scope, import_id))
        await self._session.execute(changed.values(rejected_sealed=None, digests=None))


def _of(scope: AreaScope, import_id: UUID) -> list[sa.ColumnElement[bool]]:
    return [PART.district == scope.district, within(PART.area_code, scope), PART.import_id == import_id]

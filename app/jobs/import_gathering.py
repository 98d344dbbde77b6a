"""Rows that belong together (the members of a household) and stand far apart in the file come into parts of their own.

A part is written in one transaction, so a household in one part stands or falls as a whole, whatever the registry finds. Files
sorted by name have the members of one household anywhere. Gathered parts begin behind the last row of the file, which is how they
are told from the others; what the registry refuses of them goes back to where it stood, for errors keep the order of the file.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import orjson

import app.jobs.import_reading as reading
from app.db.import_writers.row_digests import RowDigests
from app.db.repositories.import_parts import ImportPartRepository, PartSeals, StagedPart, rejections
from app.domain.access import AreaScope
from app.domain.imports.model import Verdicts
from app.domain.imports.reading import RawRow
from app.domain.imports.scattered_setwise import Scattered

MOST_ROWS_HELD = 200_000  # some eighty megabytes; every part that has rows of them is opened once for so many


@dataclass(slots=True)
class _Taken:
    """Rows on their way from one part to another, and their digests: row number → packed."""

    rows: dict[int, bytes] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)


class Gathering:
    """Moves the staged rows of one import: together once reading has marked what is wrong, and back when they are refused."""

    def __init__(self, scope: AreaScope, parts: ImportPartRepository, import_id: UUID, seals: PartSeals) -> None:
        self._scope = scope
        self._parts = parts
        self._import_id = import_id
        self._seals = seals

    async def gather(self, scattered: Scattered, *, behind: int) -> None:
        """``behind``: a row number beyond the last one of the file."""
        first_rows = await self._parts.list_first_rows(self._scope, self._import_id)
        number = len(first_rows)
        for groups in _batches(list(scattered.groups()), MOST_ROWS_HELD):
            taken = await self._take(first_rows, np.sort(np.concatenate(groups)))
            for wanted in _batches(groups, reading.PART_ROWS, self._first(first_rows, number)):
                part = await asyncio.to_thread(self._part_of, number, behind, np.concatenate(wanted).tolist(), taken)
                await self._parts.add(self._scope, self._import_id, part)
                number += 1

    @staticmethod
    def _first(first_rows: Sequence[tuple[int, int]], number: int) -> int:
        """How many rows the next part has at most: the first of all is small, as that of the file."""
        return min(reading.FIRST_PART_ROWS, reading.PART_ROWS) if number == len(first_rows) else reading.PART_ROWS

    async def _take(self, first_rows: Sequence[tuple[int, int]], wanted: Any) -> _Taken:
        """Rows, none of them rejected, out of their parts."""
        taken = _Taken()
        bounds = np.searchsorted(wanted, [first for _, first in first_rows] + [np.iinfo(np.int64).max])
        for (number, _), begin, end in zip(first_rows, bounds[:-1], bounds[1:], strict=True):
            if begin == end:
                continue
            part = await self._parts.get(self._scope, self._import_id, number)
            changed = await asyncio.to_thread(self._take_from, part, set(wanted[begin:end].tolist()), taken)
            await self._parts.set(self._scope, self._import_id, number, **changed)
        return taken

    def _take_from(self, part: StagedPart, wanted: set[int], taken: _Taken) -> dict[str, Any]:
        """The columns of the part without the rows."""
        rows = self._seals.open_rows(part)
        taken.rows |= {row[0]: orjson.dumps(row) for row in rows if row[0] in wanted}
        left = [row for row in rows if row[0] not in wanted]
        changed: dict[str, Any] = {"rows": part.rows - len(wanted), "rows_sealed": self._seals.seal_rows(part.number, left)}
        if part.digests is not None:
            digests = RowDigests.unpack(part.digests)
            taken.digests |= digests.by_number(wanted)
            changed["digests"] = digests.without(wanted).pack()
        return changed

    def _part_of(self, number: int, first_row: int, numbers: Sequence[int], taken: _Taken) -> StagedPart:
        rows = [orjson.loads(taken.rows.pop(row)) for row in numbers]
        digests = [taken.digests.pop(row) for row in numbers] if taken.digests else None
        return StagedPart(
            number=number,
            first_row=first_row,
            rows=len(rows),
            rejected=0,
            rows_sealed=self._seals.seal_rows(number, rows),
            rejected_sealed=None,
            digests=None if digests is None else RowDigests(numbers, b"".join(digests)).pack(),
        )

    async def reject(self, part: StagedPart, rows: Sequence[RawRow], refused: Verdicts) -> dict[str, Any]:
        """What was refused while writing joins the rejected rows where it stood in the file; the part's columns that change."""
        if not refused:
            return {}
        if rows[0][0] >= part.first_row:
            rejected = rejections(rows, refused, self._seals.open_rejected(part))
            return {"rejected": len(rejected), "rejected_sealed": self._seals.seal_rejected(part.number, rejected)}
        await self._give_back([row for row in rows if row[0] in refused], refused)
        return {"rows": part.rows - len(refused)}

    async def _give_back(self, rows: Sequence[RawRow], refused: Verdicts) -> None:
        """Rejected rows of a gathered part, to the parts of the file."""
        first_rows = await self._parts.list_first_rows(self._scope, self._import_id)
        begins = [first for _, first in first_rows]
        homes: Mapping[int, list[RawRow]] = defaultdict(list)
        for row in rows:
            homes[first_rows[bisect_right(begins, row[0]) - 1][0]].append(row)
        for number, back in sorted(homes.items()):
            home = await self._parts.get(self._scope, self._import_id, number)
            rejected = rejections(back, refused, self._seals.open_rejected(home))
            sealed = await asyncio.to_thread(self._seals.seal_rejected, number, rejected)
            changed = {"rows": home.rows + len(back), "rejected": len(rejected), "rejected_sealed": sealed}
            await self._parts.set(self._scope, self._import_id, number, **changed)


def _batches(groups: Sequence[Any], most: int, first: int | None = None) -> Iterator[list[Any]]:
    """Groups one after the other, as many as have at most so many rows (the first batch: ``first``); one that has more comes
    alone.
    """
    batch: list[Any] = []
    rows, limit = 0, first or most
    for group in groups:
        if batch and rows + len(group) > limit:
            yield batch
            batch, rows, limit = [], 0, most
        batch.append(group)
        rows += len(group)
    if batch:
        yield batch

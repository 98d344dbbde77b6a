"""What a row is about and what it says, as keyed digests made while the file is read: rows that say what they said last time are
known by them, set-wise in the database, without being opened again.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext
from app.domain.access import AreaScope
from app.domain.imports.model import Applied, Block

DIGEST_BYTES: Final = 16
ROW_BYTES: Final = 2 * DIGEST_BYTES
_COUNT: Final = struct.Struct(">I")

#: Arguments: district, kind, digests one behind the other, how many. One look-up for each row; those that say what the last
#: import of them said don't come back.
_NEWS: Final = f"""
    SELECT row.place, mark.subject_id, mark.area_code, mark.fingerprint, mark.import_id, mark.created, mark.subject_version
    FROM generate_series(0, $4::int - 1) AS row(place)
    LEFT JOIN LATERAL (
        SELECT * FROM import_mark
        WHERE district = $1 AND kind = $2 AND subject_key = substr($3::bytea, row.place * {ROW_BYTES} + 1, {DIGEST_BYTES})
        OFFSET 0
    ) AS mark ON true
    WHERE mark.fingerprint IS DISTINCT FROM substr($3::bytea, row.place * {ROW_BYTES} + 1 + {DIGEST_BYTES}, {DIGEST_BYTES})
"""


@dataclass(frozen=True, slots=True)
class RowDigests:
    """Of some rows, by their numbers in the file: whom each is about (``subject``), then what it says (``fingerprint``), 16 bytes
    each, one row behind the other.
    """

    numbers: Sequence[int]
    digests: bytes

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of(cls, numbers: Sequence[int], subjects: Sequence[bytes], fingerprints: Sequence[bytes]) -> RowDigests:
        """Of digests of 16 bytes or more, which are cut."""
        pairs = zip(subjects, fingerprints, strict=True)
        joined = b"".join([subject[:DIGEST_BYTES] + print_[:DIGEST_BYTES] for subject, print_ in pairs])
        return cls(numbers, joined)

    @property
    def subjects(self) -> list[bytes]:
        return [self.digests[start : start + DIGEST_BYTES] for start in range(0, len(self.digests), ROW_BYTES)]

    @property
    def fingerprints(self) -> list[bytes]:
        return [self.digests[start : start + DIGEST_BYTES] for start in range(DIGEST_BYTES, len(self.digests), ROW_BYTES)]

    def without(self, dropped: Collection[int]) -> RowDigests:
        """Without the rows of these numbers."""
        gone = set(dropped)
        if not gone:
            return self
        kept = [place for place, number in enumerate(self.numbers) if number not in gone]
        digests = self.digests
        return RowDigests(
            [self.numbers[place] for place in kept],
            b"".join([digests[place * ROW_BYTES : (place + 1) * ROW_BYTES] for place in kept]),
        )

    def by_number(self, wanted: Collection[int]) -> dict[int, bytes]:
        """Row number → its ``ROW_BYTES``, of the rows of these numbers."""
        rows = enumerate(self.numbers)
        return {number: self.digests[place * ROW_BYTES : (place + 1) * ROW_BYTES] for place, number in rows if number in wanted}

    def pack(self) -> bytes:
        """As bytes; the way back is ``unpack``."""
        return _COUNT.pack(len(self)) + array("I", self.numbers).tobytes() + self.digests

    @classmethod
    def unpack(cls, packed: bytes) -> RowDigests:
        (count,) = _COUNT.unpack_from(packed)
        numbers, end = array("I"), _COUNT.size + count * array("I").itemsize
        numbers.frombytes(packed[_COUNT.size : end])
        return cls(numbers.tolist(), packed[end:])

    async def news(self, scope: AreaScope, driver: Any, kind: str) -> list[Any]:
        """The rows that say something else than last time, or were never seen: their ``place`` here and the mark of what was
        written last (``subject_id`` is None where there is none within the scope).
        """
        found: list[Any] = await driver.fetch(_NEWS, scope.district, kind, self.digests, len(self))
        return found

    async def say_nothing_new(self, scope: AreaScope, driver: Any, kind: str) -> bool:
        """Whether all rows say what they said last time; looks no further than the first that doesn't."""
        return await driver.fetchrow(f"{_NEWS} LIMIT 1", scope.district, kind, self.digests, len(self)) is None


@runtime_checkable
class KnowsRows(Protocol):
    """A writer whose rows are known by digests.

    Several may write at once: each settles whose rows these are before all else, in one order, so that the second waits for the
    first, and then finds what that has written; ``Unavailable`` when it can't go on from there.
    """

    def digests_of(self, block: Block, run: RunContext) -> RowDigests:
        """For every row of a block, on reading."""
        ...

    async def says_nothing_new(self, scope: AreaScope, session: AsyncSession, digests: RowDigests) -> bool:
        """Whether nothing need be written of these rows."""
        ...

    async def write(
        self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext, digests: RowDigests | None = None
    ) -> Applied:
        """As every writer; ``digests`` of the block's rows, where they are known."""
        ...

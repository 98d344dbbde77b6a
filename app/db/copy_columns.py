"""COPY … BINARY with columns of fixed width, decoded and encoded as a whole: a million rows without a Python object for each.

Every row then has the same length, so that the stream is an array of records: a count, and before each value its length.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
# Postgres type → how one value lies in the stream.
WIDTHS = {"bool": "?", "int2": ">i2", "int4": ">i4", "int8": ">i8", "date": ">i4", "uuid": "V16", "text": "S"}
EPOCH_ORDINAL = 730_120  # 2000-01-01, day 0 of Postgres dates


class FixedRows:
    """The layout of a COPY stream: names with Postgres types; ``text(12)`` is text that always has 12 bytes."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        formats = [_format(kind) for kind in columns.values()]
        offsets, place = [], 2
        for form in formats:
            offsets.append(place + 4)
            place += 4 + np.dtype(form).itemsize
        self.names = tuple(columns)
        self._widths = [np.dtype(form).itemsize for form in formats]
        lengths = [offset - 4 for offset in offsets]
        self.dtype = np.dtype(
            {
                "names": ["_count", *self.names, *(f"_length_{name}" for name in self.names)],
                "formats": [">i2", *formats, *[">i4"] * len(formats)],
                "offsets": [0, *offsets, *lengths],
                "itemsize": place,
            }
        )

    def decode(self, stream: bytes) -> NDArray[Any]:
        """The rows of a whole stream, as views into it.

        Raises:
            ValueError: a row is laid out otherwise (a NULL, or text of another length).

        """
        body = len(stream) - len(HEADER) - len(TRAILER)
        if not stream.startswith(HEADER) or body % self.dtype.itemsize:
            raise ValueError("not a stream of rows of this layout")
        rows = np.frombuffer(stream, self.dtype, body // self.dtype.itemsize, len(HEADER))
        if not (rows["_count"] == len(self.names)).all():
            raise ValueError("a row of another layout")
        return rows

    def encode(self, columns: Mapping[str, Column]) -> io.BytesIO:
        """A stream of rows made of columns of one length."""
        rows = np.zeros(len(next(iter(columns.values()))), self.dtype)
        rows["_count"] = len(self.names)
        for name, width in zip(self.names, self._widths, strict=True):
            rows[f"_length_{name}"] = width
            rows[name] = columns[name]
        return io.BytesIO(HEADER + rows.tobytes() + TRAILER)


def _format(kind: str) -> str:
    name, _, width = kind.partition("(")
    return WIDTHS[name] + width.rstrip(")")


async def copy_out(driver: Any, query: str, arguments: Sequence[object], layout: FixedRows) -> NDArray[Any]:
    """The rows of a query. ``driver`` is the asyncpg connection of a running transaction."""
    parts: list[bytes] = []

    async def keep(data: bytes) -> None:
        parts.append(data)

    await driver.copy_from_query(query, *arguments, output=keep, format="binary")
    return layout.decode(b"".join(parts))


async def copy_in(driver: Any, table: str, columns: Mapping[str, Column], layout: FixedRows) -> None:
    """Columns into a table without row-level security (COPY refuses the others)."""
    await driver.copy_to_table(table, source=layout.encode(columns), columns=list(layout.names), format="binary")

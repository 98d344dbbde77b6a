"""Readers of what goes out: one per kind, the counterpart of its writer.

A reader hands over the rows of an area chunk by chunk, as fields of the kind's columns in plain; sealed values are opened for one
chunk at a time. Whoever reads masks what isn't to be seen. What a reader gives, its writer takes back without a change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.access import AreaScope
from app.domain.imports.model import Kind
from app.security.fields import FieldCipher

CHUNK_ROWS = 1_000
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read: the rows of ``area_code`` and below; facts over time as they stand on ``as_of``."""

    area_code: str
    as_of: date
    cipher: FieldCipher


class Reader(Protocol):
    """Rows of one kind in a fixed order, by keyset: what is written meanwhile never makes a row come twice."""

    def read(self, scope: AreaScope, session: AsyncSession, reading: Reading) -> AsyncIterator[list[Fields]]: ...


_READERS: dict[str, Reader] = {}


def register_reader(code: str, reader: Reader) -> None:
    """Called once per kind, by the module of its reader."""
    _READERS[code] = reader


def reader_of(kind: Kind) -> Reader:
    """Raises LookupError for a kind that nobody reads: a fault of the build, which a test looks for."""
    return _READERS[kind.code]

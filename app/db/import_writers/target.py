"""Where the rows of a kind go: a declaration that the generic writer and reader work by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from app.db.base import columns
from app.db.import_writers.plain_images import image_of, row_of
from app.db.import_writers.row_digests import DIGEST_BYTES
from app.db.scoping import Columns
from app.domain.access import AreaScope
from app.security.fields import Field, FieldCipher
from app.security.keys import KeyRing
from app.security.masking import mask

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value kept under seal of the row's id, and maybe masked beside it."""

    column: str
    kind: Field
    masked: str | None = None

    def mask(self, plain: str) -> str:
        return mask(self.kind, plain)


@dataclass(frozen=True, slots=True)
class Reference:
    """A row of another table that the file names by ``field``: how its id is found, and what to say when there is none."""

    field: str
    column: str
    resolve: Callable[[AreaScope, AsyncSession, Sequence[Any]], Awaitable[Mapping[Any, UUID]]]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Dependent:
    """Rows of another table that stand on rows of this one (``column`` holds their id)."""

    table: type[SQLModel]
    column: str

    @property
    def columns(self) -> Columns:
        return columns(self.table)


@dataclass(frozen=True, slots=True)
class Target:
    """A table and how a row of a kind fills it.

    ``key``: columns of the natural key (filled from ``values``, ``references``, ``constants`` or ``digests``).
    ``values``: field → column. ``digests``: column → field whose keyed digest it holds (a number that must be found again
    without being read). ``constants``: columns that say which kind it is. ``defaults``: field → what an empty cell of a
    new row means. ``current``: which rows of the table count at all (not the closed ones). ``dependents``: what stands in the
    way of taking a row away again.
    """

    table: type[SQLModel]
    key: tuple[str, ...]
    values: Mapping[str, str]
    sealed: Mapping[str, Sealed] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    current: Callable[[Columns], ColumnElement[bool]] | None = None
    dependents: tuple[Dependent, ...] = ()

    @property
    def columns(self) -> Columns:
        return columns(self.table)

    def conditions(self) -> list[ColumnElement[bool]]:
        """Which rows of the table are rows of this kind."""
        table = self.columns
        found = [table[name] == value for name, value in self.constants.items()]
        return found if self.current is None else [*found, self.current(table)]

    def view(self, row: Row, cipher: FieldCipher) -> dict[str, Any]:
        """The fields of a row of the table, sealed ones opened; without those that only refer to other tables."""
        fields = {name: row[column] for name, column in self.values.items()}
        for name, sealed in self.sealed.items():
            value = row[sealed.column]
            fields[name] = None if value is None else cipher.open(sealed.kind, row["id"], value)
        return fields

    def image(self, row: Row, cipher: FieldCipher) -> dict[str, Any]:
        """A row of the table as it is kept (``plain_images``)."""
        return image_of(row, self._kinds_of_sealed, row["id"], cipher)

    def row_of(self, image: Row, row_id: UUID, cipher: FieldCipher) -> dict[str, Any]:
        """The row that an image was made of."""
        return row_of(image, self._kinds_of_sealed, row_id, cipher)

    @property
    def _kinds_of_sealed(self) -> dict[str, Field]:
        return {one.column: one.kind for one in self.sealed.values()}

    def stamps(self, now: datetime, by: UUID) -> dict[str, Any]:
        """Who wrote a new row and when, in whichever columns the table has for it."""
        values = {"created_at": now, "recorded_at": now, "updated_at": now, "created_by": by, "recorded_by": by}
        return {name: value for name, value in values.items() if name in self.columns}

    def default_columns(self) -> dict[str, Any]:
        """What stands in a new row where the file says nothing."""
        empty = {column: self.defaults.get(name) for name, column in self.values.items()}
        return empty | {name: None for sealed in self.sealed.values() for name in (sealed.column, sealed.masked) if name}

    def touched(self, now: datetime) -> dict[str, Any]:
        """What a change of a row adds to it."""
        found: dict[str, Any] = {"updated_at": now} if "updated_at" in self.columns else {}
        return found | ({"version": self.columns.version + 1} if "version" in self.columns else {})


def number_digest(keys: KeyRing, column: str, number: str) -> bytes:
    """What a column of ``Target.digests`` holds: finds a number again without saying it. Its key is never rotated."""
    return keys.fingerprint(column, number.encode())[:DIGEST_BYTES]


__all__ = ["Dependent", "Reference", "Row", "Sealed", "Target", "number_digest"]

"""Column types, naming convention and table kinds shared by every table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import Field, SQLModel

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

metadata = SQLModel.metadata
metadata.naming_convention = NAMING


class AreaCode(sa.String):
    """An area code: byte order, so that a prefix is a range and an index serves it."""

    def __init__(self) -> None:
        super().__init__(12, collation="C")


class DistrictKey(sa.String):
    """The frozen tenant key of a district; the first column of every business key."""

    def __init__(self) -> None:
        super().__init__(12, collation="C")


class Instant(sa.DateTime):
    """A moment, stored in UTC."""

    def __init__(self) -> None:
        super().__init__(timezone=True)


class Json(postgresql.JSONB):
    """JSONB; SQL NULL for None."""

    def __init__(self) -> None:
        super().__init__(none_as_null=True)


class Texts(postgresql.ARRAY[str]):
    """An array of text."""

    def __init__(self) -> None:
        super().__init__(sa.Text())


class DistrictTable(SQLModel):
    """A business table: district first in every key, walled by row-level security on ``area_code``."""

    district: str = Field(primary_key=True, sa_type=DistrictKey)
    id: UUID = Field(primary_key=True)
    area_code: str = Field(sa_type=AreaCode)


def columns(table: type[SQLModel]) -> ReadOnlyColumnCollection[str, sa.Column[Any]]:
    """The columns of a table for use in statements; SQLModel types its attributes as plain values, which mypy can't compare."""
    return cast("sa.Table", table.__table__).c  # type: ignore[attr-defined]


def instant(**kwargs: Any) -> Any:
    """A required moment."""
    return Field(sa_type=Instant, **kwargs)


def instant_or_none() -> Any:
    return Field(default=None, sa_type=Instant)


def first_of_month(column: str) -> sa.CheckConstraint:
    """Months are stored as the date of their first day."""
    return sa.CheckConstraint(f"extract(day from {column}) = 1", name=f"{column}_is_first_day")


def within_district(column: str = "area_code") -> sa.CheckConstraint:
    """A row's area has 6, 9 or 12 digits."""
    return sa.CheckConstraint(f"{column} ~ '^[0-9]{{6}}([0-9]{{3}}){{0,2}}$'", name=f"{column}_is_a_code")


__all__ = [
    "UUID",
    "AreaCode",
    "DistrictKey",
    "DistrictTable",
    "Instant",
    "Json",
    "Texts",
    "columns",
    "date",
    "datetime",
    "metadata",
]

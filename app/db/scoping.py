"""The first wall around an area: conditions that every statement on area-bound rows carries. The second is row-level security."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.schema import Column

from app.domain.access import AreaScope

Columns = ReadOnlyColumnCollection[str, Column[Any]]


def within(scope: AreaScope, table: Columns) -> ColumnElement[bool]:
    """Rows of the scope's district, at or below its area."""
    return and_(table.district == scope.district, at_or_below(table.area_code, scope.prefix))


def at_or_below(area_code: ColumnElement[Any], code: str) -> ColumnElement[bool]:
    """An area and everything in it, as a range that an index serves ('~' sorts behind every digit in "C")."""
    return and_(area_code >= code, area_code < code + "~")

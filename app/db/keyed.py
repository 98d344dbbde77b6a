"""Rows of a table by thousands of keys at once, by one look-up for each key.

A condition like ``key IN (SELECT unnest(…))`` or ``= ANY (…)`` leaves it to statistics whether keys are looked up or the district
is walked over, and a table that has just been filled has none (`app.db.statistics`). ``LATERAL … OFFSET 0`` looks each key up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import LateralFromClause
from sqlmodel import SQLModel

from app.db.base import columns


def each_key(keys: Mapping[str, tuple[Any, Sequence[Any]]]) -> sa.TableValuedAlias:
    """The keys as a table ``wanted``: column name → its type and values, all of one length."""
    arrays = [sa.cast(list(values), ARRAY(kind)) for kind, values in keys.values()]
    return sa.func.unnest(*arrays).table_valued(*keys).render_derived(name="wanted")


def found_by(
    table: type[SQLModel], same: Mapping[str, sa.ColumnElement[Any]], *conditions: sa.ColumnElement[bool]
) -> LateralFromClause:
    """The rows of a table whose columns equal those of whatever stands before in the ``FROM`` clause, to be joined ``ON true``.

    The columns have to lead an index (behind the district, which is among the ``conditions``).
    """
    given = columns(table)
    equal = [given[name] == value for name, value in same.items()]
    return sa.select(*given).where(*equal, *conditions).offset(sa.literal_column("0")).lateral()


def rows_by(
    table: type[SQLModel], keys: Mapping[str, Sequence[Any]], *conditions: sa.ColumnElement[bool]
) -> tuple[sa.FromClause, LateralFromClause]:
    """What to select from, and the rows found there, for columns of the table itself as keys: name → values."""
    given = columns(table)
    wanted = each_key({name: (given[name].type, values) for name, values in keys.items()})
    found = found_by(table, {name: wanted.c[name] for name in keys}, *conditions)
    return sa.join(wanted, found, sa.true()), found


__all__ = ["each_key", "found_by", "rows_by"]

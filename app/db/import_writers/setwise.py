"""Statements over whole columns: ``INSERT … SELECT``, so that five thousand rows are one statement.

COPY refuses tables with row-level security, so that many rows go by COPY into a temporary table and from there through the walls;
a few go as arrays, without a table to make and drop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7

#: Column → Postgres type, for every column that these writers fill.
TYPES: Final = {
    "area_code": "text",
    "account_holder": "text",
    "account_kind": "text",
    "address_sealed": "bytea",
    "bank_account_masked": "text",
    "bank_account_sealed": "bytea",
    "bank_name": "text",
    "bidx": "bytea",
    "birth_date": "date",
    "created": "bool",
    "created_at": "timestamptz",
    "created_by": "uuid",
    "district": "text",
    "ethnicity": "text",
    "fingerprint": "bytea",
    "gender": "text",
    "household_id": "uuid",
    "household_no": "text",
    "hukou_area_code": "text",
    "id": "uuid",
    "id_number_masked": "text",
    "id_number_sealed": "bytea",
    "import_id": "uuid",
    "index_version": "int",
    "kind": "text",
    "marital_status": "text",
    "name": "text",
    "name_key": "text",
    "person_id": "uuid",
    "person_uid": "uuid",
    "phone_sealed": "bytea",
    "recorded_at": "timestamptz",
    "recorded_by": "uuid",
    "relation": "text",
    "residence": "text",
    "since": "timestamptz",
    "subject_id": "uuid",
    "subject_key": "bytea",
    "subject_version": "int",
    "synthetic": "bool",
    "updated_at": "timestamptz",
    "valid_from": "date",
    "value": "jsonb",
    "version": "int",
}
#: From so many rows on a temporary table costs less than arrays.
MANY: Final = 200
#: Sent as text: the driver of a session packs JSON in a way of its own.
AS_TEXT: Final = frozenset({"jsonb"})


def each_by(table: str, key: str, kind: str, place: int, *, held: bool = False) -> str:
    """``FROM`` the rows of a table in the district ``$1`` whose ``key`` is one of the array ``$place``, by one look-up each.

    ``= ANY`` of some thousand keys under row-level security is planned as a walk over the whole district as long as a new table
    has no statistics: the time of an import then grows with its square (60 of 130 µs a row at 100,000 rows).
    ``held``: locked until the transaction ends. ``key`` has to lead an index behind the district.
    """
    return f"unnest(${place}::{kind}[]) AS wanted(key) CROSS JOIN {rows_of(table, key, 'wanted.key', held=held)}"


def rows_of(table: str, key: str, value: str, *, held: bool = False) -> str:
    """The rows of a table in the district ``$1`` whose ``key`` is ``value`` of what stands before in ``FROM``; see `each_by`."""
    lock = " FOR NO KEY UPDATE" if held else ""
    return f"LATERAL (SELECT * FROM {table} WHERE {table}.district = $1 AND {table}.{key} = {value} OFFSET 0{lock}) AS {table}"


def new_ids(count: int) -> list[UUID]:
    """UUIDv7 as the driver makes them: equal to the standard ones in everything, at a third of the cost."""
    return [pgproto.UUID(uuid7().bytes) for _ in range(count)]


async def insert_rows(
    driver: Any, table: str, columns: Mapping[str, Sequence[Any]], shared: Mapping[str, Any], *, unless_there: bool = False
) -> int:
    """Inserts rows made of columns of one length, in their order; ``shared`` values are the same in all. How many were inserted.

    ``unless_there``: rows that violate a unique key are left out instead of failing the statement.
    """
    rows = len(next(iter(columns.values())))
    if not rows:
        return 0
    many = rows >= MANY
    first = 1 if many else len(columns) + 1
    chosen = [f"u.{name}::{TYPES[name]}" for name in columns]
    chosen += [f"${place}::{TYPES[name]}" for place, name in enumerate(shared, first)]
    if many:
        source = f"staged_{table}"
        await stage(driver, source, {name: _sent(name) for name in columns}, columns)
    else:
        listed = ", ".join(f"${place}::{_sent(name)}[]" for place, name in enumerate(columns, 1))
        source = f"unnest({listed})"
    tag: str = await driver.execute(
        f"INSERT INTO {table} ({', '.join([*columns, *shared])}) SELECT {', '.join(chosen)}"
        f" FROM {source} AS u({', '.join(columns)}){' ON CONFLICT DO NOTHING' if unless_there else ''}",
        *(() if many else columns.values()),
        *shared.values(),
    )
    return int(tag.rpartition(" ")[2])


async def stage(driver: Any, table: str, types: Mapping[str, str], columns: Mapping[str, Sequence[Any]]) -> None:
    """A temporary table of the transaction, filled by COPY."""
    listed = ", ".join(f"{name} {kind}" for name, kind in types.items())
    await driver.execute(f"DROP TABLE IF EXISTS pg_temp.{table}; CREATE TEMP TABLE {table} ({listed}) ON COMMIT DROP")
    records = zip(*(columns[name] for name in types), strict=True)
    await driver.copy_records_to_table(table, records=records, columns=list(types))


def _sent(name: str) -> str:
    kind = TYPES[name]
    return "text" if kind in AS_TEXT else kind


async def update_rows(
    driver: Any, table: str, district: str, columns: Mapping[str, Sequence[Any]], touched: str, *arguments: Any
) -> int:
    """Sets columns of rows by their ``id`` (the first column); ``touched``: further assignments, with ``$1 …`` for arguments."""
    if not columns["id"]:
        return 0
    first = len(arguments) + 2
    listed = ", ".join(f"${place}::{_sent(name)}[]" for place, name in enumerate(columns, first))
    assigned = [f"{name} = u.{name}::{TYPES[name]}" for name in columns if name != "id"]
    tag = await driver.execute(
        f"UPDATE {table} AS t SET {', '.join([*assigned, touched])} FROM unnest({listed}) AS u({', '.join(columns)})"
        f" WHERE t.district = ${first - 1} AND t.id = u.id",
        *arguments,
        district,
        *columns.values(),
    )
    return int(tag.rpartition(" ")[2])

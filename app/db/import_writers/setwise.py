"""Statements over whole columns: ``INSERT … SELECT`` from arrays, so that five thousand rows are one statement.

COPY refuses tables with row-level security; arrays go through the walls, row by row, without a staging table to fill and drop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

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
#: Sent as text: the driver of a session packs JSON in a way of its own.
AS_TEXT: Final = frozenset({"jsonb"})


async def insert_rows(
    driver: Any, table: str, columns: Mapping[str, Sequence[Any]], shared: Mapping[str, Any], *, unless_there: bool = False
) -> int:
    """Inserts rows made of columns of one length; ``shared`` values are the same in all. How many were inserted.

    ``unless_there``: rows that violate a unique key are left out instead of failing the statement.
    """
    if not next(iter(columns.values())):
        return 0
    names = [*columns, *shared]
    sent = [_sent(name) for name in columns]
    listed = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(sent, 1))
    chosen = [f"u.{name}::{TYPES[name]}" for name in columns]
    chosen += [f"${place}::{TYPES[name]}" for place, name in enumerate(shared, len(columns) + 1)]
    tag = await driver.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(chosen)}"
        f" FROM unnest({listed}) AS u({', '.join(columns)}){' ON CONFLICT DO NOTHING' if unless_there else ''}",
        *columns.values(),
        *shared.values(),
    )
    return int(tag.rpartition(" ")[2])


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

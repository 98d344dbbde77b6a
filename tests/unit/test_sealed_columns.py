"""Every sealed column is known to the rotation of keys: a key that something still needs is never retired."""

from __future__ import annotations

from sqlmodel import SQLModel

import app.db.tables  # noqa: F401  (fills the metadata)
from app.db.repositories.rekeying import CHANGEABLE, SEALED


def test_the_rotation_knows_every_sealed_column() -> None:
    made = {f"{table.name}.{column.name}" for table in SQLModel.metadata.tables.values() for column in table.columns}
    sealed = {name for name in made if name.endswith("_sealed")}
    assert sealed == {one.name for one in SEALED}


def test_what_may_change_is_sealed_anew_and_what_may_not_is_left() -> None:
    assert {one.table for one in SEALED if not one.frozen} == set(CHANGEABLE)
